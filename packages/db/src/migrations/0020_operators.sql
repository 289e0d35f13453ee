-- Operators: those who run the installation, and their keys. They belong to no tenant, and no tenant may
-- see them.

create table operators (
  id type_id primary key,
  name text not null unique,
  created_at timestamptz not null default now()
);

create table operator_keys (
  id type_id primary key,
  operator_id type_id not null references operators,
  name text not null,
  -- SHA-256 of the secret; the secret itself is shown once and never stored.
  secret_hash text not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

-- What operators did to the installation. What they did to one tenant stands in its own audit as well.
create table operator_acts (
  id type_id primary key,
  at timestamptz not null check (at = date_trunc('milliseconds', at)),
  actor text not null,
  action text not null,
  subject text not null,
  -- Canonical JSON.
  detail text not null
);
create trigger immutable before update or delete on operator_acts for each row execute function refuse_change();
create trigger immutable_truncate before truncate on operator_acts for each statement execute function refuse_change();

do $$
declare name text;
begin
  foreach name in array array['operators', 'operator_keys', 'operator_acts'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select, insert on %I to almanac_system', name);
  end loop;
end $$;
grant update on operator_keys to almanac_system;
grant select on operators, operator_acts to almanac_operator_read;
grant select (id, operator_id, name, scopes, created_at, expires_at, revoked_at, last_used_at)
  on operator_keys to almanac_operator_read;
