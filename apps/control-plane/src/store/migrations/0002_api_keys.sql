-- API keys: only the SHA-256 of a key is kept; the key itself has 160 random bits, so that no salt is needed.
create table api_keys (
  id text primary key,
  team_id text not null references teams on delete cascade,
  name text not null,
  key_hash bytea not null constraint api_keys_key_hash_key unique,
  key_prefix text not null,
  created_at timestamptz not null default now(),
  last_used timestamptz
);

create index api_keys_team_newest on api_keys (team_id, created_at desc, id desc);
