-- What tenants asked for, and the ledger of periods.

create table specifications (
  tenant_id type_id not null references tenants,
  id type_id not null,
  kind text not null,
  name text not null,
  external_id text,
  state text not null default 'draft' check (state in ('draft', 'active', 'paused', 'archived')),
  -- The newest revision: new runs are bound to it.
  revision integer not null default 1,
  created_by text not null,
  activated_by text,
  activated_at timestamptz,
  -- Why a paused one is paused, in words.
  paused_because text,
  -- When the schedule has to look next; null without schedule.
  next_due_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create unique index specifications_external on specifications (tenant_id, external_id)
  where external_id is not null;
create index specifications_due on specifications (next_due_at) where state = 'active';

create table specification_revisions (
  tenant_id type_id not null,
  specification_id type_id not null,
  revision integer not null,
  -- Canonical JSON, as text: its hash is over these bytes.
  body text not null,
  hash text not null,
  cadence text not null generated always as ((body::jsonb) ->> 'cadence') stored,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, specification_id, revision),
  foreign key (tenant_id, specification_id) references specifications
);

-- Both the right to one success of a period and the schedule's ledger. Ordinal 0 is the plan, a
-- higher one was granted. Only a success consumes.
create table slots (
  tenant_id type_id not null,
  specification_id type_id not null,
  period_key text collate "C" not null,
  ordinal integer not null default 0 check (ordinal >= 0),
  state text not null check (state in ('free', 'reserved', 'consumed', 'missed', 'skipped')),
  run_id type_id,
  window_from timestamptz not null,
  window_to timestamptz not null,
  cadence text not null,
  time_zone text not null,
  -- Of schedules: when it fired, when it is tried again, until when it may be made.
  due_at timestamptz,
  retry_at timestamptz,
  deadline_at timestamptz,
  failures integer not null default 0,
  reason text,
  granted_by text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, specification_id, period_key, ordinal),
  foreign key (tenant_id, specification_id) references specifications,
  check ((state in ('reserved', 'consumed')) = (run_id is not null)),
  check (ordinal = 0 or granted_by is not null)
);
create unique index slots_run on slots (tenant_id, run_id) where run_id is not null;
create index slots_retry on slots (retry_at) where state = 'free' and retry_at is not null;
create index slots_windows on slots (tenant_id, specification_id, window_to) where state = 'consumed';
