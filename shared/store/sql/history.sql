-- Statements of shared/store/history.py.

-- name: since
-- What changed on some resources of one kind after a moment, the newest first.
select changes.*
from unnest($2::text[], $3::text[]) as wanted (cloud, id)
join changes
    on changes.cloud = wanted.cloud
    and changes.kind = $1
    and changes.resource_id = wanted.id
    and changes.at > $4
order by changes.cloud, changes.resource_id, changes.at desc, changes.number desc;

-- name: begins
-- When the history of a cloud begins; null when it has none.
select min(at) from changes where cloud = $1;

-- name: around
-- What changed in a cloud between two moments on some resources ($4, $5), or on others of the same
-- project ($6; null: none), the oldest first.
select
    changes.*,
    resources.name,
    (changes.kind, changes.resource_id)
        in (select * from unnest($4::text[], $5::text[])) as linked
from changes
left join resources
    on resources.kind = changes.kind
    and resources.cloud = changes.cloud
    and resources.id = changes.resource_id
where changes.cloud = $1
    and changes.at >= $2
    and changes.at <= $3
    and (
        (changes.kind, changes.resource_id) in (select * from unnest($4::text[], $5::text[]))
        or resources.project = $6
    )
order by changes.at, changes.number
limit $7;
