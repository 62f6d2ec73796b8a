-- Accounts of OAuth providers. A user who came by one of them has no password.
alter table users alter column password_hash drop not null;

create table oauth_providers (
  provider text not null,
  provider_id text not null,
  user_id text not null references users on delete cascade,
  email text not null,
  created_at timestamptz not null default now(),
  constraint oauth_providers_pkey primary key (provider, provider_id)
);

create index oauth_providers_user_id on oauth_providers (user_id);

-- States of logins that came back, until they would have expired anyway: none is used twice.
create table used_oauth_states (
  nonce text primary key,
  expires_at timestamptz not null
);

create index used_oauth_states_expires_at on used_oauth_states (expires_at);
