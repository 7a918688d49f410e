-- Statements of shared/store/inventory.py.

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

-- name: mark_seen
-- Note that living resources were found at a moment, without looking at them closely.
update resources
set seen_at = $4
from unnest($1::text[], $2::text[], $3::text[]) as found (cloud, kind, id)
where resources.cloud = found.cloud
    and resources.kind = found.kind
    and resources.id = found.id
    and resources.deleted_at is null
    and (resources.seen_at is null or resources.seen_at < $4);

-- name: find
-- One page of the resources of a kind, by cloud and id, after ($4, $5); null means any.
select *
from resources
where kind = $1
    and ($2::text is null or cloud = $2)
    and ($3 or deleted_at is null)
    and ($4::text is null or (cloud, id) > ($4, $5::text))
    and ($7::text is null or project = $7)
    and ($8::text is null or lower(status) = lower($8))
    and ($9::text is null or name like $9)
order by cloud, id
limit $6;

-- name: get
-- One resource, deleted or not.
select * from resources where cloud = $1 and kind = $2 and id = $3;

-- name: changes
-- The history of one resource, newest first.
select *
from changes
where cloud = $1 and kind = $2 and resource_id = $3
order by at desc, number desc
limit $4;

-- name: counts
-- How many resources of each kind live, and how many are remembered as deleted.
select
    cloud,
    kind,
    count(*) filter (where deleted_at is null) as living,
    count(*) filter (where deleted_at is not null) as deleted
from resources
group by cloud, kind
order by cloud, kind;

-- name: unseen
-- Living resources of a kind that no read found, and no notification described, since a moment:
-- by id, after $4 (null: any), of project $6 (null: any).
select cloud, kind, id
from resources
where kind = $2
    and cloud = $1
    and deleted_at is null
    and greatest(seen_at, told_at) < $3
    and ($4::text is null or id > $4)
    and ($6::text is null or project = $6)
order by id
limit $5;

-- name: briefs
-- The project and status of some living resources.
select resources.cloud, resources.kind, resources.id, resources.project, resources.status
from resources
join unnest($1::text[], $2::text[], $3::text[]) as asked (cloud, kind, id)
    using (cloud, kind, id)
where resources.deleted_at is null;

-- name: unseen_of
-- Living resources with one of some values of a field of the object, not seen since a moment.
select cloud, kind, id
from resources
where kind = $2
    and cloud = $1
    and deleted_at is null
    and greatest(seen_at, told_at) < $5
    and object ->> $3 = any ($4::text[])
order by id
limit $6;

-- name: purge_tombstones
-- Forget some of the resources deleted before a moment; skip what others hold.
delete from resources
where ctid = any (array(
    select ctid from resources where deleted_at < $1 limit $2 for update skip locked
));

-- name: purge_changes
-- Forget some of the changes made before a moment.
delete from changes
where ctid = any (array(select ctid from changes where at < $1 limit $2));
