-- Statements of shared/store/server_ports.py.

-- name: read
-- Living servers that a read has found, with the ports that are plugged into them, the floating IPs
-- that lead to those, and the names of their security groups (null: of one that is not known).
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
                        select coalesce(jsonb_agg(floating.object -> 'floating_ip_address'), '[]')
                        from links as leads
                        join resources as floating
                            on floating.cloud = leads.cloud
                            and floating.kind = leads.kind
                            and floating.id = leads.id
                            and floating.deleted_at is null
                        where leads.cloud = port.cloud
                            and leads.to_kind = 'port'
                            and leads.by = 'id'
                            and leads.to_key = port.id
                            and leads.kind = 'floating_ip'
                    ),
                    'security_groups', (
                        select coalesce(jsonb_agg(known.name), '[]')
                        from links as of_group
                        left join resources as known
                            on known.cloud = of_group.cloud
                            and known.kind = 'security_group'
                            and known.id = of_group.to_key
                            and known.deleted_at is null
                        where of_group.cloud = port.cloud
                            and of_group.kind = 'port'
                            and of_group.id = port.id
                            and of_group.name = 'security_group'
                    )
                )
            ),
            '[]'
        )
        from links as plugged
        join resources as port
            on port.cloud = plugged.cloud
            and port.kind = plugged.kind
            and port.id = plugged.id
            and port.deleted_at is null
        where plugged.cloud = server.cloud
            and plugged.to_kind = 'server'
            and plugged.by = 'id'
            and plugged.to_key = server.id
            and plugged.kind = 'port'
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
from links as leads
join links as plugged
    on plugged.cloud = leads.cloud
    and plugged.kind = 'port'
    and plugged.id = leads.to_key
    and plugged.to_kind = 'server'
where leads.cloud = $1
    and leads.kind = 'floating_ip'
    and leads.id = any ($2::text[])
    and leads.to_kind = 'port'
    and leads.by = 'id';
