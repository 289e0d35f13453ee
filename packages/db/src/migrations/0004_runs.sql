-- Runs, what their stages gave, what their calls cost. History is partitioned by the run's id, whose
-- order is that of time; calls are not, because money is asked for across runs.

create table runs (
  tenant_id type_id not null references tenants,
  id type_id not null,
  specification_id type_id not null,
  revision integer not null,
  state text not null check (state in
    ('queued', 'running', 'parked', 'cancelling', 'succeeded', 'failed', 'blocked', 'cancelled')),
  -- Fencing: rises whenever the run enters the queue anew or is taken over.
  epoch integer not null default 1,
  next_stage text not null default 'retrieve',
  -- Failed tries, deaths of the worker, and re-added jobs of the next stage.
  tries integer not null default 0,
  crashes integer not null default 0,
  readds integer not null default 0,
  -- The worker that started a re-added job; see the sweep.
  mark_worker_id type_id,
  progress_at timestamptz,
  park_reason text,
  wake_at timestamptz,
  trigger text not null,
  lane text not null default 'interactive',
  test boolean not null default false,
  fresh boolean not null default false,
  narrow jsonb,
  -- The period that was asked for, and the one that the run covers.
  period text,
  period_key text collate "C",
  ordinal integer not null default 0,
  on_conflict text not null default 'refuse',
  origin jsonb,
  metadata jsonb not null default '{}',
  external_id text,
  deadline_at timestamptz,
  requested_by text not null,
  cancelled_by text,
  error_code text,
  error_params jsonb,
  error_detail text,
  event_seq integer not null default 0,
  document_id type_id,
  score double precision,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, specification_id, revision) references specification_revisions,
  check ((state = 'parked') = (park_reason is not null)),
  check ((state = 'parked') = (wake_at is not null))
) partition by range (id);
create index runs_queued on runs (tenant_id, id) where state = 'queued';
create index runs_expiring on runs (deadline_at) where state = 'queued';
-- Not on progress_at: a column that every commit changes would make each of them write all indexes.
create index runs_running on runs (tenant_id, id) where state = 'running';
create index runs_cancelling on runs (id) where state in ('cancelling', 'cancelled');
create index runs_parked on runs (wake_at) where state = 'parked';
create index runs_suspended on runs (tenant_id, id) where state = 'parked' and park_reason = 'tenant_suspended';
create index runs_waiting on runs (tenant_id, specification_id, period_key, id)
  where state = 'parked' and park_reason = 'slot';
-- Like every index beside a primary key, it does not begin with tenant_id: on a table that is empty when
-- a plan is made, one that does looks as good for `tenant_id = … and id = …` as the key, and is taken.
create index runs_specification on runs (specification_id, id desc);

-- The database refuses a move that is not in the table of transitions.
create function refuse_transition() returns trigger language plpgsql as $$
begin
  if not (case old.state
    when 'queued' then new.state in ('running', 'blocked', 'failed', 'cancelled')
    when 'running' then new.state in ('queued', 'parked', 'succeeded', 'failed', 'blocked', 'cancelling')
    when 'parked' then new.state in ('queued', 'blocked', 'failed', 'cancelled')
    when 'cancelling' then new.state = 'cancelled'
    else false
  end) then
    raise exception 'run %: % cannot become %', old.id, old.state, new.state
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger runs_transition before update of state on runs
  for each row when (old.state is distinct from new.state) execute function refuse_transition();

create table run_events (
  tenant_id type_id not null,
  run_id type_id not null,
  -- Gapless within a run, taken under the run's lock.
  seq integer not null,
  type text not null,
  data jsonb not null,
  at timestamptz not null default now(),
  primary key (tenant_id, run_id, seq),
  foreign key (tenant_id, run_id) references runs
) partition by range (run_id);

create table stage_outputs (
  tenant_id type_id not null,
  run_id type_id not null,
  stage text not null,
  epoch integer not null,
  worker_id type_id not null,
  output text not null,
  duration_ms integer not null,
  at timestamptz not null default now(),
  primary key (tenant_id, run_id, stage),
  foreign key (tenant_id, run_id) references runs
) partition by range (run_id);

create table stage_tries (
  tenant_id type_id not null,
  run_id type_id not null,
  stage text not null,
  epoch integer not null,
  try integer not null,
  worker_id type_id not null,
  code text not null,
  duration_ms integer not null,
  at timestamptz not null default now(),
  primary key (tenant_id, run_id, stage, epoch, try),
  foreign key (tenant_id, run_id) references runs
) partition by range (run_id);

