-- How fast calls may be sent, and whether they may be sent at all: token buckets, stops of spending, and
-- the circuits of providers that refuse to be paid.

-- What a tenant may send a minute; null: no bucket.
create table tenant_rates (
  tenant_id type_id primary key references tenants,
  requests_per_minute integer check (requests_per_minute > 0),
  tokens_per_minute bigint check (tokens_per_minute > 0),
  set_by text not null,
  set_at timestamptz not null default now()
);

-- The buckets, two a key: `provider:openai`, `tenant:ten_…`. The fields are those of queue's
-- rate-buckets.lua, which tells the story of a bucket; instants are milliseconds since 1970.
create table rate_buckets (
  key text collate "C" not null,
  unit text collate "C" not null check (unit in ('requests', 'tokens')),
  level double precision not null default 0,
  at double precision not null,
  share double precision not null,
  cut_at double precision not null default 0,
  grown_at double precision not null,
  closed_until double precision not null default 0,
  ask double precision not null default 1,
  width_from double precision not null,
  width double precision not null default 0,
  width_before double precision not null default 0,
  width_oldest double precision not null default 0,
  credits double precision not null default 0,
  peak_from double precision not null,
  peak double precision not null default 0,
  past_from double precision not null,
  past double precision not null default 0,
  primary key (key, unit)
) with (fillfactor = 50);

-- Who may spend nothing, and from when to when; a row without `resumed_at` stops.
create table spend_stops (
  id bigint generated always as identity primary key,
  -- `own` is a tenant's own stop, beside the one of operators: neither lifts the other.
  scope text not null check (scope in ('all', 'tenant', 'own', 'provider')),
  -- The tenant's id or the provider's name; '' for all.
  subject text collate "C" not null check ((scope = 'all') = (subject = '')),
  reason text not null,
  stopped_by text not null,
  stopped_at timestamptz not null default now(),
  resumed_by text,
  resumed_at timestamptz,
  check ((resumed_at is null) = (resumed_by is null))
);
create unique index spend_stops_open on spend_stops (scope, subject) where resumed_at is null;

-- A provider that refuses for want of money is called no more.
--
--   closed ──billing refusal──▶ open ──next_probe_at──▶ half_open: one run alone may call
--     ▲                          ▲                          │
--     │                          └── refused, lost, late ───┤   each refusal waits twice as long
--     └──────────── an operator, or the probe's success ────┘
create table provider_circuits (
  provider text collate "C" primary key,
  state text not null check (state in ('closed', 'open', 'half_open')),
  reason text not null,
  failures integer not null default 0,
  opened_at timestamptz,
  next_probe_at timestamptz,
  probe_tenant_id type_id,
  probe_run_id type_id,
  -- A probe that has not ended by then counts as failed.
  probe_until timestamptz,
  changed_by text not null,
  changed_at timestamptz not null default now(),
  check ((state = 'half_open') = (probe_run_id is not null))
);
create index provider_circuits_not_closed on provider_circuits (provider) where state <> 'closed';

-- Rises with every change of the three tables that all processes hold in memory.
create table spend_version (
  only_row boolean primary key default true check (only_row),
  version bigint not null default 1
);
insert into spend_version default values;

-- The provider that a run waits for; beside park_reason provider_stopped.
alter table runs add column park_provider text;
create index runs_stopped on runs (tenant_id, id) where state = 'parked' and park_reason = 'provider_stopped';

