-- Which process holds a lease, so that those of a killed one end at once instead of running out. Null in rows that an
-- older control plane wrote; what stands in a row without a lease says nothing.
alter table sandboxes add column lease_holder text;
alter table snapshots add column lease_holder text;
alter table idempotency_keys add column lease_holder text;

-- These are looked for every two seconds, and there are few among many.
create index sandboxes_pending on sandboxes (lease_holder) where status = 'pending';
create index idempotency_keys_unanswered on idempotency_keys (lease_holder) where answer is null;
