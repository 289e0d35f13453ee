-- The one way in which a stage changes a run. Takes the commits of concurrent jobs as a JSON array and
-- answers a verdict for each: committed, stale (another epoch or state), duplicate (recorded before).
-- Locks its runs in the order of their ids first, so that two callers never wait for each other in a
-- circle. A data error fails the whole call; the caller then sends its commits one by one.
--
-- The order of locks everywhere: runs (by id), slots, then engine calls, then budgets (by key).
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
  ), live as (
    -- Each by its run's key, whose row is locked: an update that asks for the state as well would be led
    -- through the index of all running runs, once for each of these.
    select s.* from steps s
    cross join lateral (select from runs r where r.tenant_id = s."tenantId" and r.id = s."runId"
      and r.epoch = s.epoch and r.state = 'running' and r.next_stage = s.stage offset 0) as r
    where s.move ->> 'to' = 'running' and s.output is not null
  ), moved as (
    update runs r set next_stage = s.move ->> 'next', tries = 0, crashes = 0, readds = 0,
      mark_worker_id = null, progress_at = now(),
      period_key = case when r.next_stage = 'cadence' and not r.test
        then s.output::jsonb ->> 'periodKey' else r.period_key end,
      event_seq = r.event_seq + jsonb_array_length(s.events)
    from live s where r.tenant_id = s."tenantId" and r.id = s."runId"
    returning s.*, r.event_seq - jsonb_array_length(s.events) as seq
  ), recorded as (
    insert into stage_outputs (tenant_id, run_id, stage, epoch, worker_id, output, duration_ms)
    select m."tenantId", m."runId", m.stage, m.epoch, m."workerId", m.output, m."durationMs"
    from moved m
  ), told as (
    insert into run_events (tenant_id, run_id, seq, type, data)
    select m."tenantId", m."runId", m.seq + e.n, e.value ->> 'type', e.value -> 'data'
    from moved m cross join lateral jsonb_array_elements(m.events) with ordinality as e (value, n)
  )
  select array_agg(m.n) into done from moved m;
  return coalesce(done, '{}');
end $$;

-- The commits that end their runs in success, all at once, with everything that a success records;
-- answers which they were. Two for one period do not fit into one call: then the caller sends them alone.
create function commit_successes(commits jsonb) returns integer[]
language plpgsql as $$
declare
  ended jsonb;
  holder record;
  waiting record;
