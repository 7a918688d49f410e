-- Statements of shared/store/links.py.

-- name: remove_all
-- Forget every link that objects tell.
delete from links
using unnest($1::text[], $2::text[], $3::text[]) as gone (cloud, kind, id)
where links.cloud = gone.cloud and links.kind = gone.kind and links.id = gone.id;

-- name: remove
-- Forget links that objects no longer tell.
delete from links
using unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]
) as gone (cloud, kind, id, name, to_kind, by, to_key)
where links.cloud = gone.cloud
    and links.kind = gone.kind
    and links.id = gone.id
    and links.name = gone.name
    and links.to_kind = gone.to_kind
    and links.by = gone.by
    and links.to_key = gone.to_key;

-- name: add
-- Note links that objects tell.
insert into links (cloud, kind, id, name, to_kind, by, to_key)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]
)
on conflict do nothing;

-- name: around
-- Everything that an object names, and everything that names it, living or not; a link by name
-- leads to every living object of that name.
select
    links.name,
    true as outward,
    links.to_kind as kind,
    case when links.by = 'id' then links.to_key else other.id end as id
from links
left join resources as other
    on links.by = 'name'
    and other.cloud = links.cloud
    and other.kind = links.to_kind
    and other.name = links.to_key
    and other.deleted_at is null
where links.cloud = $1 and links.kind = $2 and links.id = $3
    and (links.by = 'id' or other.id is not null)
union
select links.name, false, links.kind, links.id
from links
where links.cloud = $1 and links.to_kind = $2 and links.by = 'id' and links.to_key = $3
union
select links.name, false, links.kind, links.id
from resources as this
join links
    on links.cloud = this.cloud
    and links.to_kind = this.kind
    and links.by = 'name'
    and links.to_key = this.name
where this.cloud = $1 and this.kind = $2 and this.id = $3 and this.deleted_at is null
order by outward desc, name, kind, id;

-- name: all
-- Every link of a cloud, for whoever compares them with the objects.
select kind, id, name, to_kind, by, to_key
from links
where cloud = $1
order by kind, id, name, to_kind, by, to_key;
