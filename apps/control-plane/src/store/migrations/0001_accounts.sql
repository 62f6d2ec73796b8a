-- Accounts: a user belongs to teams; everything else belongs to a team.
create table users (
  id text primary key,
  email text not null constraint users_email_key unique,
  password_hash text not null,
  created_at timestamptz not null default now()
);

create table teams (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);

create table team_members (
  team_id text not null references teams on delete cascade,
  user_id text not null references users on delete cascade,
  role text not null check (role in ('owner', 'member')),
  created_at timestamptz not null default now(),
  primary key (team_id, user_id)
);

create index team_members_user_id on team_members (user_id);
