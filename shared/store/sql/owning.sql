-- Statements of shared/store/owning.py.

-- name: share
-- Let no owner of some kinds be buried until the transaction ends; the keys are in ascending order.
select pg_advisory_xact_lock_shared(key) from unnest($1::bigint[]) as key;

-- name: hold
-- Let nothing of some kinds be written until the transaction ends; the keys are in ascending order.
select pg_advisory_xact_lock(key) from unnest($1::bigint[]) as key;

-- name: dead
-- Which of some resources are remembered as deleted, and since when.
select owner.cloud, owner.kind, owner.id, owner.deleted_at
from unnest($1::text[], $2::text[], $3::text[]) as asked (cloud, kind, id),
    lateral (
        select resources.cloud, resources.kind, resources.id, resources.deleted_at
        from resources
        where resources.cloud = asked.cloud
            and resources.kind = asked.kind
            and resources.id = asked.id
            and resources.deleted_at is not null
        offset 0
    ) as owner;

-- name: below
-- What some resources own, with its owner: what lives and names one by a link that says so.
select links.cloud, links.kind, links.id, links.to_kind, links.to_key
from unnest($1::text[], $2::text[], $3::text[]) as owner (cloud, kind, id)
join links
    on links.cloud = owner.cloud
    and links.to_kind = owner.kind
    and links.by = 'id'
    and links.to_key = owner.id
join unnest($4::text[], $5::text[], $6::text[]) as owned (kind, name, to_kind)
    on owned.kind = links.kind
    and owned.name = links.name
    and owned.to_kind = links.to_kind;
