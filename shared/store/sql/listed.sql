-- Statements of shared/store/listed.py.

-- name: touch_same
-- Note that living rows of one kind were seen again as they are, and return their ids, which are
-- given in ascending order. Rows are looked up one by one, by their keys alone: so that they are
-- locked in that order (and two writers never deadlock), and so that the plan does not hang on
-- statistics, which lag behind in a table that fills. They are found again by ctid, which cannot
-- move while they are locked.
with known as (
    select row.*
    from unnest($3::text[], $4::bytea[]) as listed (id, digest),
        lateral (
            select
                resources.ctid,
                resources.digest = listed.digest
                    and resources.deleted_at is null
                    and resources.observed_at <= $5
                    -- Else the read may be older than what a notification told, or settles it.
                    and resources.told is null as same
            from resources
            where resources.kind = $2 and resources.cloud = $1 and resources.id = listed.id
            for no key update
        ) as row
)
update resources
set observed_at = $5, seen_at = greatest(seen_at, $5)
where ctid = any (array(select ctid from known where same))
returning id;

-- name: add_new
-- Write the rows that are not there yet, in the order of their keys, with the change that says so;
-- return their ids.
with made as (
    insert into resources (
        cloud, kind, id, name, project, status, object, revision, digest, observed_at, seen_at,
        first_seen
    )
    select $1, $2, id, name, project, status, object::jsonb, revision, digest, $3, $3, $3
    from unnest(
        $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bytea[]
    ) as listed (id, name, project, status, object, revision, digest)
    order by id
    on conflict do nothing
    returning id
)
insert into changes (cloud, kind, resource_id, at, change, cause_kind, cause)
select $1, $2, id, $3, 'created', $11, $12
from made
returning resource_id;
