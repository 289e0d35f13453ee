-- Documents, their versions and artifacts, and where they are sent.

create table versions (
  tenant_id type_id not null,
  id type_id not null,
  run_id type_id not null,
  document_id type_id not null,
  label text not null,
  parents text[] not null default '{}',
  -- The generation of the refinement that made it; 0 for the first.
  depth integer not null default 0,
  content_hash text not null,
  package_hash text not null,
  score double precision not null,
  evaluation text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (run_id, label, tenant_id),
  foreign key (tenant_id, run_id) references runs,
  foreign key (tenant_id, content_hash) references blobs,
  foreign key (tenant_id, package_hash) references blobs
);
create index versions_document on versions (document_id, id);

create table artifacts (
  tenant_id type_id not null,
  id type_id not null,
  run_id type_id not null,
  version_id type_id not null,
  specification_id type_id not null,
  period_key text collate "C",
  format text not null,
  sha256 text not null,
  bytes integer not null,
  test boolean not null,
  classification text not null default 'non_operational_output'
    check (classification = 'non_operational_output'),
  engine text not null,
  model text not null,
  score double precision not null,
  terminology_version text not null,
  -- Head of the tenant's audit chain when the artifact was recorded.
  audit_seq bigint not null,
  audit_hash text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (run_id, format, tenant_id),
  foreign key (tenant_id, run_id) references runs,
  foreign key (tenant_id, version_id) references versions,
  foreign key (tenant_id, sha256) references blobs
);
create index artifacts_specification on artifacts (specification_id, id desc);

-- The standing of a run's artifacts: one set a period is current; a wrong one is retracted.
create table artifact_sets (
  tenant_id type_id not null,
  run_id type_id not null,
  specification_id type_id not null,
  period_key text collate "C",
  current boolean not null,
  superseded_by type_id,
  retracted_at timestamptz,
  retracted_by text,
  retracted_because text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, run_id),
  foreign key (tenant_id, run_id) references runs
);
create unique index artifact_sets_current on artifact_sets (tenant_id, specification_id, period_key)
  where current and period_key is not null;

create table deliveries (
  tenant_id type_id not null,
  id type_id not null,
  run_id type_id not null,
  deliverer text not null,
  state text not null default 'pending' check (state in ('pending', 'succeeded', 'failed')),
  attempts integer not null default 0,
  next_attempt_at timestamptz default now(),
  claimed_by type_id,
  claimed_at timestamptz,
  last_error text,
  detail jsonb,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, run_id) references runs
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'pending';
create index deliveries_run on deliveries (run_id);
