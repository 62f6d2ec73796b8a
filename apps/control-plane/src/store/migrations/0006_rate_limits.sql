-- How much of a limit is used in the window that runs now. Unlogged: after a crash every window begins anew.
-- `granted` is what the last reservation got.
create unlogged table rate_limits (
  key text primary key,
  used integer not null,
  granted integer not null,
  ends_at timestamptz not null
);

create index rate_limits_ends_at on rate_limits (ends_at);
