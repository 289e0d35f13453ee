-- The one way in which a stage changes a run. Takes the commits of concurrent jobs as a JSON array and
-- answers a verdict for each: committed, stale (another epoch or state), duplicate (recorded before).
-- Locks its runs in the order of their ids first, so that two callers never wait for each other in a
-- circle. A data error fails the whole call; the caller then sends its commits one by one.

-- Writes the events of a run; the caller holds the run's lock.
create function add_run_events(tenant text, run text, first_seq integer, events jsonb) returns void
language sql as $$
  insert into run_events (tenant_id, run_id, seq, type, data)
  select tenant, run, first_seq + e.ordinality::integer, e.value ->> 'type', e.value -> 'data'
  from jsonb_array_elements(events) with ordinality as e;
$$;

-- Puts a parked run back into the queue under a new epoch; false when it is no longer parked.
create function queue_parked_run(tenant text, run text, because text) returns boolean
language plpgsql as $$
declare
  seq integer;
  stage text;
begin
  update runs set state = 'queued', park_reason = null, wake_at = null, epoch = epoch + 1,
    tries = 0, readds = 0, mark_worker_id = null, event_seq = event_seq + 1
  where tenant_id = tenant and id = run and state = 'parked'
  returning event_seq, next_stage into seq, stage;
  if seq is null then return false; end if;
  perform add_run_events(tenant, run, seq - 1, jsonb_build_array(jsonb_build_object(
    'type', 'run.queued', 'data', jsonb_build_object('stage', stage, 'because', because))));
  return true;
end $$;

-- Gives a run's slot back after it ended without success, and queues the oldest run that waits for it.
create function free_slot(tenant text, run text, because text) returns void language plpgsql as $$
declare
  freed record;
  waiter text;
begin
  update slots set state = 'free', run_id = null, failures = failures + 1, reason = because,
    updated_at = now(),
    retry_at = case when due_at is null then null
      else now() + least(interval '1 hour', interval '1 minute' * power(2, least(failures, 10))) end
  where tenant_id = tenant and run_id = run and state = 'reserved'
  returning specification_id, period_key into freed;
  if freed is null then return; end if;
  select id into waiter from runs
  where tenant_id = tenant and specification_id = freed.specification_id
    and period_key = freed.period_key and state = 'parked' and park_reason = 'slot'
  order by id limit 1 for update skip locked;
  if waiter is not null then perform queue_parked_run(tenant, waiter, 'slot_free'); end if;
end $$;

create function conclude_run(c jsonb, run record) returns void language plpgsql as $$
declare
  conclusion jsonb := c -> 'conclusion';
  version jsonb := conclusion -> 'version';
  head record;
  previous text;
  waiter text;
begin
  update runs set state = 'succeeded', finished_at = now(), progress_at = now(),
    document_id = conclusion ->> 'documentId', score = (version ->> 'score')::double precision
  where tenant_id = run.tenant_id and id = run.id;

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

  if not run.test then
    update slots set state = 'consumed', updated_at = now(), retry_at = null, reason = null
    where tenant_id = run.tenant_id and run_id = run.id and state = 'reserved';
    if not found and run.period_key is not null then
      raise exception 'run % ends in success without holding its slot', run.id;
    end if;
    update artifact_sets set current = false, superseded_by = run.id
    where tenant_id = run.tenant_id and specification_id = run.specification_id
      and period_key = run.period_key and current
    returning run_id into previous;
    if previous is not null then
      update runs set event_seq = event_seq + 1 where tenant_id = run.tenant_id and id = previous;
      insert into run_events (tenant_id, run_id, seq, type, data)
      select tenant_id, id, event_seq, 'artifact.superseded',
        jsonb_build_object('runId', previous, 'by', run.id)
      from runs where tenant_id = run.tenant_id and id = previous;
    end if;
  end if;
  insert into artifact_sets (tenant_id, run_id, specification_id, period_key, current)
  values (run.tenant_id, run.id, run.specification_id, run.period_key, not run.test);

  insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
  values (run.tenant_id, c ->> 'auditId', date_trunc('milliseconds', now()), 'system', 'run.succeeded',
    run.id, c ->> 'auditDetail');

  -- Everybody who waited for this period learns, in the cadence stage, that it is used up.
  for waiter in select id from runs where tenant_id = run.tenant_id
    and specification_id = run.specification_id and period_key = run.period_key
    and state = 'parked' and park_reason = 'slot' order by id for update skip locked
  loop
    perform queue_parked_run(run.tenant_id, waiter, 'slot_taken');
  end loop;
