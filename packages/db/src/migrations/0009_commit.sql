-- The one way in which a stage changes a run. Takes the commits of concurrent jobs as a JSON array and
-- answers a verdict for each: committed, stale (another epoch or state), duplicate (recorded before).
-- Locks its runs in the order of their ids first, so that two callers never wait for each other in a
-- circle. A data error fails the whole call; the caller then sends its commits one by one.
--
-- The order of locks everywhere: runs (by id), slots, then budgets (by key), then engine calls.
--
-- Functions on the hot path use generic plans: over partitions, Postgres would rather plan each of their
-- statements again each time, which takes ten times as long as running it.

-- Writes the events of a run; the caller holds the run's lock.
create function add_run_events(tenant text, run text, first_seq integer, events jsonb) returns void
language plpgsql as $$
begin
  insert into run_events (tenant_id, run_id, seq, type, data)
  select tenant, run, first_seq + e.ordinality::integer, e.value ->> 'type', e.value -> 'data'
  from jsonb_array_elements(events) with ordinality as e;
end $$;

-- Puts a parked run back into the queue under a new epoch; false when it is no longer parked. A run
-- that waited before another try keeps the count of those it has had.
create function queue_parked_run(tenant text, run text, because text) returns boolean
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  last_seq integer;
  stage text;
begin
  update runs set state = 'queued', park_reason = null, wake_at = null, epoch = epoch + 1,
    tries = case park_reason when 'backoff' then tries else 0 end, readds = 0,
    mark_worker_id = null, event_seq = event_seq + 1
  where tenant_id = tenant and id = run and state = 'parked'
  returning event_seq, next_stage into last_seq, stage;
  if not found then return false; end if;
  perform add_run_events(tenant, run, last_seq - 1, jsonb_build_array(jsonb_build_object(
    'type', 'run.queued', 'data', jsonb_build_object('stage', stage, 'because', because))));
  return true;
end $$;

-- Gives a run's slot back after it ended without success, and queues the oldest run that waits for it.
create function free_slot(tenant text, run text, because text) returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  freed slots;
  waiter text;
begin
  update slots set state = 'free', run_id = null, failures = failures + 1, reason = because,
    updated_at = now(),
    retry_at = case when due_at is not null then least(deadline_at,
      now() + least(interval '1 hour', interval '1 minute' * power(2, least(failures, 10)))) end
  where tenant_id = tenant and run_id = run and state = 'reserved'
  returning * into freed;
  if not found then return; end if;
  select id into waiter from runs
  where tenant_id = tenant and specification_id = freed.specification_id
    and period_key = freed.period_key and ordinal = freed.ordinal
    and state = 'parked' and park_reason = 'slot'
  order by id limit 1 for no key update skip locked;
  if found then perform queue_parked_run(tenant, waiter, 'slot_free'); end if;
end $$;

-- Ends a run that did not succeed: its error, its event, its slot. The caller holds the run's lock.
create function end_run(tenant text, run text, ended text, code text, params jsonb, detail text, events jsonb)
returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  last_seq integer;
begin
  update runs set state = ended, park_reason = null, wake_at = null, mark_worker_id = null,
    error_code = code, error_params = params, error_detail = detail,
    finished_at = now(), progress_at = now(), event_seq = event_seq + jsonb_array_length(events)
  where tenant_id = tenant and id = run
  returning event_seq into last_seq;
  perform add_run_events(tenant, run, last_seq - jsonb_array_length(events), events);
  perform free_slot(tenant, run, coalesce(code, ended));
end $$;

-- Everything that a success records, in the transaction that makes it one.
create function conclude_run(c jsonb, run runs) returns void language plpgsql as $$
declare
  conclusion jsonb := c -> 'conclusion';
  version jsonb := conclusion -> 'version';
  events jsonb := c -> 'events';
  head record;
  previous text;
  waiter text;
