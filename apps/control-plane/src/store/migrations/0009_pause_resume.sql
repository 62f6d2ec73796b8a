-- Sandboxes that are paused and resumed. `generation`: of the agent's report that the row shows; of two reports the one
-- with the higher generation is the newer. `reserved_until`: a resume or pause is under way and counts against its team's
-- limits until then. `retention_warned_at`: when the log said that the end of a long pause is near.
alter table sandboxes
  add column generation bigint not null default 0,
  add column on_timeout text not null default 'pause' check (on_timeout in ('pause', 'destroy')),
  add column paused_at timestamptz,
  add column reserved text check (reserved in ('running', 'paused')),
  add column reserved_until timestamptz,
  add column retention_warned_at timestamptz,
  add check ((reserved is null) = (reserved_until is null));
