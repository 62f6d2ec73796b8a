-- Hosts: machines that run sandboxes, known by the instance id of their agent.
create table hosts (
  id text primary key,
  instance_id text not null constraint hosts_instance_id_key unique,
  created_at timestamptz not null default now()
);

-- Sandboxes. A pending row has a lease that its creator renews: when it runs out, the creator is gone.
create table sandboxes (
  id text primary key,
  team_id text not null references teams,
  host_id text not null references hosts,
  status text not null check (status in ('pending', 'running', 'paused', 'stopped', 'error')),
  status_reason text,
  template text not null,
  vcpus integer not null,
  memory_mb integer not null,
  timeout_sec integer not null,
  guest_ip text,
  host_ip text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  last_active_at timestamptz,
  last_updated timestamptz not null default now(),
  lease_expires_at timestamptz,
  check ((status = 'pending') = (lease_expires_at is not null))
);

create index sandboxes_team_newest on sandboxes (team_id, created_at desc, id desc) where status <> 'stopped';
create index sandboxes_host on sandboxes (host_id) where status <> 'stopped';
