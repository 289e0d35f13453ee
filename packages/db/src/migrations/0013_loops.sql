-- What the leader loops do to runs. All skip rows that somebody else has locked: those are making
-- progress, and the next pass sees them.

-- Every tenant with queued runs: how many it has queued and in flight, and its cap; in each row, how many
-- runs are in flight in all. One row without tenant when nothing is queued.
create function admission_backlog()
returns table (tenant_id text, queued integer, in_flight integer, cap integer, in_flight_in_all integer)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_bitmapscan = off as $$
#variable_conflict use_column
begin
  return query with waiting as (
    select q.tenant_id, count(*)::integer as queued from runs q where q.state = 'queued' group by q.tenant_id
  ), flying as (
    select f.tenant_id, count(*)::integer as in_flight from runs f where f.state = 'running'
    group by f.tenant_id
  ), total as (
    select coalesce(sum(in_flight), 0)::integer as in_all from flying
  )
  select t.id::text, coalesce(w.queued, 0), coalesce(f.in_flight, 0), t.max_in_flight, total.in_all
  from total left join waiting w on true left join tenants t on t.id = w.tenant_id
    left join flying f on f.tenant_id = w.tenant_id
  order by t.id;
end $$;

-- Moves the oldest queued runs of each tenant to running; `counts` is { tenantId: number }.
create function admit_runs(counts jsonb)
returns table (tenant_id text, run_id text, stage text, epoch integer, n integer)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off as $$
#variable_conflict use_column
begin
  return query with chosen as (
    select r.tenant_id, r.id from jsonb_each_text(counts) as wanted (tenant, number)
    cross join lateral (
      select q.tenant_id, q.id from runs q where q.tenant_id = wanted.tenant and q.state = 'queued'
      order by q.id limit wanted.number::integer for no key update skip locked
    ) as r
  ), moved as (
    update runs r set state = 'running', started_at = coalesce(r.started_at, now()), progress_at = now(),
      event_seq = r.event_seq + 1
    from chosen c where r.tenant_id = c.tenant_id and r.id = c.id
    returning r.tenant_id, r.id, r.next_stage, r.epoch, r.readds, r.event_seq
  ), noted as (
    insert into run_events (tenant_id, run_id, seq, type, data)
    select m.tenant_id, m.id, m.event_seq, 'run.started', jsonb_build_object('stage', m.next_stage)
    from moved m
  )
  select m.tenant_id::text, m.id::text, m.next_stage, m.epoch, m.readds from moved m order by m.id;
end $$;

-- Whether nobody will bring the answer of a call: its worker is dead. A booked call has none yet.
create function is_lost(claim call_claims) returns boolean language sql stable
  as $$ select claim.worker_id is not null and not is_alive(claim.worker_id) $$;

-- Takes over the running runs whose open call or start mark belongs to a dead worker. Answers all of
-- them; the caller ends those that have crashed too often.
create function take_over_runs()
returns table (tenant_id text, run_id text, stage text, epoch integer, crashes integer)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  run runs;
  lost integer;
begin
  for run in select r.* from runs r where r.state = 'running'
    and (r.mark_worker_id is not null and not is_alive(r.mark_worker_id)
      or exists (select from call_claims c where c.tenant_id = r.tenant_id and c.run_id = r.id
        and is_lost(c)))
    order by r.id for no key update skip locked
  loop
    lost := lose_calls(array(select c from call_claims c
      where c.tenant_id = run.tenant_id and c.run_id = run.id and is_lost(c)), 'worker died');
    -- The call may have been settled, or the run committed, while we waited for its row.
    if lost = 0 and (run.mark_worker_id is null or is_alive(run.mark_worker_id)) then continue; end if;
    update runs r set epoch = r.epoch + 1, crashes = r.crashes + 1, readds = 0, mark_worker_id = null,
      progress_at = now(), event_seq = r.event_seq + 1
    where r.tenant_id = run.tenant_id and r.id = run.id returning * into run;
    perform add_run_events(run.tenant_id, run.id, run.event_seq - 1, jsonb_build_array(jsonb_build_object(
      'type', 'run.taken_over', 'data', jsonb_build_object('stage', run.next_stage, 'epoch', run.epoch))));
    return query select run.tenant_id::text, run.id::text, run.next_stage, run.epoch, run.crashes;
  end loop;
  -- Calls of runs that wait or have ended meanwhile: nobody will answer for them either.
  perform lose_calls(array(select c from call_claims c
    join runs r on r.tenant_id = c.tenant_id and r.id = c.run_id
    where r.state <> 'running' and is_lost(c)), 'worker died');
end $$;

-- Whether somebody is at work on a run: has a call open, or marked its start, and is alive.
create function has_live_claim(run runs) returns boolean language sql stable as $$
  select (run.mark_worker_id is not null and is_alive(run.mark_worker_id)
      and run.progress_at > now() - attempt_patience())
    or exists (select from call_claims c where c.tenant_id = run.tenant_id and c.run_id = run.id
      and c.opened_at > now() - attempt_patience() and is_alive(c.worker_id))
$$;

-- Running runs without live claim or progress for a while get a fresh job, later ones at growing
-- distances, because a job may also be waiting behind many others; those of suspended tenants are
-- parked until the tenant is resumed.
create function stuck_runs(idle interval, paused text[])
returns table (tenant_id text, run_id text, stage text, epoch integer, n integer)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  run runs;
  suspended boolean;
