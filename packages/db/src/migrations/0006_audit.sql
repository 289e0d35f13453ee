-- What was done, by whom; linked into one gapless hash chain a tenant by the chain loop.

create table audit_events (
  tenant_id type_id not null references tenants,
  id type_id not null,
  -- Milliseconds precision: the instant as it stands in the hashed text.
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  -- Canonical JSON.
  detail text not null,
  primary key (tenant_id, id)
);

create table audit_chain (
  tenant_id type_id not null,
  seq bigint not null check (seq > 0),
  event_id type_id not null,
  previous_hash text not null,
  -- SHA-256 of the canonical JSON of { seq, previousHash, event }.
  hash text not null,
  linked_at timestamptz not null default now(),
  primary key (tenant_id, seq),
  unique (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit_events
);

create table idempotency_keys (
  tenant_id type_id not null references tenants,
  route text not null,
  key text not null,
  body_hash text not null,
  -- Null while the first request is being answered.
  status integer,
  response text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, route, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