do $$
declare name text;
begin
  alter table tenant_rates enable row level security;
  alter table tenant_rates force row level security;
  create policy app on tenant_rates to almanac_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
  grant select on tenant_rates to almanac_app;
  foreach name in array array['rate_buckets', 'spend_stops', 'provider_circuits', 'spend_version'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
  end loop;
  foreach name in array array['tenant_rates', 'rate_buckets', 'spend_stops', 'provider_circuits', 'spend_version'] loop
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select, insert, update, delete on %I to almanac_system', name);
    execute format('grant select on %I to almanac_operator_read', name);
  end loop;
end $$;

create function tell_spend_change() returns trigger language plpgsql as $$
begin
  update spend_version set version = version + 1;
  notify almanac_spending;
  return null;
end $$;
create trigger told after insert or update or delete on tenant_rates for each statement execute function tell_spend_change();
create trigger told after insert or update or delete on spend_stops for each statement execute function tell_spend_change();
create trigger told after insert or update or delete on provider_circuits for each statement execute function tell_spend_change();

-- Whether no call of the tenant at the provider may begin. A half-open circuit stops nothing here; see
-- call_stopped.
create function spend_stopped(tenant text, provider text) returns boolean language sql stable as $$
  select exists (select from spend_stops s where s.resumed_at is null
      and (s.scope = 'all' or (s.scope in ('tenant', 'own') and s.subject = tenant)
        or (s.scope = 'provider' and s.subject = spend_stopped.provider)))
    or exists (select from provider_circuits c where c.provider = spend_stopped.provider
      and c.state = 'open')
$$;

-- Whether no call of the run may begin: through a half-open circuit goes the probe's run alone.
create function call_stopped(tenant text, provider text, run text) returns boolean language sql stable as $$
  select spend_stopped(tenant, call_stopped.provider)
    or exists (select from provider_circuits c where c.provider = call_stopped.provider
      and c.state = 'half_open' and c.probe_run_id <> run)
$$;

-- Whether anybody is stopped. Every statement of hold_calls asks this, so that a process that has not
-- heard of a stop yet begins nothing either; both indexes are empty as long as nothing is stopped.
create function anything_stopped() returns boolean language sql stable as $$
  select exists (select from spend_stops s where s.resumed_at is null)
    or exists (select from provider_circuits c where c.state <> 'closed')
$$;

-- The claims again, those stopped that would be new sends. What a mirror has refused stays refused.
create function stop_claims(claims hold_claim[]) returns hold_claim[] language plpgsql stable as $$
declare
  claim hold_claim;
  decided hold_claim[] := '{}';
begin
  foreach claim in array claims loop
    if claim.outcome is null and not claim.hopeless
      and call_stopped(claim.tenant_id, claim.provider, claim.run_id)
    then
      claim.outcome := 'stopped';
    end if;
    decided := decided || claim;
  end loop;
  return decided;
end $$;

-- All that processes hold in memory, as JSON; null when its version is the one that the caller knows.
create function spend_snapshot(known bigint) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'version', v.version,
    'stops', coalesce((select jsonb_agg(jsonb_build_object('scope', s.scope, 'subject', s.subject))
      from spend_stops s where s.resumed_at is null), '[]'),
    'circuits', coalesce((select jsonb_agg(jsonb_build_object('provider', c.provider, 'state', c.state,
      'probeRunId', c.probe_run_id)) from provider_circuits c where c.state <> 'closed'), '[]'),
    'tenantRates', coalesce((select jsonb_object_agg(r.tenant_id, jsonb_build_object(
      'requests', r.requests_per_minute, 'tokens', r.tokens_per_minute)) from tenant_rates r), '{}'))
  from spend_version v where v.version is distinct from known
$$;

-- Queues the runs that nothing stops any more, and one run for every open circuit whose probe is due.
-- Answers how many. Called when something is resumed, and by the sweep: a run that parks at the very
-- moment of the resumption is found by the next pass.
create function queue_stopped_runs(most integer) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  run record;
  circuit provider_circuits;
  queued integer := 0;
begin
  -- Probes that never came to an end.
  update provider_circuits c set state = 'open', next_probe_at = now(), probe_tenant_id = null,
    probe_run_id = null, probe_until = null, changed_by = 'system', changed_at = now()
  where c.state = 'half_open' and c.probe_until <= now();

  for circuit in select * from provider_circuits c where c.state = 'open' and c.next_probe_at <= now()
    order by c.provider for no key update skip locked
  loop
    select r.tenant_id, r.id into run from runs r
    where r.state = 'parked' and r.park_reason = 'provider_stopped' and r.park_provider = circuit.provider
      and (r.deadline_at is null or r.deadline_at > now())
      and not exists (select from spend_stops s where s.resumed_at is null and (s.scope = 'all'
        or (s.scope in ('tenant', 'own') and s.subject = r.tenant_id)
        or (s.scope = 'provider' and s.subject = circuit.provider)))
    order by r.id limit 1 for no key update skip locked;
    if not found then continue; end if;
    update provider_circuits c set state = 'half_open', probe_tenant_id = run.tenant_id,
      probe_run_id = run.id, probe_until = now() + attempt_patience(), changed_by = 'system',
      changed_at = now()
    where c.provider = circuit.provider;
    perform queue_parked_run(run.tenant_id, run.id, 'provider_probe');
    queued := queued + 1;
  end loop;

  for run in select r.tenant_id, r.id from runs r
    where r.state = 'parked' and r.park_reason = 'provider_stopped'
      and (r.deadline_at is null or r.deadline_at > now())
      and not spend_stopped(r.tenant_id, coalesce(r.park_provider, ''))
      and not exists (select from provider_circuits c where c.provider = r.park_provider
        and c.state = 'half_open')
    order by r.id limit most for no key update skip locked
  loop
    if queue_parked_run(run.tenant_id, run.id, 'provider_resumed') then queued := queued + 1; end if;
  end loop;
  return queued;
