-- Who may do what. `almanac_app` acts for one tenant, the one in app.tenant; `almanac_system` runs the
-- loops and grouped commits over all tenants and reads no content; `almanac_operator_read` looks.

grant usage on schema almanac to almanac_app, almanac_system, almanac_operator_read;

do $$
declare
  name text;
  tenant_column text;
begin
  for name in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'almanac' and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname not in ('workers', 'stage_controls', 'provider_budgets')
  loop
    tenant_column := case name when 'tenants' then 'id' else 'tenant_id' end;
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy app on %I to almanac_app using (%I = current_tenant()) with check (%I = current_tenant())',
      name, tenant_column, tenant_column);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
  end loop;
end $$;

-- Tables of the installation: no tenant column, so no tenant may see them.
do $$
declare name text;
begin
  foreach name in array array['workers', 'stage_controls', 'provider_budgets'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy system on %I to almanac_system using (true) with check (true)', name);
    execute format('create policy operator_read on %I for select to almanac_operator_read using (true)', name);
    execute format('grant select, insert, update, delete on %I to almanac_system', name);
    execute format('grant select on %I to almanac_operator_read', name);
  end loop;
end $$;

-- The tenant's own work.
grant select on tenants, entitlements, slots, runs, run_events, stage_outputs, stage_tries,
  engine_calls, budgets, versions, artifacts, artifact_sets, deliveries, audit_chain to almanac_app;
grant select, insert on principals, blobs, evidence_revisions, specification_revisions, audit_events
  to almanac_app;
grant insert on audit_unchained to almanac_app;
grant select, insert, update on keys, sources, evidence_items, specifications to almanac_app;
grant select, insert, update, delete on idempotency_keys to almanac_app;
grant insert, update on slots, runs to almanac_app;
grant insert on run_events to almanac_app;
grant update on artifact_sets to almanac_app;

-- The loops' and grouped commits'. Of content, the system sees only that it is there.
grant select, insert, update on tenants, principals, keys, entitlements, specifications, slots, runs,
  run_events, stage_outputs, stage_tries, engine_calls, budgets, artifact_sets, deliveries
  to almanac_system;
grant select, insert on specification_revisions, versions, artifacts, audit_events, audit_chain
  to almanac_system;
grant select, insert, update, delete on call_claims to almanac_system;
grant select, insert, delete on audit_unchained to almanac_system;
grant select, delete on idempotency_keys to almanac_system;
grant insert on blobs to almanac_system;
grant select (tenant_id, sha256, key_id, erased_at, created_at) on blobs to almanac_system;
grant select on sources, evidence_items, evidence_revisions to almanac_system;
grant usage on schema almanac_migration to almanac_system;
grant select on almanac_migration.kysely_migration to almanac_system;

grant select on tenants, principals, entitlements, specifications, specification_revisions, slots, runs,
  run_events, stage_outputs, stage_tries, engine_calls, budgets, versions, artifacts, artifact_sets,
  deliveries, audit_events, audit_chain, audit_unchained, sources, evidence_items to almanac_operator_read;
grant select (tenant_id, id, principal_id, name, scopes, created_at, expires_at, revoked_at, last_used_at)
  on keys to almanac_operator_read;

-- What was recorded stays as it was recorded. Erasing content is the one audited exception: it sets
-- blobs.bytes to null through a path of its own.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is immutable: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

do $$
declare name text;
begin
  foreach name in array array['versions', 'artifacts', 'audit_events', 'audit_chain', 'blobs',
    'specification_revisions', 'evidence_revisions', 'run_events', 'stage_outputs', 'stage_tries'] loop
    execute format('create trigger immutable before update or delete on %I for each row execute function refuse_change()', name);
    execute format('create trigger immutable_truncate before truncate on %I for each statement execute function refuse_change()', name);
  end loop;
end $$;
