-- Labels of a sandbox: string to string, its team's own.
alter table sandboxes add column metadata jsonb not null default '{}';

-- Lists with ?status=stopped; those without are served by sandboxes_team_newest.
create index sandboxes_team_stopped on sandboxes (team_id, created_at desc, id desc) where status = 'stopped';