end $$;

-- Opens a provider's circuit after a refusal for want of money. Calls that were under way and are refused
-- too change nothing; a refused probe waits twice as long as the one before, up to an hour.
create function open_circuit(provider_key text, why text) returns void language sql as $$
  insert into provider_circuits as c (provider, state, reason, failures, opened_at, next_probe_at, changed_by)
  values (provider_key, 'open', why, 1, now(), now() + interval '5 minutes', 'system')
  on conflict (provider) do update set state = 'open', reason = excluded.reason,
    failures = c.failures + 1, opened_at = coalesce(c.opened_at, now()),
    next_probe_at = now() + least(interval '1 hour', interval '5 minutes' * power(2, least(c.failures, 6))),
    probe_tenant_id = null, probe_run_id = null, probe_until = null, changed_by = 'system', changed_at = now()
  where c.state <> 'open'
$$;

-- Ends the probe of a run: a success closes the circuit, anything else opens it again for a minute.
create function end_probe(provider_key text, run text, healthy boolean) returns integer language plpgsql as $$
begin
  update provider_circuits c set
    state = case when healthy then 'closed' else 'open' end,
    failures = case when healthy then 0 else c.failures end,
    opened_at = case when healthy then null else c.opened_at end,
    next_probe_at = case when healthy then null else now() + interval '1 minute' end,
    probe_tenant_id = null, probe_run_id = null, probe_until = null, changed_by = 'system', changed_at = now()
  where c.provider = provider_key and c.state = 'half_open' and c.probe_run_id = run;
  if not found or not healthy then return 0; end if;
  return queue_stopped_runs(1000);
end $$;

create function close_circuit(provider_key text, who text) returns boolean language plpgsql as $$
begin
  update provider_circuits c set state = 'closed', failures = 0, opened_at = null, next_probe_at = null,
    probe_tenant_id = null, probe_run_id = null, probe_until = null, changed_by = who, changed_at = now()
  where c.provider = provider_key and c.state <> 'closed';
  return found;
end $$;

-- The buckets. `rate_refilled` brings one up to the instant `clock`; see rate-buckets.lua for why.
create function rate_burst(lim double precision) returns double precision language sql immutable
  as $$ select greatest(1, lim * 0.05) $$;

create function rate_cap(b rate_buckets, lim double precision) returns double precision language sql immutable
  as $$ select greatest(1, lim * 0.05, b.width, b.width_before) $$;

create function rate_per_ms(b rate_buckets, lim double precision) returns double precision language sql immutable
  as $$ select greatest(lim - greatest(1, lim * 0.05, b.width, b.width_before, b.width_oldest), 0.99)
    * b.share / 60000 $$;

create function rate_refilled(b rate_buckets, lim double precision, clock double precision)
returns rate_buckets language plpgsql immutable as $$
begin
  if clock > b.at then
    b.level := b.level + rate_per_ms(b, lim) * (clock - b.at);
    b.at := clock;
  end if;
  for i in 1 .. least(3, floor((b.at - b.width_from) / 60000)::integer) loop
    b.width_oldest := b.width_before; b.width_before := b.width; b.width := 0; b.width_from := b.at;
  end loop;
  b.level := least(b.level, rate_cap(b, lim));
  if b.at - b.peak_from >= 60000 then
    b.past_from := b.peak_from; b.past := b.peak;
    b.peak_from := b.at; b.peak := b.level - b.credits;
  else
    b.peak := greatest(b.peak, b.level - b.credits);
  end if;
  return b;
end $$;

-- Makes room in a bucket for a call of `need`.
create function rate_widened(b rate_buckets, lim double precision, need double precision)
returns rate_buckets language plpgsql immutable as $$
begin
  b.ask := need;
  if need > rate_cap(b, lim) then
    b.width := least(0.9 * lim, need * 1.25);
    b.peak_from := b.at; b.past_from := b.at;
    b.peak := b.level - b.credits;
  elsif need > rate_burst(lim) then
    b.width := greatest(b.width, need);
  end if;
  return b;
