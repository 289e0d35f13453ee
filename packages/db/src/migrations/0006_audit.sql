-- What was done, by whom; linked into one gapless hash chain a tenant by the chain loop.

create table audit_events (
  tenant_id type_id not null references tenants,
  id type_id not null,
  -- Milliseconds precision: the instant as it stands in the hashed text.
  at timestamptz not null check (at = date_trunc('milliseconds', at)),
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

-- What the chain loop has still to link, so that it need not search all of history.
create table audit_unchained (
  tenant_id type_id not null,
  event_id type_id not null,
  primary key (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit_events
);

create function note_unchained() returns trigger language plpgsql as $$
begin
  insert into audit_unchained (tenant_id, event_id) values (new.tenant_id, new.id);
  return null;
end $$;
create trigger unchained after insert on audit_events for each row execute function note_unchained();

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
