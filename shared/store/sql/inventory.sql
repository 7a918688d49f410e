-- Statements of shared/store/inventory.py.

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
-- Living resources with one of some values of a field of the object, not seen since a moment: by id,
-- after $7 (null: any).
select cloud, kind, id
from resources
where kind = $2
    and cloud = $1
    and deleted_at is null
    and greatest(seen_at, told_at) < $5
    and object ->> $3 = any ($4::text[])
    and ($7::text is null or id > $7)
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
