-- Answers of creates by Idempotency-Key. While the first request runs, `answer` is null and its control plane renews the
-- lease; when that runs out, the next request with the key takes over.
create table idempotency_keys (
  team_id text not null references teams on delete cascade,
  key text not null,
  request_hash bytea not null,
  claim text not null,
  lease_expires_at timestamptz not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (team_id, key)
);

create index idempotency_keys_created_at on idempotency_keys (created_at);