end $$;

-- Locks the buckets of the keys of `limits`, { key: [requests, tokens] }, in key order; makes those that
-- are missing, empty.
create function lock_rates(limits jsonb, clock double precision) returns double precision language plpgsql as $$
declare
  moment double precision := coalesce(clock, extract(epoch from clock_timestamp()) * 1000);
begin
  insert into rate_buckets (key, unit, at, share, grown_at, width_from, peak_from, past_from)
  select l.key, u.unit, moment, case when l.key like 'provider:%' then 0.5 else 1 end, moment, moment,
    moment, moment
  from jsonb_each(limits) as l, lateral (values ('requests', l.value ->> 0), ('tokens', l.value ->> 1)) as u (unit, lim)
  where u.lim is not null
  order by l.key collate "C", u.unit
  on conflict do nothing;
  perform 1 from rate_buckets b where b.key in (select jsonb_object_keys(limits))
  order by b.key, b.unit for no key update;
  return coalesce(clock, extract(epoch from clock_timestamp()) * 1000);
end $$;

-- The buckets of `limits`, brought up to `clock`, in the order of bucket_places; the caller has locked them.
create function load_rates(limits jsonb, clock double precision) returns rate_buckets[]
language sql stable as $$
  select array_agg(rate_refilled(b, (l.value ->> (case b.unit when 'requests' then 0 else 1 end))::double precision,
    clock) order by b.key, b.unit)
  from jsonb_each(limits) as l join rate_buckets b on b.key = l.key
  where l.value ->> (case b.unit when 'requests' then 0 else 1 end) is not null
$$;

-- Where each bucket stands in load_rates, { "key unit": n }, and its limit.
create function bucket_places(limits jsonb) returns table (places jsonb, lims double precision[])
language sql stable as $$
  select jsonb_object_agg(p.name, p.n), array_agg(p.lim order by p.n)
  from (select l.key || ' ' || u.unit as name, u.lim::double precision as lim,
      row_number() over (order by l.key collate "C", u.unit collate "C") as n
    from jsonb_each(limits) as l,
      lateral (values ('requests', l.value ->> 0), ('tokens', l.value ->> 1)) as u (unit, lim)
    where u.lim is not null) as p
$$;

-- A bucket is written once for all calls that took from it: each version of a row that is written in one
-- transaction makes the next one slower to find.
create function store_rates(buckets rate_buckets[]) returns void language sql as $$
  update rate_buckets s set level = b.level, at = b.at, share = b.share, cut_at = b.cut_at,
    grown_at = b.grown_at, closed_until = b.closed_until, ask = b.ask, width_from = b.width_from,
    width = b.width, width_before = b.width_before, width_oldest = b.width_oldest, credits = b.credits,
    peak_from = b.peak_from, peak = b.peak, past_from = b.past_from, past = b.past
  from unnest(buckets) as b where s.key = b.key and s.unit = b.unit
$$;

-- Takes room for calls, one after the other. `takes` is [{ keys, tokens }], `limits` as above. Answers for
-- each: how long to wait (0: it is taken; null: it never fits), and the bucket that was in the way.
create function take_rates(takes jsonb, limits jsonb, clock double precision)
returns table (n integer, wait_ms double precision, blocker text, taken_at double precision)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  q jsonb;
  b rate_buckets;
  bs rate_buckets[];
  places jsonb;
  lims double precision[];
  own integer[];
  i integer;
  need double precision;
  wait double precision;
begin
  taken_at := lock_rates(limits, clock);
  bs := load_rates(limits, taken_at);
  select p.places, p.lims into places, lims from bucket_places(limits) as p;
  for n, q in select t.ordinality::integer, t.value from jsonb_array_elements(takes) with ordinality as t loop
    own := array(select (places ->> (k || ' ' || u))::integer
      from jsonb_array_elements_text(q -> 'keys') as k, unnest(array['requests', 'tokens']) as u
      where places ? (k || ' ' || u));
    wait_ms := 0; blocker := null;
    foreach i in array own loop
      b := bs[i];
      need := case b.unit when 'requests' then 1 else (q ->> 'tokens')::double precision end;
      if need > greatest(1, 0.9 * lims[i]) then
        wait_ms := null; blocker := b.key || ' ' || b.unit;
        exit;
      end if;
      b := rate_widened(b, lims[i], need);
      bs[i] := b;
      wait := greatest(b.closed_until - b.at, 0);
      if b.level < need then
        wait := greatest(wait, (need - b.level) / rate_per_ms(b, lims[i]), 1);
      end if;
      if wait > wait_ms then
        wait_ms := wait; blocker := b.key || ' ' || b.unit;
      end if;
    end loop;
    if wait_ms = 0 then
      foreach i in array own loop
        b := bs[i];
        b.level := b.level - b.ask;
        bs[i] := b;
      end loop;
    end if;
    return next;
  end loop;
  perform store_rates(bs);