begin
  update runs set state = 'succeeded', finished_at = now(), progress_at = now(), mark_worker_id = null,
    document_id = conclusion ->> 'documentId', score = (version ->> 'score')::double precision,
    event_seq = event_seq + jsonb_array_length(events)
  where tenant_id = run.tenant_id and id = run.id;
  perform add_run_events(run.tenant_id, run.id, run.event_seq, events);

  insert into versions (tenant_id, id, run_id, document_id, label, content_hash, package_hash, score, evaluation)
  values (run.tenant_id, version ->> 'id', run.id, conclusion ->> 'documentId', version ->> 'label',
    version ->> 'contentHash', version ->> 'packageHash', (version ->> 'score')::double precision,
    version ->> 'evaluation');

  select seq, hash into head from audit_chain where tenant_id = run.tenant_id order by seq desc limit 1;
  insert into artifacts (tenant_id, id, run_id, version_id, specification_id, period_key, format, sha256,
    bytes, test, engine, model, score, terminology_version, audit_seq, audit_hash)
  select run.tenant_id, a ->> 'id', run.id, version ->> 'id', run.specification_id, run.period_key,
    a ->> 'format', a ->> 'sha256', (a ->> 'bytes')::integer, run.test, a ->> 'engine', a ->> 'model',
    (version ->> 'score')::double precision, c ->> 'terminologyVersion',
    coalesce(head.seq, 0), coalesce(head.hash, '')
  from jsonb_array_elements(conclusion -> 'artifacts') as a;

  insert into deliveries (tenant_id, id, run_id, deliverer)
  select run.tenant_id, d ->> 'id', run.id, d ->> 'deliverer'
  from jsonb_array_elements(conclusion -> 'deliveries') as d;

  if run.period_key is not null then
    update slots set state = 'consumed', updated_at = now(), retry_at = null, reason = null
    where tenant_id = run.tenant_id and run_id = run.id and state = 'reserved';
    if not found then
      raise exception 'run % ends in success without holding its slot', run.id;
    end if;
    update artifact_sets set current = false, superseded_by = run.id
    where tenant_id = run.tenant_id and specification_id = run.specification_id
      and period_key = run.period_key and current
    returning run_id into previous;
    if found then
      insert into run_events (tenant_id, run_id, seq, type, data)
      select tenant_id, id, event_seq + 1, 'artifact.superseded',
        jsonb_build_object('runId', previous, 'by', run.id)
      from runs where tenant_id = run.tenant_id and id = previous for no key update;
      update runs set event_seq = event_seq + 1 where tenant_id = run.tenant_id and id = previous;
    end if;
  end if;
  insert into artifact_sets (tenant_id, run_id, specification_id, period_key, current)
  values (run.tenant_id, run.id, run.specification_id, run.period_key, not run.test);

  insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
  values (run.tenant_id, c ->> 'auditId', date_trunc('milliseconds', now()), 'system', 'run.succeeded',
    run.id, c ->> 'auditDetail');

  -- Everybody who waited for this slot learns, in the cadence stage, that it is used up.
  if run.period_key is not null then
    for waiter in select id from runs where tenant_id = run.tenant_id
      and specification_id = run.specification_id and period_key = run.period_key
      and ordinal = run.ordinal and state = 'parked' and park_reason = 'slot'
      order by id for no key update skip locked
    loop
      perform queue_parked_run(run.tenant_id, waiter, 'slot_taken');
    end loop;
  end if;
end $$;

-- The commits that only move their run on to its next stage, all at once; answers which they were. Of
-- several of one run, the first.
create function commit_steps(commits jsonb) returns integer[]
language plpgsql as $$
declare
  done integer[];
begin
  with steps as (
    select distinct on (k."runId") e.n, k.*
    from jsonb_array_elements(commits) with ordinality as e (value, n),
      jsonb_to_record(e.value) as k ("tenantId" text, "runId" text, epoch integer, stage text,
        "workerId" text, output text, "durationMs" integer, move jsonb, events jsonb)
    order by k."runId", e.n
  ), moved as (
    update runs r set next_stage = s.move ->> 'next', tries = 0, crashes = 0, readds = 0,
      mark_worker_id = null, progress_at = now(),
      period_key = case when r.next_stage = 'cadence' and not r.test
        then s.output::jsonb ->> 'periodKey' else r.period_key end,
      event_seq = r.event_seq + jsonb_array_length(s.events)
    from steps s where r.tenant_id = s."tenantId" and r.id = s."runId" and r.epoch = s.epoch
      and r.state = 'running' and r.next_stage = s.stage
      and s.move ->> 'to' = 'running' and s.output is not null
    returning s.n, r.event_seq - jsonb_array_length(s.events) as seq
  ), recorded as (
    insert into stage_outputs (tenant_id, run_id, stage, epoch, worker_id, output, duration_ms)
    select s."tenantId", s."runId", s.stage, s.epoch, s."workerId", s.output, s."durationMs"
    from moved m join steps s on s.n = m.n
  ), told as (
    insert into run_events (tenant_id, run_id, seq, type, data)
    select s."tenantId", s."runId", m.seq + e.n, e.value ->> 'type', e.value -> 'data'
    from moved m join steps s on s.n = m.n
    cross join lateral jsonb_array_elements(s.events) with ordinality as e (value, n)
  )
  select array_agg(m.n) into done from moved m;
  return coalesce(done, '{}');
