-- Setting limits, and acknowledging overruns: what people do to budgets.

-- Sets the limit of a specification or of a tenant's days or months; null is no limit. In force for every
-- hold that begins after the commit. The rows of the next period are made now, so that a hold that makes
-- one at midnight cannot do so with an older limit. Answers what the present period holds and has spent.
create function set_budget_limit(tenant text, for_level text, for_subject text, micro_usd bigint,
  tokens bigint, actor text)
returns table (period text, used_micro_usd bigint, used_tokens bigint) language plpgsql as $$
#variable_conflict use_column
declare
  today date := (now() at time zone 'utc')::date;
  periods text[] := case for_level
    when 'tenant_day' then array[to_char(today, 'YYYY-MM-DD'), to_char(today + 1, 'YYYY-MM-DD')]
    when 'tenant_month' then array[to_char(today, 'YYYY-MM'), to_char(today + interval '1 month', 'YYYY-MM')]
    else array[''] end;
begin
  insert into budget_limits (tenant_id, level, subject, limit_micro_usd, limit_tokens, set_by)
  values (tenant, for_level, for_subject, micro_usd, tokens, actor)
  on conflict (tenant_id, level, subject) do update set limit_micro_usd = excluded.limit_micro_usd,
    limit_tokens = excluded.limit_tokens, set_by = excluded.set_by, set_at = now();
  insert into budgets as b (tenant_id, level, subject, period, limit_micro_usd, limit_tokens)
  select tenant, for_level, for_subject, p, micro_usd, tokens from unnest(periods) as p order by p
  on conflict (tenant_id, level, subject, period) do update set
    limit_micro_usd = excluded.limit_micro_usd, limit_tokens = excluded.limit_tokens,
    version = b.version + 1;
  insert into budget_alerts (tenant_id, level, subject, period, unit, percent, limit_amount)
  select b.tenant_id, b.level, b.subject, b.period, u.unit, t.percent, u.most
  from budgets b cross join lateral (values
    ('micro_usd', b.limit_micro_usd, b.held_micro_usd + b.spent_micro_usd),
    ('tokens', b.limit_tokens, b.held_tokens + b.spent_tokens)) as u (unit, most, used)
  cross join (values (50), (80), (100)) as t (percent)
  where b.tenant_id = tenant and b.level = for_level and b.subject = for_subject
    and b.period = periods[1] and u.used > 0 and u.used * 100 >= t.percent * u.most
  on conflict do nothing;
  return query select b.period, b.held_micro_usd + b.spent_micro_usd, b.held_tokens + b.spent_tokens
  from budgets b where b.tenant_id = tenant and b.level = for_level and b.subject = for_subject
    and b.period = periods[1];
end $$;

-- The same for a provider's days.
create function set_provider_limit(for_provider text, micro_usd bigint, actor text)
returns table (period text, used_micro_usd bigint) language plpgsql as $$
#variable_conflict use_column
declare
  today date := (now() at time zone 'utc')::date;
begin
  insert into provider_limits (provider, limit_micro_usd, set_by) values (for_provider, micro_usd, actor)
  on conflict (provider) do update set limit_micro_usd = excluded.limit_micro_usd,
    set_by = excluded.set_by, set_at = now();
  insert into provider_budgets as b (provider, day, limit_micro_usd)
  values (for_provider, today, micro_usd), (for_provider, today + 1, micro_usd)
  on conflict (provider, day) do update set limit_micro_usd = excluded.limit_micro_usd,
    version = b.version + 1;
  insert into provider_alerts (provider, day, percent, limit_amount)
  select b.provider, b.day, t.percent, b.limit_micro_usd
  from provider_budgets b cross join (values (50), (80), (100)) as t (percent)
  where b.provider = for_provider and b.day = today and b.held_micro_usd + b.spent_micro_usd > 0
    and (b.held_micro_usd + b.spent_micro_usd) * 100 >= t.percent * b.limit_micro_usd
  on conflict do nothing;
  return query select to_char(today, 'YYYY-MM-DD'), b.held_micro_usd + b.spent_micro_usd
  from provider_budgets b where b.provider = for_provider and b.day = today;
end $$;

-- Acknowledges an overrun: the levels that it blocked take holds again. Answers false when there is no
-- such overrun that is still open.
create function acknowledge_overrun(tenant text, run text, key text, nth integer, actor text, why text)
returns boolean language plpgsql as $$
declare
  o budget_overruns;
  keys budget_move[];
begin
  update budget_overruns b set acknowledged_at = now(), acknowledged_by = actor, reason = why
  where b.tenant_id = tenant and b.run_id = run and b.call_key = key and b.seq = nth
    and b.acknowledged_at is null
  returning * into o;
  if not found then return false; end if;
  keys := overrun_keys(o);
  perform lock_budgets(keys);
  update budgets b set blocked = b.blocked - 1, version = b.version + 1
  from unnest(keys) as k
  where k.level = any (o.blocks) and b.tenant_id = k.tenant_id and b.level = k.level
    and b.subject = k.subject and b.period = k.period;
  update provider_budgets b set blocked = b.blocked - 1, version = b.version + 1
  from unnest(keys) as k
  where k.level = 'provider_day' and k.level = any (o.blocks) and b.provider = k.subject
    and b.day = k.period::date;
  return true;
end $$;

-- Tells runs that are not over yet of the shares of limits that their calls have reached: once for each
-- limit, and in the order of runs, as whoever locks several. Answers how many were told.
create function tell_budget_events(most integer) returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  alert record;
  run runs;
  told_of integer := 0;
begin
  for alert in
    select a.run_id, a.tenant_id, a.level, a.subject, a.period, a.unit, a.percent, a.limit_amount
    from budget_alerts a where not a.told and a.run_id is not null
    union all
    select p.run_id, null, 'provider_day', p.provider, p.day::text, 'micro_usd', p.percent, p.limit_amount
    from provider_alerts p where not p.told and p.run_id is not null
    order by 1, 7, 3, 6 limit most
  loop
    select * into run from runs r
    where r.id = alert.run_id and (alert.tenant_id is null or r.tenant_id = alert.tenant_id)
    for no key update;
    if found and run.state not in ('succeeded', 'failed', 'blocked', 'cancelled') then
      perform add_run_event(run.tenant_id, run.id,
        case alert.percent when 100 then 'budget.exhausted' else 'budget.nearing' end,
        jsonb_strip_nulls(jsonb_build_object('level', replace(alert.level, '_', '/'),
          'unit', case alert.unit when 'tokens' then 'tokens' else 'micro-USD' end,
          'percent', nullif(alert.percent, 100))));
      told_of := told_of + 1;
    end if;
    if alert.level = 'provider_day' then
      update provider_alerts p set told = true where p.provider = alert.subject
        and p.day = alert.period::date and p.percent = alert.percent and p.limit_amount = alert.limit_amount;
    else
      update budget_alerts a set told = true where a.tenant_id = alert.tenant_id and a.level = alert.level
        and a.subject = alert.subject and a.period = alert.period and a.unit = alert.unit
        and a.percent = alert.percent and a.limit_amount = alert.limit_amount;
    end if;
  end loop;
  return told_of;
end $$;

revoke all on function set_budget_limit, set_provider_limit, acknowledge_overrun, tell_budget_events from public;
grant execute on function set_budget_limit, set_provider_limit, acknowledge_overrun, tell_budget_events to almanac_system;