-- One row a send of a call: the claim, the hold, and what became of it.
create table engine_calls (
  tenant_id type_id not null,
  run_id type_id not null,
  call_key text collate "C" not null,
  seq integer not null,
  specification_id type_id not null,
  stage text not null,
  cause text not null,
  epoch integer not null,
  worker_id type_id not null,
  state text not null check (state in
    ('booked', 'open', 'settled', 'released', 'unknown', 'charged')),
  provider text not null,
  -- The model that was asked for, and what was served.
  model text not null,
  served_model text,
  tier text,
  -- Canonical JSON of the call; with the package it rebuilds the request whose hash this is.
  call text not null,
  request_hash text not null,
  package_hash text not null,
  hold_micro_usd bigint not null check (hold_micro_usd >= 0),
  hold_tokens bigint not null check (hold_tokens >= 0),
  -- The UTC day and month that the hold and its settlement count in.
  hold_day date not null,
  hold_month date not null,
  outcome text,
  reason text,
  input_tokens bigint,
  cached_input_tokens bigint,
  output_tokens bigint,
  estimated boolean,
  cost_micro_usd bigint,
  engine_ms integer,
  provider_request_id text,
  output_hash text,
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  -- When the answer was lost, while its loss is neither settled nor charged.
  unknown_at timestamptz,
  primary key (tenant_id, run_id, call_key, seq),
  check ((state = 'unknown') = (unknown_at is not null))
-- A row is written twice, the second time longer. No index names what a settlement changes, and a page
-- has room for both versions of all its calls: so no index hears of a settlement.
) with (fillfactor = 40);
-- Where an equal request was answered before.
create index engine_calls_request on engine_calls using hash (request_hash);
create index engine_calls_unknown on engine_calls (unknown_at) where unknown_at is not null;

-- A call belongs to a run, as the children of all other tables do. Looked up for all calls of a statement
-- together, which costs a third of what a foreign key's row by row does; and a run cannot go, since nobody
-- may delete one.
create function refuse_orphans() returns trigger language plpgsql as $$
declare
  orphan record;
begin
  select a.tenant_id, a.run_id into orphan from added a where not exists (
    select from runs r where r.tenant_id = a.tenant_id and r.id = a.run_id) limit 1;
  if found then
    raise foreign_key_violation using message =
      format('tenant %s has no run %s for a call of it', orphan.tenant_id, orphan.run_id);
  end if;
  return null;
end $$;
revoke all on function refuse_orphans from public;
create trigger of_run after insert on engine_calls referencing new table as added
  for each statement execute function refuse_orphans();

-- The calls that are under way, one at a time per call key, and those that are booked, which nobody has
-- begun yet and which have no worker. A row goes with the end of its call: all calls pass through this
-- table, and few are ever in it.
create table call_claims (
  tenant_id type_id not null,
  run_id type_id not null,
  call_key text collate "C" not null,
  seq integer not null,
  worker_id type_id,
  opened_at timestamptz not null default now(),
  primary key (tenant_id, run_id, call_key)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Held and spent of every limit. Levels: root (a run's tree), specification, tenant_day,
-- tenant_month, provider_day. `subject` is the run, specification, tenant or provider; `period` the
-- UTC day or month, or '' where the level has none.
create table budgets (
  tenant_id type_id not null references tenants,
  level text not null check (level in ('root', 'specification', 'tenant_day', 'tenant_month')),
  subject text collate "C" not null,
  period text collate "C" not null default '',
  limit_micro_usd bigint check (limit_micro_usd >= 0),
  limit_tokens bigint check (limit_tokens >= 0),
  held_micro_usd bigint not null default 0,
  held_tokens bigint not null default 0,
  spent_micro_usd bigint not null default 0,
  spent_tokens bigint not null default 0,
  overrun_micro_usd bigint not null default 0,
  version bigint not null default 0,
  primary key (tenant_id, level, subject, period)
-- Every call changes its rows, and no index needs to hear of it.
) with (fillfactor = 50);

-- The installation's own limits by provider key and day; no tenant reads them.
create table provider_budgets (
  provider text not null,
  day date not null,
  limit_micro_usd bigint check (limit_micro_usd >= 0),
  held_micro_usd bigint not null default 0,
  spent_micro_usd bigint not null default 0,
  overrun_micro_usd bigint not null default 0,
  version bigint not null default 0,
  primary key (provider, day)
);
