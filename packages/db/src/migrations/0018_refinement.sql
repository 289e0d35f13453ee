-- Guarded refinement: what a root may use and has used, its generations and their variants, and the
-- checkpoints at which it waits for a decision. What the guard (packages/refinement) decides is booked
-- here under the lock of the run, which is always taken first.
--
-- The life of a generation:            The life of a checkpoint:
--   booked ─▶ variants close one by       requested ─▶ approved ─▶ used by its one generation
--   one ─▶ finished ─▶ merged               └─▶ denied | expired | cancelled | voided

create table refinement_roots (
  tenant_id type_id not null,
  run_id type_id not null,
  document_id type_id not null,
  package_hash text not null,
  -- Canonical JSON, and its hash: what an approval is bound to.
  limits text not null,
  limits_hash text not null,
  policy text not null,
  -- Who asked for the run; of a scheduled one, who activated its revision.
  requested_by text not null,
  self_approval boolean not null,
  -- Audited acts so far: their numbers are gapless within the root.
  acts integer not null default 0,
  depth integer not null default 0 check (depth >= 0),
  children integer not null default 0 check (children >= 0),
  -- The best version at the start and after each generation: [{ id, score, depth }]; the last goes on.
  bests jsonb not null,
  stop_reason text,
  opened_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (tenant_id, run_id),
  foreign key (tenant_id, run_id) references runs,
  check ((stop_reason is null) = (ended_at is null)),
  check (jsonb_array_length(bests) between 1 and depth + 1)
);

create table generations (
  tenant_id type_id not null,
  run_id type_id not null,
  generation integer not null check (generation > 0),
  kind text not null check (kind in ('variant', 'expand')),
  children integer not null check (children > 0),
  -- Variants that are still open.
  remaining integer not null check (remaining between 0 and children),
  parent_version_id type_id not null,
  snapshot text not null,
  snapshot_hash text not null,
  limits_hash text not null,
  checkpoint_id type_id,
  estimate_micro_usd bigint not null,
  estimate_tokens bigint not null,
  merge text check (merge in ('accepted', 'rejected', 'none')),
  merged_version_id type_id,
  booked_at timestamptz not null default now(),
  finished_at timestamptz,
  merged_at timestamptz,
  primary key (tenant_id, run_id, generation),
  foreign key (tenant_id, run_id) references refinement_roots,
  foreign key (tenant_id, parent_version_id) references versions,
  check ((merge is null) = (merged_at is null)),
  check ((remaining = 0) = (finished_at is not null))
);
-- One generation at a time.
create unique index generations_open on generations (tenant_id, run_id) where merged_at is null;
-- An approval is for one generation.
create unique index generations_checkpoint on generations (tenant_id, checkpoint_id)
  where checkpoint_id is not null;

create table variants (
  tenant_id type_id not null,
  run_id type_id not null,
  generation integer not null,
  ordinal integer not null check (ordinal > 0),
  call_key text collate "C" not null,
  strategy text not null,
  state text not null default 'open' check (state in ('open', 'done', 'failed', 'cancelled')),
  -- Who works on it, how often such a worker has died, and how often its job was added again.
  worker_id type_id,
  crashes integer not null default 0,
  readds integer not null default 0,
  progress_at timestamptz not null default now(),
  version_id type_id,
  score double precision,
  error_code text,
  -- Why it failed or was cancelled; nothing of the document.
  because text,
  cost_micro_usd bigint,
  tokens bigint,
  closed_at timestamptz,
  primary key (tenant_id, run_id, generation, ordinal),
  unique (call_key, run_id, tenant_id),
  foreign key (tenant_id, run_id, generation) references generations,
  foreign key (tenant_id, version_id) references versions,
  check ((state = 'open') = (closed_at is null)),
  check ((state = 'done') = (version_id is not null))
);
create index variants_open on variants (progress_at) where state = 'open';

