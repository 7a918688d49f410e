-- Statements of shared/store/surroundings.py.

-- name: own
-- When the newest $5 events of an object ($1, kind/id) happened, and what they name with it.
select time, refs
from events
where refs @> array[$1]
    and ($2::text is null or cloud = $2)
    and ($3::timestamptz is null or time >= $3)
    and ($4::timestamptz is null or time < $4)
order by time desc
limit $5;

-- name: attached
-- What the inventory connects with the object ($2, $3): ports of it, and the volumes, networks and
-- devices that it has itself.
select distinct ref
from (
    select 'port/' || id as ref
    from resources
    where kind = 'port'
        and deleted_at is null
        and ($1::text is null or cloud = $1)
        and object ->> 'device_id' = $3
    union all
    select found.kind || '/' || found.id
    from resources
    cross join lateral (
        values
            ('network', object ->> 'network_id'),
            ('server', case when object ->> 'device_owner' like 'compute:%'
                then object ->> 'device_id' end),
            ('router', case when object ->> 'device_owner' like 'network:router%'
                then object ->> 'device_id' end),
            ('port', object ->> 'port_id')
        union all
        select 'volume', volume ->> 'id'
        from jsonb_array_elements(
            case jsonb_typeof(object -> 'os-extended-volumes:volumes_attached')
                when 'array' then object -> 'os-extended-volumes:volumes_attached'
                else '[]'
            end) as volume
        union all
        select 'server', attachment ->> 'server_id'
        from jsonb_array_elements(
            case jsonb_typeof(object -> 'attachments')
                when 'array' then object -> 'attachments'
                else '[]'
            end) as attachment
    ) as found (kind, id)
    where resources.kind = $2
        and resources.id = $3
        and ($1::text is null or resources.cloud = $1)
        and found.id <> ''
) as connected
limit $4;
