-- Tells listeners (store/changes.ts) what has changed, when the change is committed. A message says which row, not what
-- is in it: that is read by whoever wants it, and by then may be newer. Only what is gone comes along.
--
-- Commits that tell something wait for each other, fsync included. So nothing is told while nobody listens: listeners
-- stand in a table, and begin only when every change is over that may not have seen them there.
create unlogged table listeners (
  id text primary key,
  -- Renewed by it, so that one that was killed is not told for ever.
  until timestamptz not null
);

create function tell(change json) returns void language plpgsql as $$
begin
  if exists (select from listeners where until > now()) then
    perform pg_notify('wrenn_changes', change::text);
  end if;
end $$;

create function sandbox_tell() returns trigger language plpgsql as $$
declare
  gone jsonb;
begin
  if tg_op <> 'DELETE' then
    perform tell(json_build_object(
      'kind', tg_argv[0], 'teamId', new.team_id, 'id', new.id));
    return null;
  end if;
  gone := to_jsonb(old) - 'actor' - 'lease_holder';
  -- A message has less than 8,000 bytes.
  if octet_length(gone::text) > 7000 then gone := gone || '{"metadata": {}}'; end if;
  perform tell(json_build_object('kind', 'gone', 'row', gone));
  return null;
end $$;

create trigger sandbox_told_created after insert on sandboxes
  for each row execute function sandbox_tell('sandbox');
create trigger sandbox_told_gone after delete on sandboxes
  for each row when (old.status <> 'stopped') execute function sandbox_tell();
-- What the API shows. What it shows and nobody changes (template, size) need not be looked at, since last_updated comes
-- with every change.
create trigger sandbox_told_changed after update on sandboxes
  for each row when (
    (old.status, old.status_reason, old.guest_ip, old.host_ip, old.started_at, old.last_updated, old.metadata)
    is distinct from
    (new.status, new.status_reason, new.guest_ip, new.host_ip, new.started_at, new.last_updated, new.metadata)
  )
  execute function sandbox_tell('sandbox');
-- Activity alone: written once a second at most, and looked at less often than that by whoever listens.
create trigger sandbox_told_active after update on sandboxes
  for each row when (
    old.last_updated = new.last_updated
    and old.last_active_at is distinct from new.last_active_at
  )
  execute function sandbox_tell('activity');

create function template_tell() returns trigger language plpgsql as $$
begin
  perform tell(json_build_object(
    'kind', 'template', 'teamId', coalesce(new.team_id, old.team_id), 'name', coalesce(new.name, old.name)));
  return null;
end $$;

create trigger snapshot_told after update on snapshots
  for each row when (old.status is distinct from new.status and 'ready' in (old.status, new.status))
  execute function template_tell();

-- Of all teams.
create function base_template_tell() returns trigger language plpgsql as $$
begin
  perform tell(json_build_object(
    'kind', 'template', 'name', coalesce(new.name, old.name)));
  return null;
end $$;

create trigger base_template_told after insert or update or delete on base_templates
  for each row execute function base_template_tell();