create table checkpoints (
  tenant_id type_id not null,
  id type_id not null,
  run_id type_id not null,
  generation integer not null,
  kind text not null check (kind in ('variant', 'expand')),
  children integer not null,
  estimate_micro_usd bigint not null,
  estimate_tokens bigint not null,
  -- Canonical JSON: the lineage's snapshot, and the limits of which the call would reach the ratio.
  snapshot text not null,
  reached text not null,
  snapshot_hash text not null,
  limits_hash text not null,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  expires_at timestamptz not null,
  reminded_at timestamptz,
  decision text check (decision in ('approved', 'denied', 'expired', 'cancelled', 'voided')),
  decided_by text,
  decided_at timestamptz,
  reason text,
  used_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, run_id) references refinement_roots,
  check ((decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)),
  check (used_at is null or decision = 'approved')
);
create unique index checkpoints_undecided on checkpoints (tenant_id, run_id) where decision is null;
create index checkpoints_root on checkpoints (run_id, id);
create index checkpoints_expiring on checkpoints (expires_at) where decision is null;

-- The right to answer one checkpoint, lent by a holder of checkpoint:approve.
create table checkpoint_loans (
  tenant_id type_id not null,
  checkpoint_id type_id not null,
  principal_id type_id not null,
  lent_by text not null,
  lent_at timestamptz not null default now(),
  primary key (tenant_id, checkpoint_id, principal_id),
  foreign key (tenant_id, checkpoint_id) references checkpoints,
  foreign key (tenant_id, principal_id) references principals
);

-- Holds of variants that nobody has begun yet.
create index call_claims_booked on call_claims (tenant_id, run_id, call_key) where worker_id is null;
-- The acts of one root, for its proof.
create index audit_events_refinement on audit_events (tenant_id, subject, id)
  where action like 'refinement.%' or action like 'checkpoint.%';

do $$
declare name text;
begin
  foreach name in array array['refinement_roots', 'generations', 'variants', 'checkpoints', 'checkpoint_loans'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy app on %I to almanac_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select, insert, update on %I to almanac_system', name);
    execute format('grant select on %I to almanac_app, almanac_operator_read', name);
  end loop;
end $$;
grant update on refinement_roots, generations, variants, checkpoints to almanac_app;
grant insert on checkpoint_loans to almanac_app;

-- A decision is made once, and stays as it was made.
create function refuse_second_decision() returns trigger language plpgsql as $$
begin
  raise exception 'checkpoint % was decided before', old.id using errcode = 'restrict_violation';
end $$;
create trigger decided_once before update of decision, decided_by, decided_at, reason on checkpoints
  for each row when (old.decision is not null) execute function refuse_second_decision();

-- A TypeID of a new UUIDv7, for rows that the database makes by itself.
create function new_type_id(prefix text) returns text language sql volatile as $$
  select prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
      substring(b.bits from 5 * i + 1 for 5)::bit(5)::integer + 1, 1), '' order by i)
  from (
    select B'00' || (extract(epoch from clock_timestamp()) * 1000)::bigint::bit(48) || B'0111'
      || substring(('x' || replace(gen_random_uuid()::text, '-', ''))::bit(128) from 53 for 76) as bits
  ) as b, generate_series(0, 25) as i
$$;

-- Records an act of a root under its next number. `fields` is the inside of the canonical JSON of the
-- act's other fields, whose names all follow "act" in order.
create function root_act(tenant text, run text, who text, what text, fields text) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  number integer;
begin
  update refinement_roots set acts = acts + 1 where tenant_id = tenant and run_id = run
  returning acts into number;
  if not found then raise exception 'run % is not the root of a refinement', run; end if;
  insert into audit_events (tenant_id, id, at, actor, action, subject, detail)
  values (tenant, new_type_id('aud'), date_trunc('milliseconds', clock_timestamp()), who, what, run,
    '{"act":' || number || ',' || fields || '}');
end $$;

-- One event of a run, whose lock the caller holds.
create function add_run_event(tenant text, run text, what text, data jsonb) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  last_seq integer;
begin
  update runs set event_seq = event_seq + 1 where tenant_id = tenant and id = run
  returning event_seq into last_seq;
  insert into run_events (tenant_id, run_id, seq, type, data) values (tenant, run, last_seq, what, data);
end $$;

-- Decides a checkpoint, once: the one statement for answers, expiry, cancel and changed limits. The
-- caller holds the run's lock. An answer counts only while the run waits for it, before it expires, and
-- under the limits that it was asked for. Answers whether it was this call that decided.
create function decide_checkpoint(tenant text, checkpoint text, answer text, who text, because text)
returns boolean language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  decided checkpoints;
  at timestamptz := clock_timestamp();
