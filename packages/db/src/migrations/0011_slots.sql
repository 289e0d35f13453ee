-- Reserves a period for a run: claimed; taken (a success holds it), in_progress (a run does), each with
-- that run; covered (a success under another cadence or zone overlaps the window), with its period and
-- end; no_grant (nobody granted this ordinal); not_running, with the run's state. A run that answers
-- in_progress and waits is noted as waiting for the period.
create function claim_slot(tenant text, run text, specification text, wanted_key text, wanted integer,
  kind text, zone text, starts timestamptz, ends timestamptz)
returns table (outcome text, claimant text, until timestamptz) language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  claiming runs;
  slot slots;
  cover slots;
begin
  perform set_config('app.tenant', tenant, true);
  -- Runs before slots, as commits lock them; and an ended run must not take a slot that nobody frees.
  select * into claiming from runs where tenant_id = tenant and id = run for no key update;
  if claiming.state is distinct from 'running' then
    return query select 'not_running', claiming.state, null::timestamptz;
    return;
  end if;

  loop
    select * into slot from slots where tenant_id = tenant and specification_id = specification
      and period_key = wanted_key and ordinal = wanted for no key update;
    if not found and wanted > 0 then
      return query select 'no_grant', null, null::timestamptz;
      return;
    end if;
    if slot.run_id = run then
      return query select 'claimed', run, null::timestamptz;
      return;
    end if;
    if slot.state in ('consumed', 'reserved') then
      if slot.state = 'reserved' and claiming.on_conflict = 'wait' then
        update runs set period_key = wanted_key where tenant_id = tenant and id = run;
      end if;
      return query select case slot.state when 'consumed' then 'taken' else 'in_progress' end,
        slot.run_id::text, null::timestamptz;
      return;
    end if;

    select * into cover from slots c where c.tenant_id = tenant and c.specification_id = specification
      and c.state = 'consumed' and (c.cadence, c.time_zone) is distinct from (kind, zone)
      and c.window_from < ends and c.window_to > starts
    order by c.window_to desc limit 1;
    if found then
      return query select 'covered', cover.period_key::text, cover.window_to;
      return;
    end if;

    if slot.state is not null then
      update slots set state = 'reserved', run_id = run, window_from = starts, window_to = ends,
        cadence = kind, time_zone = zone, retry_at = null, reason = null, updated_at = now()
      where tenant_id = tenant and specification_id = specification
        and period_key = wanted_key and ordinal = wanted;
    else
      insert into slots (tenant_id, specification_id, period_key, ordinal, state, run_id,
        window_from, window_to, cadence, time_zone)
      values (tenant, specification, wanted_key, wanted, 'reserved', run, starts, ends, kind, zone)
      on conflict do nothing;
      -- Another run has just made the row: look at it.
      if not found then continue; end if;
    end if;
    return query select 'claimed', run, null::timestamptz;
    return;
  end loop;
end $$;
revoke all on function claim_slot from public;
grant execute on function claim_slot to almanac_app;

-- Enters periods of schedules in the ledger: `runId` null enters a skipped one with its reason; else the
-- slot is reserved and a run queued for it, unless the period is taken, in work, missed or skipped.
-- Answers how many runs were queued.
create function enter_periods(periods jsonb) returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  p jsonb;
  queued integer := 0;
begin
  for p in select value from jsonb_array_elements(periods) loop
    insert into slots as s (tenant_id, specification_id, period_key, state, run_id, window_from, window_to,
      cadence, time_zone, due_at, deadline_at, reason)
    values (p ->> 'tenantId', p ->> 'specificationId', p ->> 'periodKey',
      case when p ->> 'runId' is null then 'skipped' else 'reserved' end, p ->> 'runId',
      (p ->> 'from')::timestamptz, (p ->> 'to')::timestamptz, p ->> 'cadence', p ->> 'timeZone',
      (p ->> 'dueAt')::timestamptz, (p ->> 'deadlineAt')::timestamptz, p ->> 'reason')
    on conflict (tenant_id, specification_id, period_key, ordinal) do update set
      state = 'reserved', run_id = excluded.run_id, window_from = excluded.window_from,
      window_to = excluded.window_to, cadence = excluded.cadence, time_zone = excluded.time_zone,
      due_at = coalesce(s.due_at, excluded.due_at),
      deadline_at = coalesce(s.deadline_at, excluded.deadline_at),
      retry_at = null, reason = null, updated_at = now()
    where s.state = 'free' and excluded.run_id is not null;
    if not found or p ->> 'runId' is null then continue; end if;

    insert into runs (tenant_id, id, specification_id, revision, state, trigger, lane, period, period_key,
      deadline_at, requested_by, event_seq)
    values (p ->> 'tenantId', p ->> 'runId', p ->> 'specificationId', (p ->> 'revision')::integer,
      'queued', 'schedule', p ->> 'lane', p ->> 'periodKey', p ->> 'periodKey',
      (p ->> 'deadlineAt')::timestamptz, p ->> 'requestedBy', 1);
    perform add_run_events(p ->> 'tenantId', p ->> 'runId', 0,
      '[{"type": "run.queued", "data": {"stage": "retrieve", "because": "schedule"}}]');
    queued := queued + 1;
  end loop;
  return queued;
end $$;
revoke all on function enter_periods from public;
grant execute on function enter_periods to almanac_system;