begin
  for run in select r.* from runs r where r.state = 'running' and r.next_stage <> all (paused)
    and r.progress_at < now() - idle * least(power(2, r.readds), 32) and not has_live_claim(r)
    order by r.id for no key update skip locked
  loop
    select t.state = 'suspended' into suspended from tenants t where t.id = run.tenant_id;
    if suspended then
      update runs r set state = 'parked', park_reason = 'tenant_suspended', mark_worker_id = null,
        wake_at = coalesce(r.deadline_at, now() + interval '1 day'), event_seq = r.event_seq + 1
      where r.tenant_id = run.tenant_id and r.id = run.id returning * into run;
      perform add_run_events(run.tenant_id, run.id, run.event_seq - 1, jsonb_build_array(
        jsonb_build_object('type', 'run.parked', 'data', jsonb_build_object('stage', run.next_stage,
          'reason', run.park_reason, 'wakeAt', instant_text(run.wake_at)))));
    else
      update runs r set readds = r.readds + 1, progress_at = now()
      where r.tenant_id = run.tenant_id and r.id = run.id returning * into run;
      return query select run.tenant_id::text, run.id::text, run.next_stage, run.epoch, run.readds;
    end if;
  end loop;
end $$;

-- An instant as JavaScript writes it: 2026-11-21T10:00:00.000Z.
create function instant_text(at timestamptz) returns text language sql stable parallel safe
  as $$ select to_char(at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Parked runs whose time has come, or whose reason is gone, go back into the queue (queued). Those that
-- waited in vain are answered, still locked, with why (wait_expired, deadline_passed): the caller ends
-- them.
create function wake_runs(most integer)
returns table (tenant_id text, run_id text, stage text, outcome text, period_key text, deadline_at timestamptz)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  run runs;
  slot_state text;
  because text;
begin
  for run in with due as (
      select p.tenant_id, p.id from runs p where p.state = 'parked' and p.wake_at <= now()
      union
      select w.tenant_id, w.id from runs w where w.state = 'parked' and w.park_reason = 'slot'
        and not exists (select from slots s where s.tenant_id = w.tenant_id
          and s.specification_id = w.specification_id and s.period_key = w.period_key
          and s.ordinal = w.ordinal and s.state = 'reserved')
      union
      select p.tenant_id, p.id from runs p join tenants t on t.id = p.tenant_id and t.state = 'active'
      where p.state = 'parked' and p.park_reason = 'tenant_suspended'
    )
    select r.* from due d join runs r on r.tenant_id = d.tenant_id and r.id = d.id
    where r.state = 'parked'
    order by r.id limit most for no key update of r skip locked
  loop
    because := null;
    outcome := null;
    case run.park_reason
      when 'slot' then
        select s.state into slot_state from slots s where s.tenant_id = run.tenant_id
          and s.specification_id = run.specification_id and s.period_key = run.period_key
          and s.ordinal = run.ordinal;
        if slot_state = 'consumed' then
          because := 'slot_taken';
        elsif slot_state = 'reserved' then
          outcome := 'wait_expired';
        elsif not exists (select from runs o where o.tenant_id = run.tenant_id
          and o.specification_id = run.specification_id and o.period_key = run.period_key
          and o.ordinal = run.ordinal and o.state in ('queued', 'parked') and o.id < run.id)
        then
          -- The oldest that waits, and only that one: the others would find it at work.
          because := 'slot_free';
        end if;
      when 'tenant_suspended', 'provider_stopped' then
        if run.park_reason = 'tenant_suspended' and exists (select from tenants t
          where t.id = run.tenant_id and t.state = 'active')
        then
          because := 'tenant_resumed';
        elsif run.deadline_at <= now() and run.next_stage = 'refine' then
          -- It has a valid document, and goes on with the best that it has.
          because := 'deadline_passed';
        elsif run.deadline_at <= now() then
          outcome := 'deadline_passed';
        else
          update runs r set wake_at = coalesce(r.deadline_at, now() + interval '1 day')
          where r.tenant_id = run.tenant_id and r.id = run.id;
        end if;
      else
        because := run.park_reason;
    end case;
    if because is not null then
      perform queue_parked_run(run.tenant_id, run.id, because);
      outcome := 'queued';
    end if;
    if outcome is not null then
      return query select run.tenant_id::text, run.id::text, run.next_stage, outcome,
        run.period_key::text, run.deadline_at;
    end if;
  end loop;
end $$;

-- Cancelling runs that nobody works on any more are cancelled. Answers how many.
create function finish_cancelled() returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  run runs;
  finished integer := 0;
begin
  for run in select r.* from runs r where r.state = 'cancelling' and not exists (
      select from call_claims c where c.tenant_id = r.tenant_id and c.run_id = r.id
        and c.opened_at > now() - attempt_patience() and is_alive(c.worker_id))
    order by r.id for no key update skip locked
  loop
    perform end_run(run.tenant_id, run.id, 'cancelled', null, null, null, jsonb_build_array(
      jsonb_build_object('type', 'run.cancelled', 'data',
        jsonb_build_object('by', coalesce(run.cancelled_by, 'system')))));
    finished := finished + 1;
  end loop;
  return finished;
end $$;

revoke all on function admission_backlog, admit_runs, is_lost, take_over_runs, has_live_claim, stuck_runs, instant_text, wake_runs,
  finish_cancelled from public;
grant execute on function admission_backlog, admit_runs, is_lost, take_over_runs, has_live_claim, stuck_runs, instant_text, wake_runs,
  finish_cancelled to almanac_system;