begin
  update checkpoints c set decision = answer, decided_by = who, decided_at = at, reason = because
  where c.tenant_id = tenant and c.id = checkpoint and c.decision is null
    and case when answer in ('approved', 'denied') then c.expires_at > at
        and c.limits_hash = (select r.limits_hash from refinement_roots r
          where r.tenant_id = c.tenant_id and r.run_id = c.run_id)
        and (who like 'policy:%' or exists (select from runs r where r.tenant_id = c.tenant_id
          and r.id = c.run_id and r.state = 'parked' and r.park_reason = 'checkpoint'))
      when answer = 'expired' then c.expires_at <= at else true end
  returning c.* into decided;
  if not found then return false; end if;
  perform root_act(tenant, decided.run_id, who, 'checkpoint.decided', format(
    '"checkpointId":"%s","decision":"%s","reason":%s', checkpoint, answer, to_json(because)));
  if answer = 'expired' then
    perform add_run_event(tenant, decided.run_id, 'checkpoint.expired',
      jsonb_build_object('checkpointId', checkpoint));
  else
    perform add_run_event(tenant, decided.run_id, 'checkpoint.decided',
      jsonb_build_object('checkpointId', checkpoint, 'decision', answer));
  end if;
  return true;
end $$;

-- What the answered calls of a variant have cost: its own call's and those of its repairs.
create function variant_cost(tenant text, run text, number integer, place integer, key text,
  out micro_usd bigint, out tokens bigint) language sql stable as $$
  select coalesce(sum(c.cost_micro_usd), 0)::bigint,
    coalesce(sum(case c.state when 'charged' then c.hold_tokens
      else c.input_tokens + c.output_tokens end), 0)::bigint
  from engine_calls c where c.tenant_id = tenant and c.run_id = run and c.state in ('settled', 'charged')
    and (c.call_key = key
      or (c.cause = 'repair' and split_part(c.call_key, ':', 3) = number || '-' || place))
$$;

-- Releases those of these calls that are still booked. Answers how many.
create function give_back(claims call_claims[]) returns integer
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  unused call_closing[];
begin
  with booked as (
    select c.tenant_id, c.run_id, c.call_key, c.seq from unnest(claims) as k
    join engine_calls c on c.tenant_id = k.tenant_id and c.run_id = k.run_id and c.call_key = k.call_key
      and c.seq = k.seq
    where c.state = 'booked' order by c.run_id, c.call_key for no key update of c skip locked
  )
  select array_agg(jsonb_populate_record(null::call_closing, jsonb_build_object('tenant_id', b.tenant_id,
    'run_id', b.run_id, 'call_key', b.call_key, 'seq', b.seq, 'closes', 'released',
    'reason', 'not begun'))) into unused from booked b;
  if unused is null then return 0; end if;
  perform close_calls(unused);
  return cardinality(unused);
end $$;

-- Closes variants, each only once: the fan-in. `results` is [{ tenantId, runId, generation, ordinal,
-- state, scoreText, errorCode, because, version: { id, label, contentHash, packageHash, parents, score,
-- evaluation } | null }]. Of those that were still open, the version is stored, what is still booked is
-- given back, and the counts of their generations fall by exactly that number; where one comes to zero
-- its run is queued. Answers what each result found.
create function finish_variants(results jsonb)
returns table (n integer, changed boolean, remaining integer)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  won jsonb;
  row record;
