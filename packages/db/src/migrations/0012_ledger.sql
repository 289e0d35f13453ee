-- The ledger of paid calls. A call's row is its claim and its hold; budgets count what is held and spent
-- at each level. Both functions take the requests of concurrent jobs as a JSON array, lock the budget
-- rows of all of them first, in key order, and then the calls: so checking and charging are one step.
-- A call that holds nothing and costs nothing touches no budget row: it would change none.

-- After this long an attempt of a stage is over, whether or not anybody recorded its end: it is more
-- than the longest time-out of a stage.
create function attempt_patience() returns interval language sql immutable parallel safe
  as $$ select interval '330 seconds' $$;

create function is_alive(worker text) returns boolean language sql stable
  as $$ select exists (select from workers w where w.id = worker and w.alive_until > now()) $$;

-- The budget rows that a call counts in, with what a row that does not exist yet is limited to.
create function budget_keys(tenant text, run text, specification text, day date, root_limit bigint,
  root_tokens bigint)
returns table (level text, subject text, period text, limit_micro_usd bigint, limit_tokens bigint)
language sql immutable as $$
  values ('root', run, '', root_limit, root_tokens),
    ('specification', specification, '', null, null),
    ('tenant_day', tenant, to_char(day, 'YYYY-MM-DD'), null, null),
    ('tenant_month', tenant, to_char(day, 'YYYY-MM'), null, null)
$$;

-- Makes and locks the budget rows of calls, in key order, those of providers last.
-- `calls` is [{ tenantId, runId, specificationId, provider, day, runLimit?: { microUsd, tokens } }].
create function lock_budgets(calls jsonb) returns void language plpgsql as $$
begin
  insert into budgets as b (tenant_id, level, subject, period, limit_micro_usd, limit_tokens)
  select distinct on (c ->> 'tenantId' collate "C", k.level collate "C", k.subject collate "C", k.period collate "C")
    c ->> 'tenantId', k.level, k.subject, k.period, k.limit_micro_usd, k.limit_tokens
  from jsonb_array_elements(calls) as c,
    budget_keys(c ->> 'tenantId', c ->> 'runId', c ->> 'specificationId', (c ->> 'day')::date,
      (c -> 'runLimit' ->> 'microUsd')::bigint, (c -> 'runLimit' ->> 'tokens')::bigint) as k
  order by c ->> 'tenantId' collate "C", k.level collate "C", k.subject collate "C", k.period collate "C"
  on conflict (tenant_id, level, subject, period) do update set
    limit_micro_usd = excluded.limit_micro_usd, limit_tokens = excluded.limit_tokens
  where b.level = 'root' and b.limit_micro_usd is null and b.limit_tokens is null;

  insert into provider_budgets as b (provider, day)
  select distinct c ->> 'provider', (c ->> 'day')::date from jsonb_array_elements(calls) as c
  order by 1, 2
  on conflict (provider, day) do update set version = b.version where false;
end $$;

-- Moves what a call holds and what it spent, at every level. The caller has locked the rows.
create function charge_budgets(call engine_calls, held_usd bigint, held_tok bigint, spent_usd bigint,
  spent_tok bigint, overrun bigint)
returns void language plpgsql as $$
begin
  update budgets b set held_micro_usd = b.held_micro_usd + held_usd, held_tokens = b.held_tokens + held_tok,
    spent_micro_usd = b.spent_micro_usd + spent_usd, spent_tokens = b.spent_tokens + spent_tok,
    overrun_micro_usd = b.overrun_micro_usd + overrun, version = b.version + 1
  from budget_keys(call.tenant_id, call.run_id, call.specification_id, call.hold_day, null, null) as k
  where b.tenant_id = call.tenant_id and b.level = k.level and b.subject = k.subject
    and b.period = k.period;
  update provider_budgets b set held_micro_usd = b.held_micro_usd + held_usd,
    spent_micro_usd = b.spent_micro_usd + spent_usd, overrun_micro_usd = b.overrun_micro_usd + overrun,
    version = b.version + 1
  where b.provider = call.provider and b.day = call.hold_day;
end $$;

-- The first level at which an amount does not fit, if there is one.
create function exhausted_level(tenant text, run text, specification text, provider_key text, day date,
  need_usd bigint, need_tok bigint)
returns table (level text, unit text, needed bigint, left_over bigint) language plpgsql stable as $$
#variable_conflict use_column
begin
  return query select e.level, e.unit, e.needed, e.left_over from (
    select case b.level when 'root' then 1 when 'specification' then 2 when 'tenant_day' then 3 else 4 end,
      b.level, u.*
    from budget_keys(tenant, run, specification, day, null, null) as k
    join budgets b on b.tenant_id = tenant and b.level = k.level and b.subject = k.subject
      and b.period = k.period,
    lateral (values
      ('micro_usd', need_usd, b.limit_micro_usd - b.spent_micro_usd - b.held_micro_usd),
      ('tokens', need_tok, b.limit_tokens - b.spent_tokens - b.held_tokens)) as u
    union all
    select 5, 'provider_day', 'micro_usd', need_usd, p.limit_micro_usd - p.spent_micro_usd - p.held_micro_usd
    from provider_budgets p where p.provider = provider_key and p.day = exhausted_level.day
  ) as e (rank, level, unit, needed, left_over)
  where e.needed > 0 and e.needed > e.left_over
  order by e.rank, e.unit limit 1;
