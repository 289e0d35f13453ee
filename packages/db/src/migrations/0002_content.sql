-- Content, stored once under the hash of its plaintext; and the evidence that sources delivered.

create table blobs (
  tenant_id type_id not null references tenants,
  sha256 text not null,
  -- The key that sealed the bytes; null when they are stored as they are.
  key_id text,
  -- Null once the content was erased: the hash stays as a tombstone.
  bytes bytea,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, sha256),
  check ((bytes is null) = (erased_at is not null))
);
alter table blobs alter column bytes set storage external;

-- Stores the blobs that `bytes` holds one behind the other: where each lies, says `blobs`, a JSON array of
-- `{ tenantId, hash, keyId, start, length }`. In one order everywhere, so that two writers of the same
-- blobs never wait in a circle.
create function put_blobs(blobs jsonb, bytes bytea) returns void
language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  insert into blobs (tenant_id, sha256, key_id, bytes)
  select b."tenantId", b.hash, b."keyId", substring(put_blobs.bytes from b.start for b.length)
  from jsonb_to_recordset(put_blobs.blobs) as b ("tenantId" text, hash text, "keyId" text,
    start integer, length integer)
  order by b."tenantId", b.hash
  on conflict do nothing;
end $$;

create table sources (
  tenant_id type_id not null references tenants,
  id type_id not null,
  name text not null,
  -- Which field of a source's line holds what; see evidence import.
  mapping jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, name)
);

-- The newest revision of every item.
create table evidence_items (
  tenant_id type_id not null,
  source_id type_id not null,
  item_id text collate "C" not null,
  revision integer not null,
  hash text not null,
  published_at timestamptz not null,
  first_imported_at timestamptz not null default now(),
  primary key (tenant_id, source_id, item_id),
  foreign key (tenant_id, source_id) references sources
);
-- Partial, though the column is never null, so that only queries about instants can use it: without
-- statistics a planner takes it for the primary key to check the foreign key below, row by row, and the
-- first import would be quadratic.
create index evidence_items_window on evidence_items (tenant_id, source_id, published_at)
  where published_at is not null;

-- Every revision that ever was: packages pin them.
create table evidence_revisions (
  tenant_id type_id not null,
  source_id type_id not null,
  item_id text collate "C" not null,
  revision integer not null,
  hash text not null,
  published_at timestamptz not null,
  imported_at timestamptz not null default now(),
  primary key (tenant_id, source_id, item_id, revision),
  foreign key (tenant_id, source_id, item_id) references evidence_items
);