begin
  perform 1 from jsonb_to_recordset(results) as k ("tenantId" text, "runId" text)
    join runs r on r.tenant_id = k."tenantId" and r.id = k."runId"
    order by r.id for no key update of r;

  insert into versions (tenant_id, id, run_id, document_id, label, parents, depth, content_hash,
    package_hash, score, evaluation)
  select distinct on (v.run_id, v.generation, v.ordinal) v.tenant_id, k.version ->> 'id', v.run_id,
    r.document_id, k.version ->> 'label',
    array(select jsonb_array_elements_text(k.version -> 'parents')), v.generation,
    k.version ->> 'contentHash', k.version ->> 'packageHash',
    (k.version ->> 'score')::double precision, k.version ->> 'evaluation'
  from jsonb_array_elements(results) with ordinality as e (value, n),
    jsonb_to_record(e.value) as k ("tenantId" text, "runId" text, generation integer, ordinal integer,
      state text, version jsonb)
  join variants v on v.tenant_id = k."tenantId" and v.run_id = k."runId"
    and v.generation = k.generation and v.ordinal = k.ordinal and v.state = 'open'
  join refinement_roots r on r.tenant_id = v.tenant_id and r.run_id = v.run_id
  where k.state = 'done'
  order by v.run_id, v.generation, v.ordinal, e.n;

  with told as (
    select distinct on (k."runId", k.generation, k.ordinal) e.n, k.*
    from jsonb_array_elements(results) with ordinality as e (value, n),
      jsonb_to_record(e.value) as k ("tenantId" text, "runId" text, generation integer,
        ordinal integer, state text, "scoreText" text, "errorCode" text, because text, version jsonb)
    order by k."runId", k.generation, k.ordinal, e.n
  ), closed as (
    update variants v set state = t.state, closed_at = now(), progress_at = now(),
      version_id = t.version ->> 'id', score = (t.version ->> 'score')::double precision,
      error_code = t."errorCode", because = coalesce(t.because, t."errorCode"),
      (cost_micro_usd, tokens) = (select c.micro_usd, c.tokens
        from variant_cost(v.tenant_id, v.run_id, v.generation, v.ordinal, v.call_key) as c)
    from told t
    where v.tenant_id = t."tenantId" and v.run_id = t."runId" and v.generation = t.generation
      and v.ordinal = t.ordinal and v.state = 'open'
    returning t.n, v.tenant_id, v.run_id, v.generation, v.ordinal, v.call_key, v.state, v.version_id,
      v.because, v.cost_micro_usd, v.tokens, t."scoreText" as score_text
  )
  select jsonb_agg(to_jsonb(c) order by c.run_id, c.generation, c.ordinal) into won from closed c;

  if won is not null then
    perform give_back(array(select c from call_claims c
      join jsonb_to_recordset(won) as w (tenant_id text, run_id text, call_key text)
        on c.tenant_id = w.tenant_id and c.run_id = w.run_id and c.call_key = w.call_key));

    for row in select * from jsonb_to_recordset(won) as w (tenant_id text, run_id text,
      generation integer, ordinal integer, state text, version_id text, because text,
      cost_micro_usd bigint, tokens bigint, score_text text)
    loop
      perform root_act(row.tenant_id, row.run_id, 'system', 'refinement.variant_closed', format(
        '"because":%s,"generation":%s,"microUsd":%s,"ordinal":%s,"score":%s,"state":"%s","tokens":%s,"versionId":%s',
        coalesce(to_json(row.because)::text, 'null'), row.generation, row.cost_micro_usd, row.ordinal,
        case row.state when 'done' then row.score_text else 'null' end, row.state, row.tokens,
        case row.state when 'done' then '"' || row.version_id || '"' else 'null' end));
    end loop;

    for row in
      with counted as (
        select w.tenant_id, w.run_id, w.generation, count(*)::integer as number
        from jsonb_to_recordset(won) as w (tenant_id text, run_id text, generation integer)
        group by 1, 2, 3
      )
      update generations g set remaining = g.remaining - c.number,
        finished_at = case when g.remaining = c.number then now() end
      from counted c where g.tenant_id = c.tenant_id and g.run_id = c.run_id
        and g.generation = c.generation
      returning g.tenant_id, g.run_id, g.remaining
    loop
      if row.remaining = 0 and exists (select from runs r where r.tenant_id = row.tenant_id
        and r.id = row.run_id and r.state = 'parked' and r.park_reason = 'children')
      then
        perform queue_parked_run(row.tenant_id, row.run_id, 'children');
      end if;
    end loop;
  end if;

  return query select e.n::integer,
    exists (select from jsonb_to_recordset(won) as w (n integer) where w.n = e.n),
    (select g.remaining from generations g where g.tenant_id = e.value ->> 'tenantId'
      and g.run_id = e.value ->> 'runId' and g.generation = (e.value ->> 'generation')::integer)
  from jsonb_array_elements(results) with ordinality as e (value, n);
end $$;

-- What is stored of a root, as the guard reads it, with the run locked; null when the caller has lost the
-- run, or it has no root. A run that comes back to its stage with a checkpoint undecided has waited in vain;
-- one with variants open goes on without them.
create function lock_root(tenant text, run text, at_epoch integer) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  held_run runs;
  root refinement_roots;
  budget budgets;
  generation generations;
  last_merged generations;
  checkpoint checkpoints;
  forgotten jsonb;