end $$;

-- The answer to an equal request of another run of the tenant, if its document passed validation and
-- was not repaired afterwards.
create function reusable_call(tenant text, run text, hash text)
returns table (run_id type_id, output_hash text) language sql stable as $$
  select c.run_id, c.output_hash from engine_calls c
  where c.tenant_id = tenant and c.request_hash = hash and c.run_id <> run
    and c.state = 'settled' and c.output_hash is not null
    and exists (select from stage_outputs o where o.tenant_id = c.tenant_id
      and o.run_id = c.run_id and o.stage = 'validate')
    and not exists (select from engine_calls r where r.tenant_id = c.tenant_id
      and r.run_id = c.run_id and r.cause = 'repair' and r.opened_at > c.opened_at)
  order by c.opened_at desc limit 1;
$$;

-- Claims calls and holds their money. Answers for each: granted, settled (was answered before; the
-- answer's hash), reused (an equal request of another run was; its run), busy (another attempt that is
-- still under way has it open, or the run is no longer the caller's), in_flight (another run asks the
-- same just now), refused (the level).
create function hold_calls(requests jsonb)
returns table (n integer, outcome text, seq integer, output_hash text, from_run text, level text,
  unit text, needed bigint, left_over bigint)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  today date := (now() at time zone 'utc')::date;
  q jsonb;
  latest engine_calls;
  opened engine_calls;
  short record;
begin
  if exists (select from jsonb_array_elements(requests) as r
    where (r ->> 'microUsd')::bigint > 0 or (r ->> 'tokens')::bigint > 0)
  then
    perform lock_budgets((select jsonb_agg(r || jsonb_build_object('day', today))
      from jsonb_array_elements(requests) as r
      where (r ->> 'microUsd')::bigint > 0 or (r ->> 'tokens')::bigint > 0));
  end if;

  for n, q in select r.ordinality::integer, r.value from jsonb_array_elements(requests) with ordinality as r
    order by r.value ->> 'runId' collate "C", r.value ->> 'callKey' collate "C"
  loop
    output_hash := null; from_run := null; level := null; unit := null; needed := null; left_over := null;
    -- Fenced like a commit: a worker that has lost the run pays for nothing more.
    if not exists (select from runs r where r.tenant_id = q ->> 'tenantId' and r.id = q ->> 'runId'
      and r.state = 'running' and r.epoch = (q ->> 'epoch')::integer)
    then
      outcome := 'busy'; seq := 0;
      return next; continue;
    end if;
    select * into latest from engine_calls c where c.tenant_id = q ->> 'tenantId'
      and c.run_id = q ->> 'runId' and c.call_key = q ->> 'callKey'
    order by c.seq desc limit 1 for no key update;
    seq := coalesce(latest.seq, 0);

    if latest.state = 'settled' and latest.output_hash is not null then
      outcome := 'settled'; output_hash := latest.output_hash;
      return next; continue;
    end if;
    if latest.state = 'open' then
      -- Open means under way, unless the attempt that opened it is known to be over.
      if is_alive(latest.worker_id) and latest.epoch = (q ->> 'epoch')::integer
        and latest.opened_at > now() - attempt_patience()
        and not exists (select from stage_tries t where t.tenant_id = latest.tenant_id
          and t.run_id = latest.run_id and t.stage = latest.stage and t.epoch = latest.epoch
          and t.at > latest.opened_at)
      then
        outcome := 'busy';
        return next; continue;
      end if;
      update engine_calls c set state = 'unknown', reason = 'attempt ended', closed_at = now()
      where c.tenant_id = latest.tenant_id and c.run_id = latest.run_id
        and c.call_key = latest.call_key and c.seq = latest.seq;
    end if;

    if (q ->> 'reuse')::boolean then
      select r.run_id, r.output_hash into from_run, output_hash
      from reusable_call(q ->> 'tenantId', q ->> 'runId', q ->> 'requestHash') as r;
      if output_hash is not null then
        outcome := 'reused';
        return next; continue;
      end if;
      if exists (select from engine_calls c where c.tenant_id = q ->> 'tenantId'
        and c.request_hash = q ->> 'requestHash' and c.run_id <> q ->> 'runId' and c.state = 'open'
        and is_alive(c.worker_id))
      then
        outcome := 'in_flight';
        return next; continue;
      end if;
    end if;

    select * into short from exhausted_level(q ->> 'tenantId', q ->> 'runId', q ->> 'specificationId',
      q ->> 'provider', today, (q ->> 'microUsd')::bigint, (q ->> 'tokens')::bigint)
      where (q ->> 'microUsd')::bigint > 0 or (q ->> 'tokens')::bigint > 0;
    if found then
      outcome := 'refused'; level := short.level; unit := short.unit;
      needed := short.needed; left_over := short.left_over;
      return next; continue;
    end if;

    insert into engine_calls (tenant_id, run_id, call_key, seq, specification_id, stage, cause, epoch,
      worker_id, state, provider, model, call, request_hash, package_hash, hold_micro_usd, hold_tokens,
      hold_day, hold_month)
    values (q ->> 'tenantId', q ->> 'runId', q ->> 'callKey', seq + 1, q ->> 'specificationId',
      q ->> 'stage', q ->> 'cause', (q ->> 'epoch')::integer, q ->> 'workerId', 'open',
      q ->> 'provider', q ->> 'model', q ->> 'call', q ->> 'requestHash', q ->> 'packageHash',
      (q ->> 'microUsd')::bigint, (q ->> 'tokens')::bigint, today, date_trunc('month', today)::date)
    on conflict do nothing returning * into opened;
    if not found then
      outcome := 'busy';
      return next; continue;
    end if;
    if opened.hold_micro_usd > 0 or opened.hold_tokens > 0 then
      perform charge_budgets(opened, opened.hold_micro_usd, opened.hold_tokens, 0, 0, 0);
    end if;
    outcome := 'granted'; seq := opened.seq;
    return next;
  end loop;
