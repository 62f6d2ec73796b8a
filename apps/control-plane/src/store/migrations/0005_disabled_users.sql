-- A disabled user's tokens, keys and login stop at once. Tokens issued before sessions_from are worth nothing.
alter table users add column disabled_at timestamptz, add column sessions_from timestamptz;

-- Whose key it is. Null: its user was deleted; the key stays the team's.
alter table api_keys add column created_by text references users on delete set null;
update api_keys set created_by = (
  select user_id from team_members where team_members.team_id = api_keys.team_id order by created_at limit 1
);
create index api_keys_created_by on api_keys (created_by);
