-- Monthly partitions by the run's id, named by month. The bounds are made by the caller (they are
-- TypeIDs); this function only checks their form, so that it may run with the owner's rights.

create function ensure_partition(month text, lower_bound text, upper_bound text) returns void
language plpgsql security definer set search_path = almanac, pg_temp as $$
declare
  parent text;
  child text;
begin
  if month !~ '^\d{4}_\d{2}$' or lower_bound !~ '^run_[0-7][0-9a-hjkmnp-tv-z]{25}$'
     or upper_bound !~ '^run_[0-7][0-9a-hjkmnp-tv-z]{25}$' then
    raise exception 'not a partition: % % %', month, lower_bound, upper_bound;
  end if;
  -- Two that start at once must not both create it.
  perform pg_advisory_xact_lock(hashtext('almanac.ensure_partition'));
  foreach parent in array array['runs', 'run_events', 'stage_outputs', 'stage_tries'] loop
    child := format('%s_%s', parent, month);
    if to_regclass(child) is null then
      execute format('create table %I partition of %I for values from (%L) to (%L)',
        child, parent, lower_bound, upper_bound);
      execute format('alter table %I enable row level security', child);
      execute format('alter table %I force row level security', child);
      if parent = 'runs' then
        -- Room for the updates of a run beside its row, where they need not touch the indexes.
        execute format('alter table %I set (fillfactor = 60)', child);
      else
        -- A trigger on TRUNCATE of the parent does not see that of a partition.
        execute format('create trigger immutable_truncate before truncate on %I
          for each statement execute function refuse_change()', child);
      end if;
    end if;
  end loop;
end $$;
revoke all on function ensure_partition from public;
grant execute on function ensure_partition to almanac_system;