begin
  select * into held_run from runs r where r.tenant_id = tenant and r.id = run for no key update;
  if held_run.state is distinct from 'running' or held_run.next_stage <> 'refine'
    or held_run.epoch <> at_epoch
  then return null; end if;
  select * into root from refinement_roots r where r.tenant_id = tenant and r.run_id = run;
  if not found then return null; end if;

  select jsonb_agg(jsonb_build_object('tenantId', v.tenant_id, 'runId', v.run_id,
    'generation', v.generation, 'ordinal', v.ordinal, 'state', 'cancelled',
    'because', 'the run went on without it'))
  into forgotten from variants v where v.tenant_id = tenant and v.run_id = run and v.state = 'open';
  if forgotten is not null then perform finish_variants(forgotten); end if;
  select * into checkpoint from checkpoints c where c.tenant_id = tenant and c.run_id = run
    and c.decision is null;
  if found then
    -- The run stopped waiting for it, which it only does at the end of its time.
    update checkpoints set expires_at = least(expires_at, clock_timestamp())
    where tenant_id = tenant and id = checkpoint.id;
    perform decide_checkpoint(tenant, checkpoint.id, 'expired', 'system', 'nobody answered in time');
  end if;

  select * into root from refinement_roots r where r.tenant_id = tenant and r.run_id = run;
  select * into generation from generations g where g.tenant_id = tenant and g.run_id = run
    and g.merged_at is null;
  select * into last_merged from generations g where g.tenant_id = tenant and g.run_id = run
    and g.merged_at is not null order by g.generation desc limit 1;
  checkpoint := null;
  select * into checkpoint from checkpoints c where c.tenant_id = tenant and c.run_id = run
    and c.generation = root.depth + 1 order by c.requested_at desc, c.id desc limit 1;
  select * into budget from budgets b where b.tenant_id = tenant and b.level = 'root' and b.subject = run
    and b.period = '' for no key update;
  return jsonb_build_object(
    'specificationId', held_run.specification_id, 'revision', held_run.revision,
    'limits', root.limits, 'limitsHash', root.limits_hash, 'policy', root.policy,
    'requestedBy', root.requested_by, 'documentId', root.document_id, 'packageHash', root.package_hash,
    'expanded', (select coalesce(jsonb_agg(split_part(v.call_key, ':', 3) order by v.generation, v.ordinal),
        '[]')
      from generations g join variants v on v.tenant_id = g.tenant_id and v.run_id = g.run_id
        and v.generation = g.generation
      where g.tenant_id = tenant and g.run_id = run and g.kind = 'expand'),
    'generation', case when generation.generation is not null then jsonb_build_object(
      'generation', generation.generation, 'kind', generation.kind,
      'parentId', generation.parent_version_id, 'variants', (
        select jsonb_agg(jsonb_build_object('ordinal', v.ordinal, 'strategy', v.strategy,
          'state', v.state, 'versionId', v.version_id, 'score', v.score, 'errorCode', v.error_code,
          'contentHash', x.content_hash, 'label', x.label) order by v.ordinal)
        from variants v left join versions x on x.tenant_id = v.tenant_id and x.id = v.version_id
        where v.tenant_id = tenant and v.run_id = run and v.generation = generation.generation)) end,
    'granted', (select jsonb_build_object('microUsd', coalesce(sum(c.estimate_micro_usd), 0),
        'tokens', coalesce(sum(c.estimate_tokens), 0))
      from checkpoints c where c.tenant_id = tenant and c.run_id = run and c.used_at is not null
        and c.decided_by like 'policy:%'),
    'lineage', jsonb_build_object(
      'rootId', run, 'parentId', root.bests -> -1 ->> 'id', 'depth', root.depth,
      'childrenGenerated', root.children, 'bests', root.bests,
      'spent', jsonb_build_object('microUsd', coalesce(budget.spent_micro_usd, 0),
        'tokens', coalesce(budget.spent_tokens, 0)),
      'held', jsonb_build_object('microUsd', coalesce(budget.held_micro_usd, 0),
        'tokens', coalesce(budget.held_tokens, 0)),
      'last', case when last_merged.generation is not null then jsonb_build_object(
        'kind', last_merged.kind, 'merge', last_merged.merge, 'done', (select count(*) from variants v where v.tenant_id = tenant
          and v.run_id = run and v.generation = last_merged.generation and v.state = 'done')) end,
      'generationOpen', generation.generation is not null, 'ended', root.stop_reason,
      'checkpoint', case when checkpoint.id is not null then jsonb_build_object('id', checkpoint.id,
        'decision', checkpoint.decision, 'limitsHash', checkpoint.limits_hash,
        'snapshotHash', checkpoint.snapshot_hash, 'used', checkpoint.used_at is not null) end,
      'deadlineAt', instant_text(held_run.deadline_at), 'now', instant_text(clock_timestamp())));