end $$;

-- Ends calls: settled, released, unknown (the hold stays), charged (an unknown one, in full). Each only
-- once; a settlement that comes late still settles an unknown call. Answers how many changed.
create function close_calls(closings jsonb) returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  q jsonb;
  call engine_calls;
  counted jsonb;
  cost bigint;
  tokens bigint;
  closed integer := 0;
begin
  select jsonb_agg(jsonb_build_object('tenantId', c.tenant_id, 'runId', c.run_id,
    'specificationId', c.specification_id, 'provider', c.provider, 'day', c.hold_day))
  into counted
  from jsonb_array_elements(closings) as e
  join engine_calls c on c.tenant_id = e ->> 'tenantId' and c.run_id = e ->> 'runId'
    and c.call_key = e ->> 'callKey' and c.seq = (e ->> 'seq')::integer
  where e ->> 'to' <> 'unknown' and (c.hold_micro_usd > 0 or c.hold_tokens > 0
    or (e ->> 'costMicroUsd')::bigint > 0
    or (e ->> 'inputTokens')::bigint + (e ->> 'outputTokens')::bigint > 0);
  if counted is not null then perform lock_budgets(counted); end if;

  for q in select value from jsonb_array_elements(closings)
    order by value ->> 'runId' collate "C", value ->> 'callKey' collate "C", value ->> 'seq'
  loop
    update engine_calls c set state = q ->> 'to', closed_at = now(),
      outcome = coalesce(q ->> 'outcome', c.outcome), reason = coalesce(q ->> 'reason', c.reason),
      served_model = coalesce(q ->> 'servedModel', c.served_model), tier = coalesce(q ->> 'tier', c.tier),
      input_tokens = (q ->> 'inputTokens')::bigint,
      cached_input_tokens = (q ->> 'cachedInputTokens')::bigint,
      output_tokens = (q ->> 'outputTokens')::bigint, estimated = (q ->> 'estimated')::boolean,
      cost_micro_usd = case q ->> 'to' when 'charged' then c.hold_micro_usd
        else (q ->> 'costMicroUsd')::bigint end,
      engine_ms = extract(epoch from clock_timestamp() - c.opened_at) * 1000,
      provider_request_id = q ->> 'requestId', output_hash = q ->> 'outputHash'
    where c.tenant_id = q ->> 'tenantId' and c.run_id = q ->> 'runId' and c.call_key = q ->> 'callKey'
      and c.seq = (q ->> 'seq')::integer
      and case q ->> 'to' when 'unknown' then c.state = 'open' when 'charged' then c.state = 'unknown'
        else c.state in ('open', 'unknown') end
    returning * into call;
    if not found then continue; end if;
    closed := closed + 1;
    if call.state = 'unknown' then continue; end if;

    cost := coalesce(call.cost_micro_usd, 0);
    tokens := case call.state when 'charged' then call.hold_tokens
      else coalesce(call.input_tokens + call.output_tokens, 0) end;
    if call.hold_micro_usd > 0 or call.hold_tokens > 0 or cost > 0 or tokens > 0 then
      perform charge_budgets(call, -call.hold_micro_usd, -call.hold_tokens, cost, tokens,
        greatest(0, cost - call.hold_micro_usd));
    end if;
    if q ->> 'auditId' is not null then
      insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
      values (call.tenant_id, q ->> 'auditId', date_trunc('milliseconds', now()), 'system',
        'hold.charged', call.run_id, q ->> 'auditDetail');
    end if;
  end loop;
  return closed;
end $$;

revoke all on function attempt_patience, is_alive, budget_keys, lock_budgets, charge_budgets,
  exhausted_level, reusable_call, hold_calls, close_calls from public;
grant execute on function attempt_patience, is_alive, budget_keys, lock_budgets, charge_budgets,
  exhausted_level, reusable_call, hold_calls, close_calls to almanac_system;
