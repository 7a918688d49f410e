-- Statements of shared/store/applying.py.

-- name: make_rows
-- Make sure that every resource has a row to lock, in the order of the keys; an empty row is filled
-- before the transaction ends.
insert into resources (cloud, kind, id)
select * from unnest($1::text[], $2::text[], $3::text[])
on conflict do nothing;

-- name: lock_rows
-- Lock and read the rows of resources, in the order of the keys (so that two writers never deadlock).
select resources.*
from resources
join unnest($1::text[], $2::text[], $3::text[]) as wanted (cloud, kind, id) using (cloud, kind, id)
order by resources.cloud, resources.kind, resources.id
for update of resources;

-- name: write_rows
-- Replace the rows of resources.
update resources
set name = new.name,
    project = new.project,
    status = new.status,
    object = new.object::jsonb,
    revision = new.revision,
    observed_at = new.observed_at,
    seen_at = new.seen_at,
    deleted_at = new.deleted_at,
    told_at = new.told_at,
    told = new.told::jsonb,
    digest = new.digest,
    first_seen = coalesce(resources.first_seen, new.seen_at, new.told_at)
from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
    $12::timestamptz[], $13::text[], $14::bytea[]
) as new (
    cloud, kind, id, name, project, status, object, revision, observed_at, seen_at, deleted_at,
    told_at, told, digest
)
where resources.cloud = new.cloud and resources.kind = new.kind and resources.id = new.id;

-- name: touch_rows
-- Note when resources were seen that did not change; their objects are not written again.
update resources
set observed_at = new.observed_at,
    seen_at = new.seen_at,
    deleted_at = new.deleted_at,
    revision = new.revision,
    told_at = new.told_at,
    told = new.told::jsonb,
    digest = new.digest,
    first_seen = coalesce(resources.first_seen, new.seen_at, new.told_at)
from unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::text[], $10::bytea[]
) as new (cloud, kind, id, revision, observed_at, seen_at, deleted_at, told_at, told, digest)
where resources.cloud = new.cloud and resources.kind = new.kind and resources.id = new.id;

-- name: add_changes
-- Write the history.
insert into changes (
    cloud, kind, resource_id, at, change, field, old, new, cause_kind, cause
)
select cloud, kind, id, at, change, field, old::jsonb, new::jsonb, cause_kind, cause
from unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[]
) as new (cloud, kind, id, at, change, field, old, new, cause_kind, cause);