end $$;

-- Books a generation that the guard has granted: its row, its variants, their holds, the run's park: all
-- of it or, where the ledger refuses a hold, nothing. The caller has locked the run by lock_root. `booking` is
-- { workerId, epoch, kind, generation, estimate, snapshot, snapshotHash, limitsHash, parentId,
-- checkpointId, waitMs, act, children: [{ ordinal, callKey, strategy }] }, `holds` one for each child.
-- Answers null, or what the ledger refused.
create function book_generation(tenant text, run text, booking jsonb, holds hold_request[]) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  number integer := (booking ->> 'generation')::integer;
  size integer := jsonb_array_length(booking -> 'children');
  short jsonb;
begin
  begin
    select to_jsonb(h) into short from hold_calls(holds) as h
    where h.outcome <> 'granted' order by h.n limit 1;
    if short is not null then raise exception using errcode = 'AM001', message = 'a hold was refused'; end if;
  exception when sqlstate 'AM001' then
    return short;
  end;
  -- Booked: held like an open call, but nobody's yet, so that no worker's death ends it.
  update engine_calls c set state = 'booked'
  from unnest(holds) as h
  where c.tenant_id = tenant and c.run_id = run and c.call_key = h.call_key and c.state = 'open';
  update call_claims c set worker_id = null from unnest(holds) as h
  where c.tenant_id = tenant and c.run_id = run and c.call_key = h.call_key;

  insert into generations (tenant_id, run_id, generation, kind, children, remaining, parent_version_id,
    snapshot, snapshot_hash, limits_hash, checkpoint_id, estimate_micro_usd, estimate_tokens)
  values (tenant, run, number, booking ->> 'kind', size, size, booking ->> 'parentId', booking ->> 'snapshot',
    booking ->> 'snapshotHash', booking ->> 'limitsHash', booking ->> 'checkpointId',
    (booking -> 'estimate' ->> 'microUsd')::bigint, (booking -> 'estimate' ->> 'tokens')::bigint);
  insert into variants (tenant_id, run_id, generation, ordinal, call_key, strategy)
  select tenant, run, number, (c ->> 'ordinal')::integer, c ->> 'callKey', c ->> 'strategy'
  from jsonb_array_elements(booking -> 'children') as c;
  if booking ->> 'checkpointId' is not null then
    update checkpoints set used_at = now() where tenant_id = tenant and id = booking ->> 'checkpointId'
      and used_at is null;
    if not found then raise exception 'checkpoint % was used before', booking ->> 'checkpointId'; end if;
  end if;
  update refinement_roots set depth = number, children = children + size
  where tenant_id = tenant and run_id = run and depth = number - 1;
  if not found then raise exception 'generation % of run % is out of turn', number, run; end if;
  perform root_act(tenant, run, 'system', 'refinement.granted', booking ->> 'act');
  perform park_root(tenant, run, 'children', now() + make_interval(secs => (booking ->> 'waitMs')::double precision / 1000));
  return null;
end $$;

-- Parks a running run in its refine stage; it wakes by its deadline at the latest.
create function park_root(tenant text, run text, because text, until timestamptz) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  wake timestamptz;
begin
  update runs set state = 'parked', park_reason = because, wake_at = least(until, deadline_at),
    mark_worker_id = null, progress_at = now()
  where tenant_id = tenant and id = run returning wake_at into wake;
  perform add_run_event(tenant, run, 'run.parked', jsonb_build_object('stage', 'refine', 'reason', because,
    'wakeAt', instant_text(wake)));
end $$;

