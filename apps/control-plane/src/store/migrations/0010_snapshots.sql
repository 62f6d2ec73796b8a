-- Snapshot templates of teams; `id` is their key at the host's agent. A pending one claims its name before its agent
-- begins: while its lease is renewed its control plane is at work on it. An abandoned one came to nothing, as far as its
-- agent told; it is kept for a while, so that nothing is lost should the agent have made it after all. A deleting one
-- has no name any more, and goes when its agent has deleted it.
create table snapshots (
  id text primary key,
  team_id text not null references teams,
  host_id text not null references hosts,
  sandbox_id text not null,
  name text not null,
  status text not null check (status in ('pending', 'ready', 'deleting', 'abandoned')),
  idempotency_key text,
  template text not null default '',
  vcpus integer not null,
  memory_mb integer not null,
  size_bytes bigint not null default 0,
  created_at timestamptz not null default now(),
  lease_expires_at timestamptz,
  check ((status = 'pending') = (lease_expires_at is not null))
);

create unique index snapshots_pending_name on snapshots (team_id, name) where status = 'pending';
create unique index snapshots_ready_name on snapshots (team_id, name) where status = 'ready';
create index snapshots_host on snapshots (host_id);
create index snapshots_sandbox on snapshots (sandbox_id);

-- Templates that a host has for all teams, as its agent last listed them.
create table base_templates (
  host_id text not null references hosts,
  name text not null,
  hash text not null,
  size_bytes bigint not null,
  created_at timestamptz not null default now(),
  primary key (host_id, name)
);