end $$;

-- Corrects the buckets after calls ended. `endings` is [{ keys, takenAt, requests, tokens, pressure,
-- closeMs, leftRequests, leftTokens }]: what is given back (a call that cost more than it took gives a
-- negative number), what the provider's answer says of its load (served, refused), and what it told.
create function end_rates(endings jsonb, limits jsonb, clock double precision) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  moment double precision := lock_rates(limits, clock);
  bs rate_buckets[] := load_rates(limits, moment);
  q jsonb;
  b rate_buckets;
  places jsonb;
  lims double precision[];
  i integer;
  back double precision;
  since double precision;
  high double precision;
  seconds double precision;
  told double precision;
begin
  select p.places, p.lims into places, lims from bucket_places(limits) as p;
  for q, i in select t.value, (places ->> (k || ' ' || u))::integer from jsonb_array_elements(endings) as t,
    jsonb_array_elements_text(t.value -> 'keys') as k, unnest(array['requests', 'tokens']) as u
    where places ? (k || ' ' || u)
  loop
    b := bs[i];
    back := (q ->> b.unit)::double precision;
    since := (q ->> 'takenAt')::double precision;
    if back < 0 then
      b.level := b.level + back;
    elsif back > 0 and since >= b.past_from then
      high := case when since >= b.peak_from then b.peak else greatest(b.peak, b.past) end;
      back := greatest(0, least(back, rate_cap(b, lims[i]) - high - b.credits));
      b.level := b.level + back;
      b.credits := b.credits + back;
    end if;
    if b.key like 'provider:%' then
      if q ->> 'pressure' = 'refused' and since >= b.cut_at then
        b.share := greatest(0.05, b.share / 2); b.cut_at := moment; b.grown_at := moment;
      elsif q ->> 'pressure' = 'served' then
        seconds := least(5, greatest(0, moment - b.grown_at) / 1000);
        b.share := case when b.share < 0.5 then b.share * power(2, seconds / 10)
          else least(1, b.share + 0.01 * seconds) end;
        b.grown_at := greatest(moment, b.grown_at);
      end if;
      if q ->> 'closeMs' is not null then
        b.closed_until := greatest(b.closed_until, moment + (q ->> 'closeMs')::double precision);
      end if;
      told := (q ->> (case b.unit when 'requests' then 'leftRequests' else 'leftTokens' end))::double precision;
      if told is not null then b.level := least(b.level, told); end if;
    end if;
    bs[i] := b;
  end loop;
  perform store_rates(bs);
end $$;

-- Which of the keys have room for a call as the last one was; a key without a bucket has.
create function rates_with_room(limits jsonb, clock double precision) returns setof text
language sql stable as $$
  select l.key from jsonb_each(limits) as l where not exists (
    select from rate_buckets s
    cross join lateral (select (l.value ->> (case s.unit when 'requests' then 0 else 1 end))::double precision as lim) as m
    cross join lateral rate_refilled(s, m.lim, coalesce(clock, extract(epoch from now()) * 1000)) as b
    where s.key = l.key and m.lim is not null
      and (b.level < least(b.ask, rate_cap(b, m.lim)) or b.closed_until > b.at))
$$;

revoke all on function tell_spend_change, spend_stopped, call_stopped, anything_stopped, stop_claims, spend_snapshot, queue_stopped_runs, open_circuit, end_probe,
  close_circuit, rate_burst, rate_cap, rate_per_ms, rate_refilled, rate_widened, lock_rates, load_rates,
  bucket_places, store_rates, take_rates,
  end_rates, rates_with_room from public;
grant execute on function tell_spend_change, spend_stopped, call_stopped, anything_stopped, stop_claims, spend_snapshot, queue_stopped_runs, open_circuit, end_probe,
  close_circuit, rate_burst, rate_cap, rate_per_ms, rate_refilled, rate_widened, lock_rates, load_rates,
  bucket_places, store_rates, take_rates,
  end_rates, rates_with_room to almanac_system;