-- Asks for a decision. `asked` is { id, generation, kind, children, estimate, snapshot, reached, snapshotHash,
-- limitsHash, expiresAt, act }. The run is parked only where somebody is waited for.
create function request_checkpoint(tenant text, run text, asked jsonb, waits boolean) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  insert into checkpoints (tenant_id, id, run_id, generation, kind, children, estimate_micro_usd,
    estimate_tokens, snapshot, reached, snapshot_hash, limits_hash, requested_by, expires_at)
  select tenant, asked ->> 'id', run, (asked ->> 'generation')::integer, asked ->> 'kind',
    (asked ->> 'children')::integer,
    (asked -> 'estimate' ->> 'microUsd')::bigint, (asked -> 'estimate' ->> 'tokens')::bigint,
    asked ->> 'snapshot', asked ->> 'reached', asked ->> 'snapshotHash', asked ->> 'limitsHash',
    r.requested_by, (asked ->> 'expiresAt')::timestamptz
  from refinement_roots r where r.tenant_id = tenant and r.run_id = run;
  perform root_act(tenant, run, 'system', 'checkpoint.requested', asked ->> 'act');
  perform add_run_event(tenant, run, 'checkpoint.requested', jsonb_build_object(
    'checkpointId', asked ->> 'id', 'expiresAt', asked ->> 'expiresAt'));
  if waits then
    perform park_root(tenant, run, 'checkpoint', (asked ->> 'expiresAt')::timestamptz);
  end if;
end $$;

-- Takes a variant's booked hold over for a worker that begins it: booked becomes open. Null when there is
-- none, because it was begun before, or the variant is closed; 0 while spending is stopped.
create function adopt_booked(q hold_request) returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  adopted integer;
  is_stopped boolean := call_stopped(q.tenant_id, q.provider, q.run_id);
begin
  update engine_calls c set state = 'open', worker_id = q.worker_id, opened_at = now(),
    call = q.call, request_hash = q.request_hash, model = q.model
  where c.tenant_id = q.tenant_id and c.run_id = q.run_id and c.call_key = q.call_key
    and c.state = 'booked' and c.epoch = q.epoch and not is_stopped
    and exists (select from runs r where r.tenant_id = c.tenant_id and r.id = c.run_id
      and r.state = 'parked' and r.park_reason = 'children' and r.epoch = c.epoch)
    and exists (select from variants v where v.tenant_id = c.tenant_id and v.run_id = c.run_id
      and v.call_key = c.call_key and v.state = 'open')
  returning c.seq into adopted;
  update call_claims c set worker_id = q.worker_id, opened_at = now()
  where c.tenant_id = q.tenant_id and c.run_id = q.run_id and c.call_key = q.call_key
    and c.seq = adopted;
  if is_stopped and exists (select from engine_calls c where c.tenant_id = q.tenant_id
    and c.run_id = q.run_id and c.call_key = q.call_key and c.state = 'booked')
  then return 0; end if;
  return adopted;
end $$;

-- Whether a worker's lease has run out; one that has left in order has none, and has not died.
create function has_died(worker text) returns boolean language sql stable
  as $$ select exists (select from workers w where w.id = worker and w.alive_until <= now()) $$;

