-- The ledger of paid calls. A call's row is its claim and its hold; budgets count what is held and spent
-- at each level: root (a run's tree), specification, tenant_day, tenant_month, and provider_day in a
-- table of its own.
--
-- hold_calls and close_calls take the requests of concurrent jobs as one array and treat them as
-- sets: what each call moves is summed up by budget row (`budget_move`), and the rows are changed once, in
-- key order. Where one is then past its limit, that is undone; the rows are locked, in the same order, and
-- only the calls of a row that cannot take its sum are looked at one by one, in their order; the others
-- are as granted as if they had come first.
-- A call that holds nothing and costs nothing touches no budget row: it would change none.

alter table budgets
  add column overrun_tokens bigint not null default 0,
  -- The finishing reserve of a root: what the repairs of its draft may cost, set aside when the draft is
  -- held, and what its repairs have held since. Only draft, phase and repair may use what is left of it.
  add column finish_micro_usd bigint not null default 0,
  add column finish_tokens bigint not null default 0,
  add column repaired_micro_usd bigint not null default 0,
  add column repaired_tokens bigint not null default 0,
  -- Overruns that nobody has acknowledged: while there are any, nothing more is held here.
  add column blocked integer not null default 0;
alter table provider_budgets add column blocked integer not null default 0;

-- The limits that people set. A budget row takes its limit from here when it is made; setting one changes
-- the rows of the present and the next period too, so that no row is ever made with an older limit.
create table budget_limits (
  tenant_id type_id not null references tenants,
  level text not null check (level in ('specification', 'tenant_day', 'tenant_month')),
  subject text collate "C" not null,
  limit_micro_usd bigint check (limit_micro_usd >= 0),
  limit_tokens bigint check (limit_tokens >= 0),
  set_by text not null,
  set_at timestamptz not null default now(),
  primary key (tenant_id, level, subject)
);

create table provider_limits (
  provider text collate "C" primary key,
  limit_micro_usd bigint check (limit_micro_usd >= 0),
  set_by text not null,
  set_at timestamptz not null default now()
);

-- A limited budget of which 50, 80 or 100 % was held or spent, once for each limit that it had. `run_id` is
-- a run whose call reached it, which is `told` by the sweep; null when a limit was set so low.
create table budget_alerts (
  tenant_id type_id not null references tenants,
  level text not null,
  subject text collate "C" not null,
  period text collate "C" not null,
  unit text not null check (unit in ('micro_usd', 'tokens')),
  percent integer not null check (percent in (50, 80, 100)),
  limit_amount bigint not null,
  run_id type_id,
  told boolean not null default false,
  at timestamptz not null default now(),
  primary key (tenant_id, level, subject, period, unit, percent, limit_amount)
);
create index budget_alerts_at on budget_alerts (at desc, tenant_id);
create index budget_alerts_untold on budget_alerts (run_id) where not told and run_id is not null;

create table provider_alerts (
  provider text collate "C" not null,
  day date not null,
  percent integer not null check (percent in (50, 80, 100)),
  limit_amount bigint not null,
  run_id type_id,
  told boolean not null default false,
  at timestamptz not null default now(),
  primary key (provider, day, percent, limit_amount)
);
create index provider_alerts_untold on provider_alerts (run_id) where not told and run_id is not null;

-- A call that cost more than was held for it. `blocks` names the levels that take no further hold until
-- somebody has acknowledged it: the root, whose estimates were wrong, and every level whose limit it
-- broke.
create table budget_overruns (
  tenant_id type_id not null,
  run_id type_id not null,
  call_key text collate "C" not null,
  seq integer not null,
  specification_id type_id not null,
  provider text not null,
  hold_day date not null,
  micro_usd bigint not null check (micro_usd > 0),
  blocks text[] not null,
  at timestamptz not null default now(),
  acknowledged_at timestamptz,
  acknowledged_by text,
  reason text,
  primary key (tenant_id, run_id, call_key, seq),
  foreign key (tenant_id, run_id, call_key, seq) references engine_calls
);
create index budget_overruns_open on budget_overruns (at desc, tenant_id);

do $$
declare name text;
begin
  foreach name in array array['budget_limits', 'budget_alerts', 'budget_overruns'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy app on %I to almanac_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select on %I to almanac_app, almanac_operator_read', name);
    execute format('grant select, insert, update on %I to almanac_system', name);
  end loop;
  foreach name in array array['provider_limits', 'provider_alerts'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select on %I to almanac_operator_read', name);
    execute format('grant select, insert, update on %I to almanac_system', name);
  end loop;
end $$;

-- After this long an attempt of a stage is over, whether or not anybody recorded its end: it is more
-- than the longest time-out of a stage.
create function attempt_patience() returns interval language sql immutable parallel safe
  as $$ select interval '330 seconds' $$;

create function is_alive(worker text) returns boolean language sql stable
  as $$ select exists (select from workers w where w.id = worker and w.alive_until > now()) $$;

-- What one call changes at every level.
create type call_charge as (
  tenant_id type_id, run_id type_id, specification_id type_id, provider text,
  -- The UTC day and month that are charged, `2026-11-21` and `2026-11`.
  day text, month text,
  limit_usd bigint, limit_tok bigint,
  held_usd bigint, held_tok bigint, spent_usd bigint, spent_tok bigint, over_usd bigint, over_tok bigint,
  finish_usd bigint, finish_tok bigint, repaired_usd bigint, repaired_tok bigint,
  -- Whether the call has to leave the finishing reserve alone.
  spares boolean
);

-- What several calls change in one budget row. Of a provider's row, `tenant_id` is ''; `run_id` is the run
-- of one of the calls.
create type budget_move as (
  tenant_id type_id, level text, subject text, period text, limit_usd bigint, limit_tok bigint,
  held_usd bigint, held_tok bigint, spent_usd bigint, spent_tok bigint, over_usd bigint, over_tok bigint,
  finish_usd bigint, finish_tok bigint, repaired_usd bigint, repaired_tok bigint, spares boolean, run_id type_id
);

-- The changes of calls by budget row, in key order.
create function moves_of(charges call_charge[]) returns budget_move[] language sql immutable as $$
  select array_agg(row(m.*)::budget_move order by m.tenant_id, m.level, m.subject, m.period)
  from (
    select case when grouping(c.provider) = 0 then '' else c.tenant_id end as tenant_id,
      case grouping(c.run_id, c.specification_id, c.day, c.month, c.provider)
        when 15 then 'root' when 23 then 'specification' when 27 then 'tenant_day'
        when 29 then 'tenant_month' else 'provider_day' end collate "C" as level,
      case grouping(c.run_id, c.specification_id, c.day, c.month, c.provider)
        when 15 then c.run_id when 23 then c.specification_id when 26 then c.provider
        else c.tenant_id end collate "C" as subject,
      coalesce(c.day, c.month, '') collate "C" as period,
      case when grouping(c.run_id) = 0 then max(c.limit_usd) end,
      case when grouping(c.run_id) = 0 then max(c.limit_tok) end,
      sum(c.held_usd)::bigint, sum(c.held_tok)::bigint, sum(c.spent_usd)::bigint,
      sum(c.spent_tok)::bigint, sum(c.over_usd)::bigint, sum(c.over_tok)::bigint,
      max(c.finish_usd), max(c.finish_tok), sum(c.repaired_usd)::bigint, sum(c.repaired_tok)::bigint,
      bool_or(c.spares), max(c.run_id)
    from unnest(charges) as c
    group by grouping sets ((c.tenant_id, c.run_id), (c.tenant_id, c.specification_id),
      (c.tenant_id, c.day), (c.tenant_id, c.month), (c.provider, c.day))
  ) as m
$$;

-- Makes the budget rows of moves that are not there yet, in key order, those of providers last.
create function make_budgets(moves budget_move[]) returns void language plpgsql as $$
begin
  insert into budgets (tenant_id, level, subject, period, limit_micro_usd, limit_tokens)
  select m.tenant_id, m.level, m.subject, m.period, coalesce(l.limit_micro_usd, m.limit_usd),
    coalesce(l.limit_tokens, m.limit_tok)
  from unnest(moves) with ordinality as m
  left join budget_limits l on l.tenant_id = m.tenant_id and l.level = m.level and l.subject = m.subject
  where m.level <> 'provider_day' and not exists (select from budgets b where b.tenant_id = m.tenant_id
    and b.level = m.level and b.subject = m.subject and b.period = m.period)
  order by m.ordinality on conflict do nothing;

  insert into provider_budgets (provider, day, limit_micro_usd)
  select m.subject, m.period::date, l.limit_micro_usd
  from unnest(moves) with ordinality as m
  left join provider_limits l on l.provider = m.subject
  where m.level = 'provider_day' and not exists (select from provider_budgets b
    where b.provider = m.subject and b.day = m.period::date)
  order by m.ordinality on conflict do nothing;
end $$;

-- Locks the budget rows of moves, in the same order; answers those that cannot take their hold.
create function lock_budgets(moves budget_move[]) returns budget_move[] language plpgsql as $$
declare
  short budget_move[];
  short_providers budget_move[];
begin
  perform make_budgets(moves);
  -- The filters stand in the aggregates: a `where` out there would move in, and only the rows that are
  -- short would be locked.
  select array_agg(x.move) filter (where x.is_short) into short from (
    select m::budget_move as move, b.blocked > 0 and (m.held_usd > 0 or m.held_tok > 0)
      or m.held_usd > 0 and m.held_usd > coalesce(b.limit_micro_usd, m.limit_usd) - b.spent_micro_usd
        - b.held_micro_usd - case when m.spares
          then greatest(0, b.finish_micro_usd - b.repaired_micro_usd) else 0 end
      or m.held_tok > 0 and m.held_tok > coalesce(b.limit_tokens, m.limit_tok) - b.spent_tokens
        - b.held_tokens - case when m.spares
          then greatest(0, b.finish_tokens - b.repaired_tokens) else 0 end as is_short
    from (select * from unnest(moves) as u where u.level <> 'provider_day') as m
    join budgets b on b.tenant_id = m.tenant_id and b.level = m.level and b.subject = m.subject
      and b.period = m.period
    order by b.tenant_id, b.level collate "C", b.subject, b.period for no key update of b
  ) as x;
  select array_agg(x.move) filter (where x.is_short) into short_providers from (
    select m::budget_move as move, (b.blocked > 0 and m.held_usd > 0)
      or (m.held_usd > 0 and m.held_usd > b.limit_micro_usd - b.spent_micro_usd - b.held_micro_usd)
      as is_short
    from (select * from unnest(moves) as u where u.level = 'provider_day') as m
    join provider_budgets b on b.provider = m.subject and b.day = m.period::date
    order by b.provider, b.day for no key update of b
  ) as x;
  return coalesce(short, '{}') || coalesce(short_providers, '{}');
end $$;

-- Applies moves to their rows, in key order, and notes the shares of limits that they cross. Answers
-- whether a row is now past its limit, or blocked, by a hold, which is then for the caller to undo; and the
-- rows as they are now, for mirrors of them, where wanted.
create function move_budgets(moves budget_move[], mirrored boolean, out is_short boolean, out states jsonb)
language plpgsql as $$
declare
  short_provider boolean;
  provider_states jsonb;
begin
  with moved as (
    update budgets b set held_micro_usd = b.held_micro_usd + m.held_usd,
      held_tokens = b.held_tokens + m.held_tok, spent_micro_usd = b.spent_micro_usd + m.spent_usd,
      spent_tokens = b.spent_tokens + m.spent_tok, overrun_micro_usd = b.overrun_micro_usd + m.over_usd,
      overrun_tokens = b.overrun_tokens + m.over_tok,
      limit_micro_usd = coalesce(b.limit_micro_usd, m.limit_usd),
      limit_tokens = coalesce(b.limit_tokens, m.limit_tok),
      finish_micro_usd = greatest(b.finish_micro_usd, case b.level when 'root' then m.finish_usd end),
      finish_tokens = greatest(b.finish_tokens, case b.level when 'root' then m.finish_tok end),
      repaired_micro_usd = b.repaired_micro_usd + case b.level when 'root' then m.repaired_usd else 0 end,
      repaired_tokens = b.repaired_tokens + case b.level when 'root' then m.repaired_tok else 0 end,
      version = b.version + 1
    from unnest(moves) as m
    where m.level <> 'provider_day' and b.tenant_id = m.tenant_id and b.level = m.level
      and b.subject = m.subject and b.period = m.period
    returning b.tenant_id, b.level, b.subject, b.period, b.version, b.limit_micro_usd, b.limit_tokens,
      b.held_micro_usd, b.held_tokens, b.spent_micro_usd, b.spent_tokens,
      m.held_usd + m.spent_usd as added_usd, m.held_tok + m.spent_tok as added_tok, m.run_id,
      b.blocked > 0 and (m.held_usd > 0 or m.held_tok > 0)
        or m.held_usd > 0 and b.spent_micro_usd + b.held_micro_usd + case when m.spares
          then greatest(0, b.finish_micro_usd - b.repaired_micro_usd) else 0 end > b.limit_micro_usd
        or m.held_tok > 0 and b.spent_tokens + b.held_tokens + case when m.spares
          then greatest(0, b.finish_tokens - b.repaired_tokens) else 0 end > b.limit_tokens as is_short
  ), alerted as (
    insert into budget_alerts (tenant_id, level, subject, period, unit, percent, limit_amount, run_id)
    select b.tenant_id, b.level, b.subject, b.period, u.unit, t.percent, u.most, b.run_id
    from moved b cross join lateral (values
      ('micro_usd', b.limit_micro_usd, b.held_micro_usd + b.spent_micro_usd, b.added_usd),
      ('tokens', b.limit_tokens, b.held_tokens + b.spent_tokens, b.added_tok)
    ) as u (unit, most, used, added)
    cross join (values (50), (80), (100)) as t (percent)
    where u.added > 0 and u.used * 2 >= u.most
      and u.used * 100 >= t.percent * u.most and (u.used - u.added) * 100 < t.percent * u.most
    on conflict do nothing
  )
  select coalesce(bool_or(b.is_short), false), coalesce(jsonb_agg(jsonb_build_object(
      'tenantId', b.tenant_id, 'level', b.level, 'subject', b.subject, 'period', b.period,
      'version', b.version, 'heldMicroUsd', b.held_micro_usd, 'spentMicroUsd', b.spent_micro_usd,
      'heldTokens', b.held_tokens, 'spentTokens', b.spent_tokens)) filter (where mirrored), '[]')
  into is_short, states from moved b;
  if is_short then return; end if;

  with moved as (
    update provider_budgets b set held_micro_usd = b.held_micro_usd + m.held_usd,
      spent_micro_usd = b.spent_micro_usd + m.spent_usd,
      overrun_micro_usd = b.overrun_micro_usd + m.over_usd, version = b.version + 1
    from unnest(moves) as m
    where m.level = 'provider_day' and b.provider = m.subject and b.day = m.period::date
    returning b.provider, b.day, b.version, b.limit_micro_usd, b.held_micro_usd, b.spent_micro_usd,
      m.period, m.held_usd + m.spent_usd as added_usd, m.run_id, m.held_usd > 0 and (b.blocked > 0
        or b.spent_micro_usd + b.held_micro_usd > b.limit_micro_usd) as is_short
  ), alerted as (
    insert into provider_alerts (provider, day, percent, limit_amount, run_id)
    select b.provider, b.day, t.percent, b.limit_micro_usd, b.run_id
    from moved b cross join (values (50), (80), (100)) as t (percent)
    where b.added_usd > 0
      and (b.held_micro_usd + b.spent_micro_usd) * 100 >= t.percent * b.limit_micro_usd
      and (b.held_micro_usd + b.spent_micro_usd - b.added_usd) * 100 < t.percent * b.limit_micro_usd
    on conflict do nothing
  )
  select coalesce(bool_or(b.is_short), false), coalesce(jsonb_agg(jsonb_build_object(
      'tenantId', null, 'level', 'provider_day', 'subject', b.provider, 'period', b.period,
      'version', b.version, 'heldMicroUsd', b.held_micro_usd, 'spentMicroUsd', b.spent_micro_usd,
      'heldTokens', 0, 'spentTokens', 0)) filter (where mirrored), '[]')
  into short_provider, provider_states from moved b;
  is_short := short_provider;
  states := states || provider_states;
end $$;

-- The first of these rows that cannot take its hold, with why: `overrun` (one is not acknowledged),
-- `reserve` (what is left belongs to repairs), `limit`.
create function first_shortage(moves budget_move[])
returns table (level text, subject text, period text, unit text, because text, needed bigint,
  left_over bigint, version bigint, limit_amount bigint) language sql stable as $$
  select e.level, e.subject, e.period, e.unit,
    case when e.blocked > 0 then 'overrun' when e.needed <= e.left_over then 'reserve' else 'limit' end,
    e.needed, coalesce(case when e.needed <= e.left_over then e.left_over - e.reserve
      else e.left_over end, 0), e.version, e.limit_amount
  from (
    select array_position('{root,specification,tenant_day,tenant_month}', m.level) as rank, m.level,
      m.subject, m.period, u.unit, b.blocked, u.needed,
      u.limit_amount - u.used as left_over, u.reserve, b.version, u.limit_amount
    from unnest(moves) as m
    join budgets b on b.tenant_id = m.tenant_id and b.level = m.level and b.subject = m.subject
      and b.period = m.period
    cross join lateral (values
      ('micro_usd', m.held_usd, coalesce(b.limit_micro_usd, m.limit_usd),
        b.spent_micro_usd + b.held_micro_usd, case when m.spares
          then greatest(0, b.finish_micro_usd - b.repaired_micro_usd) else 0 end),
      ('tokens', m.held_tok, coalesce(b.limit_tokens, m.limit_tok),
        b.spent_tokens + b.held_tokens, case when m.spares
          then greatest(0, b.finish_tokens - b.repaired_tokens) else 0 end)
    ) as u (unit, needed, limit_amount, used, reserve)
    where m.level <> 'provider_day'
    union all
    select 5, m.level, m.subject, m.period, 'micro_usd', b.blocked, m.held_usd,
      b.limit_micro_usd - b.spent_micro_usd - b.held_micro_usd, 0, b.version, b.limit_micro_usd
    from unnest(moves) as m
    join provider_budgets b on b.provider = m.subject and b.day = m.period::date
    where m.level = 'provider_day'
  ) as e
  where e.needed > 0 and (e.blocked > 0 or e.needed > e.left_over - e.reserve)
  order by e.rank, e.unit limit 1
$$;

-- What asks for a call's hold. `usd` and `tok` are micro-USD and tokens, `limit_` what the run may spend in
-- all, `finish_` what is set aside for repairs. `refused_by` is the budget of which a mirror has said that
-- there is no money in it: { level, subject, period, version }. `reuse`: an equal request's answer would do;
-- `twin`: the call stands before this one in the array; `equal`: another asks the same.
create type hold_request as (
  tenant_id text, run_id text, specification_id text, epoch integer, stage text, cause text,
  worker_id text, call_key text, call text, provider text, model text, request_hash text,
  package_hash text, usd bigint, tok bigint, limit_usd bigint, limit_tok bigint, finish_usd bigint,
  finish_tok bigint, refused_by jsonb, reuse boolean, twin boolean, equal boolean
);

-- A call that asks for its hold, with what is known of it: `outcome` is null while it may be granted.
create type hold_claim as (
  n integer, tenant_id type_id, run_id type_id, call_key text, seq integer, specification_id type_id,
  stage text, cause text, epoch integer, worker_id type_id, provider text, model text, call text,
  request_hash text, package_hash text, usd bigint, tok bigint, limit_usd bigint, limit_tok bigint,
  finish_usd bigint, finish_tok bigint, outcome text, output_hash text, from_run text,
  -- The call's last send is open; an equal request of another run is known; a mirror of the budgets has
  -- said that there is no money for it, and is right.
  is_open boolean, has_peers boolean, hopeless boolean
);

-- Whether a budget still is as it was when it refused: `by` is { level, subject, period, version }.
create function refusal_stands(tenant text, by jsonb) returns boolean language sql stable as $$
  select case by ->> 'level' when 'provider_day' then exists (select from provider_budgets b
      where b.provider = by ->> 'subject' and b.day = (by ->> 'period')::date
        and b.version = (by ->> 'version')::bigint)
    else exists (select from budgets b where b.tenant_id = tenant and b.level = by ->> 'level'
      and b.subject = by ->> 'subject' and b.period = by ->> 'period'
      and b.version = (by ->> 'version')::bigint) end
$$;

-- What the calls' own rows say of requests, in the order of the calls. This is on every call's way, so
-- it looks at nothing that only a few of them need.
create function claims_of(requests hold_request[]) returns hold_claim[] language sql stable as $$
  select array_agg(row(a.n::integer, a.tenant_id, a.run_id, a.call_key,
      case a.outcome when 'settled' then a.last_seq when 'busy' then 0 else a.last_seq + 1 end,
      a.specification_id, a.stage, a.cause, a.epoch, a.worker_id, a.provider, a.model, a.call,
      a.request_hash, a.package_hash, a.usd, a.tok, a.limit_usd, a.limit_tok,
      a.finish_usd, a.finish_tok, a.outcome, a.output_hash, null,
      coalesce(a.last_state = 'open', false), a.outcome is null and a.has_peers,
      case when a.refused_by is null then false else refusal_stands(a.tenant_id, a.refused_by) end)::hold_claim
    order by a.run_id collate "C", a.call_key collate "C", a.n)
  from (
    select e.*, e.ordinality as n, coalesce(c.seq, 0) as last_seq, c.state as last_state, c.output_hash,
      e.reuse and (e.equal or exists (select from engine_calls o where o.request_hash = e.request_hash
        and o.tenant_id || '' = e.tenant_id and o.run_id <> e.run_id)) as has_peers,
      case when e.twin or l.live is null then 'busy'
        when c.state = 'settled' and c.output_hash is not null then 'settled' end as outcome
    from unnest(requests) with ordinality as e
    -- Fenced like a commit: a worker that has lost the run pays for nothing more.
    left join lateral (select true as live from runs r where r.tenant_id = e.tenant_id
      and r.id = e.run_id and (r.state = 'running' or r.park_reason = 'children')
        and r.epoch = e.epoch limit 1) as l on true
    left join lateral (select c.seq, c.state, c.output_hash from engine_calls c
      where c.tenant_id = e.tenant_id and c.run_id = e.run_id and c.call_key = e.call_key
      order by c.seq desc limit 1) as c on true
    -- Computed once, whoever asks for it above.
    offset 0
  ) as a
$$;

-- Open means under way, unless the attempt that opened the call is known to be over.
create function is_under_way(claim hold_claim) returns boolean language sql stable as $$
  select exists (select from engine_calls c where c.tenant_id = claim.tenant_id
    and c.run_id = claim.run_id and c.call_key = claim.call_key and c.state = 'open'
    and c.epoch = claim.epoch and is_alive(c.worker_id) and c.opened_at > now() - attempt_patience()
    and not exists (select from stage_tries t where t.tenant_id = c.tenant_id and t.run_id = c.run_id
      and t.stage = c.stage and t.epoch = c.epoch and t.at > c.opened_at))
$$;

-- The answer to an equal request of another run of the tenant, if its document passed validation and was
-- not repaired afterwards.
create function reusable_call(claim hold_claim)
returns table (run_id type_id, output_hash text) language sql stable as $$
  select c.run_id, c.output_hash from engine_calls c
  where c.tenant_id || '' = claim.tenant_id and c.request_hash = claim.request_hash
    and c.run_id <> claim.run_id and c.state = 'settled' and c.output_hash is not null
    and exists (select from stage_outputs o where o.tenant_id = c.tenant_id
      and o.run_id = c.run_id and o.stage = 'validate')
    and not exists (select from engine_calls r where r.tenant_id = c.tenant_id
      and r.run_id = c.run_id and r.cause = 'repair' and r.opened_at > c.opened_at)
  order by c.opened_at desc limit 1
$$;

-- The claims again, with those decided that have an open send or an equal request to look at.
create function decide_claims(claims hold_claim[]) returns hold_claim[] language plpgsql as $$
declare
  claim hold_claim;
  decided hold_claim[] := '{}';
  -- Equal requests that this statement sends: of several, one; the others wait for its answer.
  sent text[] := '{}';
begin
  foreach claim in array claims loop
    if claim.outcome is null and claim.is_open and is_under_way(claim) then
      claim.outcome := 'busy';
    elsif claim.outcome is null and claim.has_peers then
      select r.run_id, r.output_hash into claim.from_run, claim.output_hash from reusable_call(claim) as r;
      if found then
        claim.outcome := 'reused';
      elsif claim.tenant_id || claim.request_hash = any (sent) or exists (select from engine_calls c
        where c.tenant_id || '' = claim.tenant_id and c.request_hash = claim.request_hash
          and c.run_id <> claim.run_id and c.state = 'open' and is_alive(c.worker_id))
      then
        claim.outcome := 'in_flight';
      else
        sent := sent || (claim.tenant_id || claim.request_hash);
      end if;
    end if;
    decided := decided || claim;
  end loop;
  return decided;
end $$;

create function charge_of(c hold_claim, today text) returns call_charge language sql immutable as $$
  select row(c.tenant_id, c.run_id, c.specification_id, c.provider, today, left(today, 7), c.limit_usd, c.limit_tok,
    c.usd, c.tok, 0, 0, 0, 0, c.finish_usd, c.finish_tok,
    case c.cause when 'repair' then c.usd else 0 end, case c.cause when 'repair' then c.tok else 0 end,
    -- What judges a finished document, or compares it, comes after the last repair there could be.
    c.cause not in ('draft', 'phase', 'repair') and c.stage not in ('evaluate', 'export'))::call_charge
$$;

-- Open calls of which nobody will bring the answer are lost: the hold stays. Answers how many were open.
create function lose_calls(lost call_claims[], because text) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  changed integer;
begin
  with unclaimed as (
    update engine_calls c set state = 'unknown', reason = because, closed_at = now(), unknown_at = now()
    from unnest(lost) as q
    where c.tenant_id = q.tenant_id and c.run_id = q.run_id and c.call_key = q.call_key
      and c.seq = q.seq and c.state = 'open'
    returning c.tenant_id, c.run_id, c.call_key, c.seq
  )
  delete from call_claims k using unclaimed u
  where k.tenant_id = u.tenant_id and k.run_id = u.run_id and k.call_key = u.call_key and k.seq = u.seq;
  get diagnostics changed = row_count;
  return changed;
end $$;

-- Enters claims as open calls; a unique violation when another process has just entered one of them.
create function open_calls(claims hold_claim[], today text) returns void language plpgsql as $$
declare
  before call_claims[];
begin
  select array_agg(row(q.tenant_id, q.run_id, q.call_key, q.seq - 1, null, null)::call_claims)
  into before from unnest(claims) as q where q.is_open;
  if before is not null then perform lose_calls(before, 'attempt ended'); end if;
  with opened as (
    insert into engine_calls (tenant_id, run_id, call_key, seq, specification_id, stage, cause, epoch,
      worker_id, state, provider, model, call, request_hash, package_hash, hold_micro_usd, hold_tokens,
      hold_day, hold_month)
    select q.tenant_id, q.run_id, q.call_key, q.seq, q.specification_id, q.stage, q.cause, q.epoch,
      q.worker_id, 'open', q.provider, q.model, q.call, q.request_hash, q.package_hash, q.usd, q.tok,
      today::date, date_trunc('month', today::date)::date
    from unnest(claims) as q
    returning tenant_id, run_id, call_key, seq, worker_id
  )
  insert into call_claims (tenant_id, run_id, call_key, seq, worker_id)
  select o.tenant_id, o.run_id, o.call_key, o.seq, o.worker_id from opened o;
end $$;

-- Enters one claim as an open call; false when another process has just entered it.
create function open_call(claim hold_claim, today text) returns boolean language plpgsql as $$
begin
  perform open_calls(array[claim], today);
  return true;
exception when unique_violation then
  return false;
end $$;

-- Claims calls and holds their money. Answers for each: granted, settled (was answered before; the
-- answer's hash), reused (an equal request of another run was; its run), busy (another attempt that is
-- still under way has it open, or the run is no longer the caller's), in_flight (another run asks the
-- same just now), stopped (spending is stopped: nothing new begins), refused (the level, the unit, what is
-- needed and left, and why). Where `mirrored`, a last row `budgets` holds the budget rows as they are
-- after this.
create function hold_calls(requests hold_request[], mirrored boolean default false)
returns table (n integer, outcome text, seq integer, output_hash text, from_run text, level text,
  subject text, period text, unit text, because text, needed bigint, left_over bigint, version bigint,
  budgets jsonb)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set datestyle = 'ISO' as $$
#variable_conflict use_column
declare
  today text := to_char(now() at time zone 'utc', 'YYYY-MM-DD');
  claims hold_claim[] := claims_of(requests);
  wanted hold_claim[];
  paid call_charge[];
  moves budget_move[];
  short budget_move[] := '{}';
  contested integer[] := '{}';
  rest hold_claim[];
  states jsonb := '[]';
  moved record;
  claim hold_claim;
  full_at bigint;
begin
  if exists (select from unnest(claims) as c where c.outcome is null and (c.is_open or c.has_peers)) then
    claims := decide_claims(claims);
  end if;
  if anything_stopped() then claims := stop_claims(claims); end if;
  select array_agg(c), array_agg(charge_of(c, today)) filter (where c.usd > 0 or c.tok > 0)
  into wanted, paid from unnest(claims) as c
  where c.outcome is null and not c.hopeless;

  if wanted is not null then
    begin
      perform open_calls(wanted, today);
      moves := moves_of(paid);
      if moves is not null then
        perform make_budgets(moves);
        select * into moved from move_budgets(moves, mirrored);
        if moved.is_short then raise exception using errcode = 'AM002'; end if;
        states := states || moved.states;
      end if;
    exception when sqlstate 'AM002' or unique_violation then
      -- Not all of them can be granted: each is looked at by itself, in their order. Those that
      -- touch no row that is short are granted together, as if they had come first.
      moves := moves_of(paid);
      if moves is not null then short := lock_budgets(moves); end if;
      select coalesce(array_agg(c.n), '{}') into contested from unnest(wanted) as c
      where short = '{}' or (c.usd > 0 or c.tok > 0) and exists (select from unnest(short) as s
        where case s.level when 'root' then s.subject = c.run_id
          when 'specification' then s.subject = c.specification_id
          when 'provider_day' then s.subject = c.provider else s.subject = c.tenant_id end);
      begin
        select array_agg(c), array_agg(charge_of(c, today)) filter (where c.usd > 0 or c.tok > 0)
        into rest, paid from unnest(wanted) as c where c.n <> all (contested);
        if rest is not null then perform open_calls(rest, today); end if;
        moves := moves_of(paid);
        if moves is not null then
          states := states || (move_budgets(moves, mirrored)).states;
        end if;
      exception when unique_violation then
        select array_agg(c.n) into contested from unnest(wanted) as c;
      end;
    end;
  end if;

  if contested = '{}' then
    return query select c.n, coalesce(c.outcome, case when c.hopeless then 'refused'
        else 'granted' end),
      case when c.outcome is null and c.hopeless then c.seq - 1 else c.seq end, c.output_hash, c.from_run,
      null::text, null::text, null::text, null::text, null::text, null::bigint, null::bigint,
      null::bigint, null::jsonb
    from unnest(claims) as c;
    claims := '{}';
  end if;

  foreach claim in array claims loop
    n := claim.n; outcome := claim.outcome; seq := claim.seq; output_hash := claim.output_hash;
    from_run := claim.from_run; level := null; subject := null; period := null; unit := null;
    because := null; needed := null; left_over := null; version := null;
    if claim.n = any (contested) then
      moves := moves_of(array[charge_of(claim, today)]);
      select s.level, s.subject, s.period, s.unit, s.because, s.needed, s.left_over, s.version,
        s.limit_amount
      into level, subject, period, unit, because, needed, left_over, version, full_at
      from first_shortage(moves) as s;
      if found then
        outcome := 'refused'; seq := seq - 1;
        if because = 'limit' then
          perform note_exhausted(claim.tenant_id, claim.run_id, level, subject, period, unit, full_at);
        end if;
      elsif not open_call(claim, today) then
        outcome := 'busy';
      else
        outcome := 'granted';
        if moves is not null and (claim.usd > 0 or claim.tok > 0) then
          states := states || (move_budgets(moves, mirrored)).states;
        end if;
      end if;
    elsif outcome is null and claim.hopeless then
      outcome := 'refused'; seq := seq - 1;
    elsif outcome is null then
      outcome := 'granted';
    end if;
    return next;
  end loop;
  if mirrored and states <> '[]' then
    n := cardinality(requests) + 1; outcome := 'budgets'; budgets := states;
    return next;
  end if;
end $$;

-- A refusal is the clearest sign that a limit is used up.
create function note_exhausted(tenant text, run text, level text, subject text, period text, unit text, full_at bigint)
returns void language plpgsql as $$
begin
  if level = 'provider_day' then
    insert into provider_alerts (provider, day, percent, limit_amount, run_id)
    values (subject, period::date, 100, full_at, run) on conflict do nothing;
  else
    insert into budget_alerts (tenant_id, level, subject, period, unit, percent, limit_amount, run_id)
    values (tenant, level, subject, period, unit, 100, full_at, run) on conflict do nothing;
  end if;
end $$;

-- How a call ended.
create type call_closing as (
  tenant_id type_id, run_id type_id, call_key text, seq integer, closes text, outcome text, reason text,
  served_model text, tier text, input_tokens bigint, cached_input_tokens bigint, output_tokens bigint,
  estimated boolean, cost_micro_usd bigint, request_id text, output_hash text,
  -- Who releases an unknown call by hand; only those are released so.
  actor text, audit_id text, audit_detail text
);

-- Which ends a call in a state may still have.
create function may_end(e call_closing, state text) returns boolean language sql immutable as $$
  select case when e.closes = 'unknown' then state = 'open'
    when e.closes = 'charged' or e.actor is not null then state = 'unknown'
    when e.closes = 'released' then state in ('booked', 'open', 'unknown')
    else state in ('open', 'unknown') end
$$;

-- What the end of a call moves. One expression, so that the planner takes it in.
create function charge_of_end(e call_closing, c engine_calls) returns call_charge language sql stable as $$
  select row(c.tenant_id, c.run_id, c.specification_id, c.provider, c.hold_day::text,
    left(c.hold_day::text, 7), null, null, -c.hold_micro_usd, -c.hold_tokens,
    case e.closes when 'charged' then c.hold_micro_usd else coalesce(e.cost_micro_usd, 0) end,
    case e.closes when 'charged' then c.hold_tokens
      else coalesce(e.input_tokens + e.output_tokens, 0) end,
    case e.closes when 'settled' then greatest(0, coalesce(e.cost_micro_usd, 0) - c.hold_micro_usd)
      else 0 end,
    case e.closes when 'settled'
      then greatest(0, coalesce(e.input_tokens + e.output_tokens, 0) - c.hold_tokens) else 0 end,
    0, 0, case when c.cause = 'repair' and e.closes = 'released' then -c.hold_micro_usd else 0 end,
    case when c.cause = 'repair' and e.closes = 'released' then -c.hold_tokens else 0 end,
    false)::call_charge
$$;

-- Ends calls: settled, released, unknown (the hold stays), charged (an unknown one, in full). Each only
-- once, of several ends in one statement any; a settlement that comes late still settles an unknown call.
-- Answers how many changed and, where
-- `mirrored`, the budget rows as they are after this. `blobs` and `bytes` are the answers that calls are
-- settled with, as `put_blobs` takes them.
create function close_calls(closings call_closing[], mirrored boolean default false, blobs jsonb default '[]',
  bytes bytea default '')
returns table (closed integer, budgets jsonb)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set datestyle = 'ISO' as $$
declare
  -- In key order, as everybody locks.
  ends call_closing[] := array(select k from unnest(closings) as k
    order by k.run_id, k.call_key collate "C", k.seq);
  moves budget_move[];
  over jsonb;
  changed integer;
  states jsonb;
begin
  if blobs <> '[]' then perform put_blobs(blobs, bytes); end if;
  with ended as (
    update engine_calls c set state = e.closes, closed_at = now(),
      unknown_at = case e.closes when 'unknown' then now() end,
      outcome = coalesce(e.outcome, c.outcome), reason = coalesce(e.reason, c.reason),
      served_model = coalesce(e.served_model, c.served_model), tier = coalesce(e.tier, c.tier),
      input_tokens = e.input_tokens, cached_input_tokens = e.cached_input_tokens,
      output_tokens = e.output_tokens, estimated = e.estimated,
      cost_micro_usd = case e.closes when 'charged' then c.hold_micro_usd else e.cost_micro_usd end,
      engine_ms = date_part('epoch', clock_timestamp() - c.opened_at) * 1000,
      provider_request_id = e.request_id, output_hash = e.output_hash
    from unnest(ends) as e
    where c.tenant_id = e.tenant_id and c.run_id = e.run_id and c.call_key = e.call_key
      and c.seq = e.seq and may_end(e, c.state)
    returning e.actor, e.audit_id, e.audit_detail, c.tenant_id, c.run_id, c.call_key, c.seq,
      c.specification_id, c.provider, c.hold_day, c.state, c.cost_micro_usd, c.hold_micro_usd,
      case when e.closes <> 'unknown' and (c.hold_micro_usd > 0 or c.hold_tokens > 0
        or e.cost_micro_usd > 0 or e.input_tokens + e.output_tokens > 0)
      then charge_of_end(e, c) end as charge
  ), unclaimed as (
    delete from call_claims k using ended e where k.tenant_id = e.tenant_id and k.run_id = e.run_id
      and k.call_key = e.call_key and k.seq = e.seq
  ), audited as (
    insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
    select e.tenant_id, e.audit_id, date_trunc('milliseconds', now()), coalesce(e.actor, 'system'),
      'hold.' || e.state, e.run_id, e.audit_detail
    from ended e where e.audit_id is not null
  )
  select count(*), moves_of(array_agg(e.charge) filter (where not e.charge is null)),
    jsonb_agg(jsonb_build_object('tenant_id', e.tenant_id, 'run_id', e.run_id, 'call_key', e.call_key,
      'seq', e.seq, 'specification_id', e.specification_id, 'provider', e.provider,
      'hold_day', e.hold_day, 'micro_usd', e.cost_micro_usd - e.hold_micro_usd, 'at', now()))
      filter (where e.state = 'settled' and e.cost_micro_usd > e.hold_micro_usd)
  into changed, moves, over from ended e;

  states := '[]';
  if over is not null then
    -- Their runs are told of overruns, and a run is locked before any budget.
    perform 1 from jsonb_to_recordset(over) as o (tenant_id text, run_id text)
      join runs r on r.tenant_id = o.tenant_id and r.id = o.run_id order by r.id for no key update of r;
  end if;
  if moves is not null then
    perform make_budgets(moves);
    states := states || (move_budgets(moves, mirrored)).states;
  end if;
  if over is not null then perform note_overruns(over); end if;
  return query select changed, states;
end $$;

-- Records overruns, blocks the levels that they broke, and tells their runs; the rows of both are locked.
create function note_overruns(overruns jsonb) returns void language plpgsql as $$
declare
  o budget_overruns;
  keys budget_move[];
begin
  for o in select * from jsonb_populate_recordset(null::budget_overruns, overruns) loop
    keys := overrun_keys(o);
    with broken as (
      update budgets b set blocked = b.blocked + 1, version = b.version + 1
      from unnest(keys) as k
      where b.tenant_id = k.tenant_id and b.level = k.level and b.subject = k.subject
        and b.period = k.period
        and (b.level = 'root' or b.spent_micro_usd + b.held_micro_usd > b.limit_micro_usd)
      returning b.level
    ), broken_providers as (
      update provider_budgets b set blocked = b.blocked + 1, version = b.version + 1
      from unnest(keys) as k
      where k.level = 'provider_day' and b.provider = k.subject and b.day = k.period::date
        and b.spent_micro_usd + b.held_micro_usd > b.limit_micro_usd
      returning k.level
    )
    select array_agg(x.level) into o.blocks
    from (select level from broken union all select level from broken_providers) as x;
    insert into budget_overruns select o.*;
    perform add_run_event(o.tenant_id, o.run_id, 'budget.overrun', jsonb_build_object(
      'level', replace(broke.level, '_', '/'), 'microUsd', o.micro_usd, 'callKey', o.call_key))
    from unnest(o.blocks) with ordinality as broke (level, n) order by broke.n;
  end loop;
end $$;

create function overrun_keys(o budget_overruns) returns budget_move[] language sql stable as $$
  select moves_of(array[row(o.tenant_id, o.run_id, o.specification_id, o.provider, o.hold_day::text, left(o.hold_day::text, 7),
    null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false)::call_charge])
$$;

do $$
declare name text;
begin
  foreach name in array array['attempt_patience', 'is_alive', 'moves_of', 'make_budgets', 'lock_budgets',
    'move_budgets', 'first_shortage', 'refusal_stands', 'is_under_way', 'reusable_call', 'decide_claims', 'claims_of', 'charge_of', 'lose_calls', 'open_calls', 'open_call',
    'hold_calls', 'note_exhausted', 'may_end', 'charge_of_end', 'close_calls', 'note_overruns', 'overrun_keys'] loop
    execute format('revoke all on function %I from public', name);
    execute format('grant execute on function %I to almanac_system', name);
  end loop;
end $$;