end $$;

create function commit_stages(commits jsonb) returns table (n integer, verdict text)
language plpgsql as $$
declare
  c jsonb;
  i integer := 0;
  run record;
  move jsonb;
  events jsonb;
begin
  perform 1 from runs r
    join jsonb_to_recordset(commits) as k("tenantId" text, "runId" text)
      on r.tenant_id = k."tenantId" and r.id = k."runId"
    order by r.id for update of r;

  for c in select value from jsonb_array_elements(commits) loop
    i := i + 1;
    n := i;
    select * into run from runs where tenant_id = c ->> 'tenantId' and id = c ->> 'runId';
    if run is null or run.epoch <> (c ->> 'epoch')::integer or run.state <> 'running'
       or run.next_stage <> c ->> 'stage' then
      verdict := case when exists (select 1 from stage_outputs o where o.tenant_id = c ->> 'tenantId'
        and o.run_id = c ->> 'runId' and o.stage = c ->> 'stage') then 'duplicate' else 'stale' end;
      return next;
      continue;
    end if;
    move := c -> 'move';
    events := c -> 'events';

    if c ->> 'output' is not null then
      insert into stage_outputs (tenant_id, run_id, stage, epoch, worker_id, output, duration_ms)
      values (run.tenant_id, run.id, c ->> 'stage', run.epoch, c ->> 'workerId', c ->> 'output',
        (c ->> 'durationMs')::integer);
    elsif move ->> 'code' is not null then
      insert into stage_tries (tenant_id, run_id, stage, epoch, try, worker_id, code, duration_ms)
      values (run.tenant_id, run.id, c ->> 'stage', run.epoch, run.tries + 1, c ->> 'workerId',
        move ->> 'code', (c ->> 'durationMs')::integer);
    end if;

    case move ->> 'to'
      when 'running' then
        update runs set next_stage = move ->> 'next', tries = 0, crashes = 0, readds = 0,
          mark_worker_id = null, progress_at = now(),
          period_key = case when c ->> 'stage' = 'cadence' and not run.test
            then (c ->> 'output')::jsonb ->> 'periodKey' else run.period_key end
        where tenant_id = run.tenant_id and id = run.id;
      when 'again' then
        update runs set tries = tries + 1, mark_worker_id = null,
          progress_at = now() + make_interval(secs => (move ->> 'delayMs')::double precision / 1000)
        where tenant_id = run.tenant_id and id = run.id;
      when 'parked' then
        update runs set state = 'parked', park_reason = move ->> 'reason',
          wake_at = (move ->> 'wakeAt')::timestamptz, mark_worker_id = null, progress_at = now()
        where tenant_id = run.tenant_id and id = run.id;
      when 'succeeded' then
        perform conclude_run(c, run);
      else
        update runs set state = move ->> 'to', error_code = move ->> 'code',
          error_params = move -> 'params', error_detail = move ->> 'detail',
          finished_at = now(), progress_at = now(), mark_worker_id = null
        where tenant_id = run.tenant_id and id = run.id;
        perform free_slot(run.tenant_id, run.id, move ->> 'code');
    end case;

    update runs set event_seq = event_seq + jsonb_array_length(events)
    where tenant_id = run.tenant_id and id = run.id;
    perform add_run_events(run.tenant_id, run.id, run.event_seq, events);
    verdict := 'committed';
    return next;
  end loop;
end $$;
revoke all on function commit_stages, conclude_run, free_slot, queue_parked_run, add_run_events from public;
grant execute on function commit_stages, conclude_run, free_slot, queue_parked_run, add_run_events
  to almanac_system;
grant execute on function free_slot, queue_parked_run, add_run_events to almanac_app;
