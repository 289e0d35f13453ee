-- What stages read, each in one round trip: the function itself sets the tenant, for the length of the
-- statement's transaction, and Row-Level Security applies to everything inside it.

create function load_run(tenant text, run text) returns table (
  specification_id text, revision integer, state text, epoch integer, next_stage text, tries integer,
  trigger text, lane text, test boolean, fresh boolean, narrow jsonb, period text, ordinal integer,
  on_conflict text, origin jsonb, deadline_at timestamptz, created_at timestamptz, outputs jsonb,
  origin_outputs jsonb)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
  perform set_config('app.tenant', tenant, true);
  return query select r.specification_id::text, r.revision, r.state, r.epoch, r.next_stage, r.tries,
    r.trigger, r.lane, r.test, r.fresh, r.narrow, r.period, r.ordinal,
    r.on_conflict, r.origin, r.deadline_at, r.created_at,
    (select jsonb_object_agg(o.stage, o.output) from stage_outputs o
      where o.tenant_id = tenant and o.run_id = run),
    case when r.origin is not null then (select jsonb_object_agg(o.stage, o.output) from stage_outputs o
      where o.tenant_id = tenant and o.run_id = r.origin ->> 'runId') end
  from runs r where r.tenant_id = tenant and r.id = run;
end $$;

-- `month_floor` is the lowest run id of the month that the run was made in. A run counts against the
-- quota of on-demand runs with those that came before it, blocked and cancelled ones aside.
create function bound_specification(tenant text, specification text, wanted integer, run text, month_floor text)
returns table (
  state text, tenant_name text, tenant_state text, body text, hash text, entitlement jsonb,
  on_demand_runs integer)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
  perform set_config('app.tenant', tenant, true);
  return query select s.state, t.name, t.state, v.body, v.hash, e.body,
    case when v.cadence <> 'on_demand' then 0 else (
      select count(*)::integer from runs r
      where r.tenant_id = tenant and r.id between month_floor and run and r.period_key is null
        and not r.test and r.state not in ('blocked', 'cancelled'))
    end
  from specifications s
  join specification_revisions v on v.tenant_id = s.tenant_id and v.specification_id = s.id
    and v.revision = wanted
  join tenants t on t.id = s.tenant_id
  left join entitlements e on e.tenant_id = s.tenant_id
  where s.tenant_id = tenant and s.id = specification;
end $$;

create function read_blob(tenant text, wanted text)
returns table (key_id text, bytes bytea)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
  perform set_config('app.tenant', tenant, true);
  return query select b.key_id, b.bytes from blobs b where b.tenant_id = tenant and b.sha256 = wanted;
end $$;

-- The newest revisions in [starts, ends) by instant, then id; items whose content was erased are gone.
create function evidence_in_window(tenant text, names text[], starts timestamptz, ends timestamptz)
returns table (source text, item_id text, revision integer, hash text, key_id text, bytes bytea)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
  perform set_config('app.tenant', tenant, true);
  -- Source by source, item by item, whatever the statistics say; see earlier_successes.
  return query select s.name, e.item_id, e.revision, e.hash, b.key_id, b.bytes
  from sources s
  cross join lateral (select i.item_id, i.revision, i.hash, i.published_at from evidence_items i
    where i.tenant_id = s.tenant_id and i.source_id = s.id
      and i.published_at >= starts and i.published_at < ends offset 0) as e
  cross join lateral (select c.key_id, c.bytes from blobs c where c.tenant_id = s.tenant_id
    and c.sha256 = e.hash and c.bytes is not null offset 0) as b
  where s.tenant_id = tenant and s.name = any (names)
  order by e.published_at, (s.name || '/' || e.item_id) collate "C";
end $$;

create function late_evidence(tenant text, names text[], starts timestamptz, since timestamptz)
returns integer
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform set_config('app.tenant', tenant, true);
  return (select count(*) from sources s
    cross join lateral (select from evidence_items i where i.tenant_id = s.tenant_id
      and i.source_id = s.id and i.published_at < starts and i.first_imported_at > since offset 0) as e
    where s.tenant_id = tenant and s.name = any (names));
end $$;

-- Earlier periods' successes that still stand, newest first, with the hash of the JSON artifact.
create function earlier_successes(tenant text, specification text, starts timestamptz)
returns table (run_id text, period_key text, finished_at timestamptz, artifact_hash text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off as $$
#variable_conflict use_column
begin
  perform set_config('app.tenant', tenant, true);
  -- In this order, each row by its whole key, whatever the statistics say: a plan made while the tables
  -- are empty is kept. As plain joins, tenant and run would be one condition and one filter: where
  -- nothing is stored yet that looks as good, and later reads all runs of the tenant for each row.
  return query select r.id::text, s.period_key, r.finished_at, a.sha256
  from slots s
  cross join lateral (select from artifact_sets t where t.tenant_id = s.tenant_id
    and t.run_id = s.run_id and t.current and t.retracted_at is null offset 0) as t
  cross join lateral (select r.id, r.finished_at from runs r where r.tenant_id = s.tenant_id
    and r.id = s.run_id offset 0) as r
  left join lateral (select a.sha256 from artifacts a where a.tenant_id = s.tenant_id
    and a.run_id = s.run_id and a.format = 'json' offset 0) as a on true
  where s.tenant_id = tenant and s.specification_id = specification and s.state = 'consumed'
    and s.window_to <= starts
  order by s.window_to desc, s.period_key desc limit 12;
end $$;

revoke all on function load_run, bound_specification, read_blob, evidence_in_window, late_evidence,
  earlier_successes from public;
grant execute on function load_run, bound_specification, read_blob, evidence_in_window, late_evidence,
  earlier_successes to almanac_app;
