-- What has happened to each sandbox, written by a trigger: so in the transaction of the change itself, whoever makes it.
-- `actor` of a sandbox is how the trigger learns who it was: {kind, id, name}, given with the change or, where an agent
-- makes it and anybody may learn of it first, just before. It is gone with the change; without it Wrenn did it by itself.
alter table sandboxes add column actor jsonb;
-- Who asked for the snapshot: whoever finishes it stops its sandbox in their name.
alter table snapshots add column actor jsonb;

create table sandbox_events (
  -- In order for each sandbox: its row is locked by each change.
  id bigint generated always as identity primary key,
  -- Deferred: the trigger writes the first event just before the sandbox itself.
  sandbox_id text not null references sandboxes on delete cascade deferrable initially deferred,
  at timestamptz not null default now(),
  type text not null check (type in ('created', 'started', 'paused', 'resumed', 'stopped', 'failed')),
  by_kind text not null check (by_kind in ('user', 'api_key', 'platform')),
  by_id text,
  by_name text,
  reason text,
  check ((by_kind = 'platform') = (by_id is null))
);

create index sandbox_events_newest on sandbox_events (sandbox_id, id desc);

create function sandbox_event_write() returns trigger language plpgsql as $$
declare
  happened text := case
    when tg_op = 'INSERT' then 'created'
    when new.status = 'running' and old.status = 'pending' then 'started'
    -- Also of one that was shown as running all the while: its host has paused and resumed, or booted it.
    when new.status = 'running' then 'resumed'
    when new.status = 'error' then 'failed'
    else new.status
  end;
  why text := case
    when happened = 'resumed' and old.status = 'running'
    then coalesce(new.status_reason, 'It was paused in between, as when the platform stops.')
    else new.status_reason
  end;
begin
  insert into sandbox_events (sandbox_id, type, by_kind, by_id, by_name, reason)
  values (
    new.id, happened,
    coalesce(new.actor ->> 'kind', 'platform'), new.actor ->> 'id', new.actor ->> 'name',
    why
  );
  new.actor := null;
  return new;
end $$;

create trigger sandbox_event_created before insert on sandboxes
  for each row execute function sandbox_event_write();

create trigger sandbox_event_changed before update on sandboxes
  for each row when (
    old.status <> new.status and new.status <> 'pending'
    or new.status = 'running' and old.generation < new.generation
    -- It turned out to be a snapshot after all.
    or new.status = 'stopped' and old.status_reason is distinct from new.status_reason
  )
  execute function sandbox_event_write();

-- Of what was there before, as much as is known: that it was created, and how it came to be as it is.
insert into sandbox_events (sandbox_id, at, type, by_kind, reason)
select id, created_at, 'created', 'platform', 'Who did it was not kept at that time.' from sandboxes;

insert into sandbox_events (sandbox_id, at, type, by_kind, reason)
select
  id,
  case status when 'running' then coalesce(started_at, last_updated)
    when 'paused' then coalesce(paused_at, last_updated)
    else last_updated end,
  case status when 'running' then 'started' when 'error' then 'failed' else status end,
  'platform',
  coalesce(status_reason, 'Who did it was not kept at that time.')
from sandboxes where status <> 'pending' order by last_updated;
