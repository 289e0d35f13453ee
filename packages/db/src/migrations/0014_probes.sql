-- What endpoints were found to do of what they are asked, so that not every start has to ask again.
-- A table of the installation: no tenant sees it.
create table probes (
  endpoint text collate "C" not null,
  api text not null check (api in ('responses', 'chat')),
  model text collate "C" not null,
  -- JSON of what was found; read by the engine that probed.
  capabilities text not null,
  probed_at timestamptz not null,
  primary key (endpoint, api, model)
);

alter table probes enable row level security;
alter table probes force row level security;
create policy system on probes to almanac_system using (true) with check (true);
create policy operator_read on probes for select to almanac_operator_read using (true);
grant select, insert, update, delete on probes to almanac_system;
grant select on probes to almanac_operator_read;
