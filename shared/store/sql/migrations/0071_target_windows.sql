-- Targets wait within a window, so that several can share one API call.

alter table targets
-- From when it may be read together with a target that is due; never after due_at.
add column ready_at timestamptz,
-- It is not due before, whoever asks: what was just created may not live so long.
add column held_until timestamptz;

update targets set ready_at = due_at;

alter table targets alter column ready_at set not null;
-- What can share an API call with a target that is due.
create index targets_by_readiness on targets (cloud, kind, by, ready_at);
drop index targets_by_group;