-- Claims a variant for a worker: begun (it is the worker's), busy (a live worker has it), closed. The queue
-- may bring the variant of a dead worker before stuck_variants looks: that is a death all the same, but the
-- one that makes `most` of them is left to stuck_variants.
create function begin_variant(tenant text, run text, number integer, place integer, worker text, most integer)
returns text language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  variant variants;
  died boolean;
begin
  select * into variant from variants v where v.tenant_id = tenant and v.run_id = run
    and v.generation = number and v.ordinal = place for no key update;
  if not found or variant.state <> 'open' then return 'closed'; end if;
  if not exists (select from runs r where r.tenant_id = tenant and r.id = run and r.state = 'parked'
    and r.park_reason = 'children') then return 'closed'; end if;
  if variant.worker_id <> worker and is_alive(variant.worker_id)
    and variant.progress_at > now() - attempt_patience() then return 'busy'; end if;
  died := has_died(variant.worker_id);
  if died and variant.crashes + 1 >= most then return 'busy'; end if;
  update variants set worker_id = worker, progress_at = now(), crashes = crashes + died::integer
  where tenant_id = tenant and run_id = run and generation = number and ordinal = place;
  return 'begun';
end $$;

-- Open variants that nobody alive works on, idle for a while: their jobs are added again, later ones at
-- growing distances. Those whose workers have died three times are for the caller to fail.
create function stuck_variants(idle interval, most integer)
returns table (tenant_id text, run_id text, generation integer, ordinal integer, crashes integer, n integer)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query with idle_ones as (
    select v.tenant_id, v.run_id, v.generation, v.ordinal, v.worker_id from variants v
    join runs r on r.tenant_id = v.tenant_id and r.id = v.run_id and r.state = 'parked'
      and r.park_reason = 'children'
    where v.state = 'open' and v.progress_at < now() - idle * least(power(2, v.readds), 32)
      and (v.worker_id is null or not is_alive(v.worker_id)
        or v.progress_at < now() - attempt_patience())
    order by v.progress_at limit most for no key update of v skip locked
  ), lost as (
    select lose_calls(array(select k from idle_ones i join variants v on v.tenant_id = i.tenant_id
        and v.run_id = i.run_id and v.generation = i.generation and v.ordinal = i.ordinal
      join call_claims k on k.tenant_id = v.tenant_id and k.run_id = v.run_id and k.call_key = v.call_key
      where is_lost(k)), 'worker died')
  )
  update variants v set readds = v.readds + 1, progress_at = now(),
    crashes = v.crashes + has_died(i.worker_id)::integer,
    worker_id = null
  -- Named, or nobody would call it.
  from idle_ones i cross join lost where v.tenant_id = i.tenant_id and v.run_id = i.run_id
    and v.generation = i.generation and v.ordinal = i.ordinal
  returning v.tenant_id::text, v.run_id::text, v.generation, v.ordinal, v.crashes, v.readds;
end $$;

-- Gives booked holds back whose variant is no longer open. Answers how many.
create function release_booked(most integer) returns integer language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  return give_back(array(select c from call_claims c where c.worker_id is null
      and not exists (select from variants v where v.tenant_id = c.tenant_id and v.run_id = c.run_id
        and v.call_key = c.call_key and v.state = 'open')
    order by c.run_id, c.call_key limit most));
end $$;

-- A run that ends without success in its refinement leaves nothing waiting: its checkpoint and its open
-- variants are cancelled with it, whoever ended it. Booked holds go back with the next release_booked.
create function end_refinement() returns trigger language plpgsql as $$
declare
  waiting checkpoints;
  variant variants;
begin
  if not exists (select from refinement_roots r where r.tenant_id = new.tenant_id and r.run_id = new.id)
  then return null; end if;
  select * into waiting from checkpoints c where c.tenant_id = new.tenant_id and c.run_id = new.id
    and c.decision is null;
  if found then
    perform decide_checkpoint(new.tenant_id, waiting.id, 'cancelled', coalesce(new.cancelled_by, 'system'),
      'the run ended');
  end if;
  for variant in update variants v set state = 'cancelled', closed_at = now(), because = 'the run ended',
      (cost_micro_usd, tokens) = (select c.micro_usd, c.tokens
        from variant_cost(v.tenant_id, v.run_id, v.generation, v.ordinal, v.call_key) as c)
    where v.tenant_id = new.tenant_id and v.run_id = new.id and v.state = 'open' returning v.*
  loop
    update generations g set remaining = g.remaining - 1,
      finished_at = case when g.remaining = 1 then now() end
    where g.tenant_id = variant.tenant_id and g.run_id = variant.run_id
      and g.generation = variant.generation;
    perform root_act(variant.tenant_id, variant.run_id, 'system', 'refinement.variant_closed', format(
      '"because":%s,"generation":%s,"microUsd":%s,"ordinal":%s,"score":null,"state":"cancelled","tokens":%s,"versionId":null',
      to_json(variant.because), variant.generation, variant.cost_micro_usd, variant.ordinal,
      variant.tokens));
  end loop;
  return null;
end $$;
create trigger refinement_ended after update of state on runs
  for each row when (new.state in ('failed', 'blocked', 'cancelled') and old.next_stage = 'refine')
  execute function end_refinement();

revoke all on function new_type_id, root_act, add_run_event, decide_checkpoint, variant_cost, give_back,
  finish_variants, lock_root, book_generation, park_root, request_checkpoint, adopt_booked, has_died, begin_variant, stuck_variants,
  release_booked, refuse_second_decision, end_refinement from public;
grant execute on function new_type_id, root_act, add_run_event, decide_checkpoint, variant_cost, give_back, finish_variants,
  lock_root, book_generation, park_root, request_checkpoint, adopt_booked, has_died, begin_variant, stuck_variants,
  release_booked to almanac_system;
grant execute on function new_type_id, root_act, add_run_event, decide_checkpoint, variant_cost to almanac_app;
