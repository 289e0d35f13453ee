-- Tenants, who acts for them, and the machines that run for all of them.
-- Ids are TypeIDs: text that sorts by time in the "C" collation.

create domain type_id as text collate "C";

create function current_tenant() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenant', true), '') $$;

create table tenants (
  id type_id primary key,
  name text not null,
  state text not null default 'active' check (state in ('active', 'suspended')),
  allow_self_approval boolean not null default false,
  -- The most runs that may be in flight at once.
  max_in_flight integer not null default 200 check (max_in_flight >= 0),
  created_at timestamptz not null default now()
);

create table principals (
  tenant_id type_id not null references tenants,
  id type_id not null,
  kind text not null check (kind in ('person', 'service', 'policy')),
  name text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table keys (
  tenant_id type_id not null,
  id type_id not null,
  principal_id type_id not null,
  name text not null,
  -- SHA-256 of the secret; the secret itself is shown once and never stored.
  secret_hash text not null,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, principal_id) references principals
);
create unique index keys_secret on keys (secret_hash);

create table entitlements (
  tenant_id type_id primary key references tenants,
  body jsonb not null,
  written_by text not null,
  written_at timestamptz not null default now()
);

create table workers (
  id type_id primary key,
  host text not null,
  pid integer not null,
  version text not null,
  -- Jobs that the worker can run at once; admission fills to twice the sum.
  capacity integer not null default 0,
  started_at timestamptz not null default now(),
  alive_until timestamptz not null
);

create table stage_controls (
  stage text primary key,
  paused boolean not null default false,
  concurrency integer check (concurrency > 0),
  reason text not null default '',
  changed_by text not null default 'system',
  changed_at timestamptz not null default now()
);