begin
  with ends as (
    select distinct on (k."runId") e.n, k.*, k.conclusion -> 'version' as version
    from jsonb_array_elements(commits) with ordinality as e (value, n),
      jsonb_to_record(e.value) as k ("tenantId" text, "runId" text, epoch integer, stage text,
        "workerId" text, output text, "durationMs" integer, events jsonb, conclusion jsonb,
        "terminologyVersion" text, "auditId" text, "auditDetail" text)
    where e.value -> 'move' ->> 'to' = 'succeeded'
    order by k."runId", e.n
  ), live as (
    select s.* from ends s
    cross join lateral (select from runs r where r.tenant_id = s."tenantId" and r.id = s."runId"
      and r.epoch = s.epoch and r.state = 'running' and r.next_stage = s.stage offset 0) as r
  ), moved as (
    update runs r set state = 'succeeded', finished_at = now(), progress_at = now(),
      mark_worker_id = null, document_id = s.conclusion ->> 'documentId',
      score = (s.version ->> 'score')::double precision,
      event_seq = r.event_seq + jsonb_array_length(s.events)
    from live s where r.tenant_id = s."tenantId" and r.id = s."runId"
    returning s.*, r.tenant_id, r.id, r.specification_id, r.period_key, r.ordinal, r.test,
      r.event_seq - jsonb_array_length(s.events) as seq
  ), recorded as (
    insert into stage_outputs (tenant_id, run_id, stage, epoch, worker_id, output, duration_ms)
    select m.tenant_id, m.id, m.stage, m.epoch, m."workerId", m.output, m."durationMs"
    from moved m
  ), told as (
    insert into run_events (tenant_id, run_id, seq, type, data)
    select m.tenant_id, m.id, m.seq + e.n, e.value ->> 'type', e.value -> 'data'
    from moved m
    cross join lateral jsonb_array_elements(m.events) with ordinality as e (value, n)
  ), versioned as (
    insert into versions (tenant_id, id, run_id, document_id, label, content_hash, package_hash, score,
      evaluation)
    select m.tenant_id, m.version ->> 'id', m.id, m.conclusion ->> 'documentId', m.version ->> 'label',
      m.version ->> 'contentHash', m.version ->> 'packageHash',
      (m.version ->> 'score')::double precision, m.version ->> 'evaluation'
    from moved m
    -- A refined run stores its versions as it makes them: the best of them is there.
    on conflict (tenant_id, id) do nothing
  ), made as (
    insert into artifacts (tenant_id, id, run_id, version_id, specification_id, period_key, format,
      sha256, bytes, test, engine, model, score, terminology_version, audit_seq, audit_hash)
    select m.tenant_id, a ->> 'id', m.id, m.version ->> 'id', m.specification_id, m.period_key,
      a ->> 'format', a ->> 'sha256', (a ->> 'bytes')::integer, m.test, a ->> 'engine', a ->> 'model',
      (m.version ->> 'score')::double precision, m."terminologyVersion",
      coalesce(h.seq, 0), coalesce(h.hash, '')
    from moved m
    cross join lateral jsonb_array_elements(m.conclusion -> 'artifacts') as a
    left join lateral (select c.seq, c.hash from audit_chain c where c.tenant_id = m.tenant_id
      order by c.seq desc limit 1) as h on true
  ), sent as (
    insert into deliveries (tenant_id, id, run_id, deliverer)
    select m.tenant_id, d ->> 'id', m.id, d ->> 'deliverer'
    from moved m
    cross join lateral jsonb_array_elements(m.conclusion -> 'deliveries') as d
  ), audited as (
    insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
    select m.tenant_id, m."auditId", date_trunc('milliseconds', now()), 'system', 'run.succeeded',
      m.id, m."auditDetail"
    from moved m
  )
  select jsonb_agg(jsonb_build_object('n', m.n, 'tenant_id', m.tenant_id, 'id', m.id,
    'specification_id', m.specification_id, 'period_key', m.period_key, 'ordinal', m.ordinal,
    'test', m.test)) into ended from moved m;
  if ended is null then return '{}'; end if;

  -- One by one: joined, a plan that was made while there were none reads the slots of all tenants.
  for holder in select m.tenant_id, m.id from jsonb_populate_recordset(null::runs, ended) as m
    where m.period_key is not null order by m.id
  loop
    update slots set state = 'consumed', updated_at = now(), retry_at = null, reason = null
    where tenant_id = holder.tenant_id and run_id = holder.id and state = 'reserved';
    if not found then
      raise exception 'run % ends in success without holding its slot', holder.id;
    end if;
  end loop;

  -- One set of artifacts a period is current: the one that was is told of its successor.
  with superseded as (
    update artifact_sets t set current = false, superseded_by = m.id
    from jsonb_populate_recordset(null::runs, ended) as m
    where t.tenant_id = m.tenant_id and t.specification_id = m.specification_id
      and t.period_key = m.period_key and t.current
    returning t.tenant_id, t.run_id, t.superseded_by
  ), counted as (
    update runs r set event_seq = r.event_seq + 1 from superseded p
    where r.tenant_id = p.tenant_id and r.id = p.run_id
    returning r.tenant_id, r.id, r.event_seq, p.superseded_by
  )
  insert into run_events (tenant_id, run_id, seq, type, data)
  select c.tenant_id, c.id, c.event_seq, 'artifact.superseded',
    jsonb_build_object('runId', c.id, 'by', c.superseded_by)
  from counted c;
  insert into artifact_sets (tenant_id, run_id, specification_id, period_key, current)
  select m.tenant_id, m.id, m.specification_id, m.period_key, not m.test
  from jsonb_populate_recordset(null::runs, ended) as m;

  -- Everybody who waited for one of these slots learns, in the cadence stage, that it is used up.
  for waiting in select r.tenant_id, r.id from jsonb_populate_recordset(null::runs, ended) as m
    cross join lateral (select r.tenant_id, r.id from runs r where r.tenant_id = m.tenant_id
      and r.specification_id = m.specification_id and r.period_key = m.period_key
      and r.ordinal = m.ordinal and r.state = 'parked' and r.park_reason = 'slot'
      order by r.id for no key update skip locked) as r
    where m.period_key is not null
  loop
    perform queue_parked_run(waiting.tenant_id, waiting.id, 'slot_taken');
  end loop;
  return (select array_agg((e ->> 'n')::integer) from jsonb_array_elements(ended) as e);
end $$;

-- `blobs` and `bytes`, the texts that the outputs name, as `put_blobs` takes them.
create function commit_stages(commits jsonb, blobs jsonb, bytes bytea) returns table (n integer, verdict text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off as $$
declare
  c jsonb;
  run runs;
  move jsonb;
  events jsonb;
  done integer[];
  -- The code of a try that failed, whatever becomes of the run.
  failure text;
begin
  perform 1 from (select k.* from jsonb_to_recordset(commits) as k ("tenantId" text, "runId" text)
      order by k."runId" collate "C") as k
    cross join lateral (select from runs r where r.tenant_id = k."tenantId" and r.id = k."runId"
      for no key update) as r;
  if blobs <> '[]' then perform put_blobs(blobs, bytes); end if;

  done := commit_steps(commits);
  if jsonb_path_exists(commits, '$[*].move ? (@.to == "succeeded")') then
    done := done || commit_successes(commits);
  end if;
  return query select d.n, 'committed' from unnest(done) as d (n);

  for n, c in select e.n, e.value from jsonb_array_elements(commits) with ordinality as e (value, n)
    where e.n <> all (done)
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
          wake_at = (move ->> 'wakeAt')::timestamptz, park_provider = move ->> 'provider', mark_worker_id = null, progress_at = now(),
          tries = tries + (failure is not null)::integer,
          event_seq = event_seq + jsonb_array_length(events)
        where tenant_id = run.tenant_id and id = run.id;
        perform add_run_events(run.tenant_id, run.id, run.event_seq, events);
    end case;
    verdict := 'committed';
    return next;
  end loop;
end $$;

revoke all on function put_blobs, commit_stages, commit_steps, commit_successes, end_run, free_slot,
  queue_parked_run, add_run_events
  from public;
grant execute on function put_blobs, commit_stages, commit_steps, commit_successes, end_run, free_slot,
  queue_parked_run, add_run_events
  to almanac_system;
grant execute on function end_run, free_slot, queue_parked_run, add_run_events to almanac_app;
