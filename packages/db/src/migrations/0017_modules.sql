-- Tried pieces of work that a tenant's workflows use by reference. A definition never changes: another
-- one has another key. What a run used stands in its package.

create table modules (
  tenant_id type_id not null references tenants,
  id type_id not null,
  -- What specifications name it by.
  key text collate "C" not null,
  phase text not null,
  name text not null,
  purpose text not null,
  steps text[] not null,
  inputs text[] not null,
  outputs text[] not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (key, tenant_id)
);

alter table modules enable row level security;
alter table modules force row level security;
create policy app on modules to almanac_app using (tenant_id = current_tenant())
  with check (tenant_id = current_tenant());
create policy system on modules to almanac_system using (true) with check (true);
create policy operator_read on modules for select to almanac_operator_read using (true);
grant select, insert, delete on modules to almanac_app;
grant select on modules to almanac_system, almanac_operator_read;