end $$;

create function commit_stages(commits jsonb) returns table (n integer, verdict text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  c jsonb;
  run runs;
  move jsonb;
  events jsonb;
  stepped integer[];
  -- The code of a try that failed, whatever becomes of the run.
  failure text;
begin
  perform 1 from jsonb_to_recordset(commits) as k ("tenantId" text, "runId" text)
    join runs r on r.tenant_id = k."tenantId" and r.id = k."runId"
    order by r.id for no key update of r;

  stepped := commit_steps(commits);
  return query select s.n, 'committed' from unnest(stepped) as s (n);

  for n, c in select e.n, e.value from jsonb_array_elements(commits) with ordinality as e (value, n)
    where e.n <> all (stepped)
  loop
    select * into run from runs where tenant_id = c ->> 'tenantId' and id = c ->> 'runId';
    if not found or run.epoch <> (c ->> 'epoch')::integer or run.state <> 'running'
       or run.next_stage <> c ->> 'stage' then
      verdict := case when exists (select from stage_outputs o where o.tenant_id = c ->> 'tenantId'
        and o.run_id = c ->> 'runId' and o.stage = c ->> 'stage') then 'duplicate' else 'stale' end;
      return next;
      continue;
    end if;
    move := c -> 'move';
    events := c -> 'events';
    failure := coalesce(move ->> 'code',
      jsonb_path_query_first(events, '$[*] ? (@.type == "run.stage_failed").data.code') #>> '{}');

    if c ->> 'output' is not null then
      insert into stage_outputs (tenant_id, run_id, stage, epoch, worker_id, output, duration_ms)
      values (run.tenant_id, run.id, c ->> 'stage', run.epoch, c ->> 'workerId', c ->> 'output',
        (c ->> 'durationMs')::integer);
    elsif failure is not null then
      insert into stage_tries (tenant_id, run_id, stage, epoch, try, worker_id, code, duration_ms)
      values (run.tenant_id, run.id, c ->> 'stage', run.epoch, run.tries + 1, c ->> 'workerId',
        failure, (c ->> 'durationMs')::integer);
    end if;

    case move ->> 'to'
      when 'succeeded' then
        perform conclude_run(c, run);
      when 'failed', 'blocked' then
        perform end_run(run.tenant_id, run.id, move ->> 'to', move ->> 'code', move -> 'params',
          move ->> 'detail', events);
      when 'again' then
        update runs set tries = tries + 1, mark_worker_id = null,
          progress_at = now() + make_interval(secs => (move ->> 'delayMs')::double precision / 1000),
          event_seq = event_seq + jsonb_array_length(events)
        where tenant_id = run.tenant_id and id = run.id;
        perform add_run_events(run.tenant_id, run.id, run.event_seq, events);
      when 'parked' then
        update runs set state = 'parked', park_reason = move ->> 'reason',
          wake_at = (move ->> 'wakeAt')::timestamptz, mark_worker_id = null, progress_at = now(),
          tries = tries + (failure is not null)::integer,
          event_seq = event_seq + jsonb_array_length(events)
        where tenant_id = run.tenant_id and id = run.id;
        perform add_run_events(run.tenant_id, run.id, run.event_seq, events);
    end case;
    verdict := 'committed';
    return next;
  end loop;
end $$;

revoke all on function commit_stages, commit_steps, conclude_run, end_run, free_slot, queue_parked_run, add_run_events
  from public;
grant execute on function commit_stages, commit_steps, conclude_run, end_run, free_slot, queue_parked_run, add_run_events
  to almanac_system;
grant execute on function end_run, free_slot, queue_parked_run, add_run_events to almanac_app;
