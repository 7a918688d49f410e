-- Statements of shared/store/server_ports.py. What is at the ends of links is looked up one by one, by
-- its key alone (`offset 0` keeps it so), so that the plan does not hang on statistics, which lag
-- behind in a table that fills.

-- name: read
-- Living servers that a read has found, with the ports that are plugged into them, the floating IPs
-- that lead to those, and the names of their security groups (null: of one that is not known).
with naming as not materialized (
    -- Who names what; a tombstone names nothing.
    select links.cloud, links.kind, links.id, links.to_kind, links.to_key, teller.object
    from links,
        lateral (
            select resources.object
            from resources
            where resources.cloud = links.cloud
                and resources.kind = links.kind
                and resources.id = links.id
            offset 0
        ) as teller
    where links.by = 'id'
)
select
    server.id,
    server.object -> 'addresses' as addresses,
    server.object -> 'security_groups' as security_groups,
    (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'mac_address', port.object -> 'mac_address',
                    'fixed_ips', port.object -> 'fixed_ips',
                    'floating_ips', (
                        select coalesce(jsonb_agg(leads.object -> 'floating_ip_address'), '[]')
                        from naming as leads
                        where leads.cloud = $1
                            and leads.kind = 'floating_ip'
                            and leads.to_kind = 'port'
                            and leads.to_key = port.id
                    ),
                    'security_groups', (
                        select coalesce(jsonb_agg(known.name), '[]')
                        from links as of_group
                        left join lateral (
                            select resources.name
                            from resources
                            where resources.cloud = $1
                                and resources.kind = 'security_group'
                                and resources.id = of_group.to_key
                                and resources.deleted_at is null
                            offset 0
                        ) as known on true
                        where of_group.cloud = $1
                            and of_group.kind = 'port'
                            and of_group.id = port.id
                            and of_group.name = 'security_group'
                    )
                )
            ),
            '[]'
        )
        from naming as port
        where port.cloud = $1
            and port.kind = 'port'
            and port.to_kind = 'server'
            and port.to_key = server.id
    ) as ports
from resources as server
where server.cloud = $1
    and server.kind = 'server'
    and server.id = any ($2::text[])
    and server.deleted_at is null
    and server.observed_at is not null;

-- name: behind
-- The servers that the inventory has behind floating IPs: plugged into the ports that these lead to.
select leads.id as floating_ip, leads.to_key as port, plugged.to_key as server
from unnest($2::text[]) as asked (id),
    lateral (
        select links.id, links.to_key
        from links
        where links.cloud = $1
            and links.kind = 'floating_ip'
            and links.id = asked.id
            and links.name = 'port'
        offset 0
    ) as leads,
    lateral (
        select links.to_kind, links.to_key
        from links
        where links.cloud = $1
            and links.kind = 'port'
            and links.id = leads.to_key
            and links.name = 'device'
        offset 0
    ) as plugged
where plugged.to_kind = 'server';
