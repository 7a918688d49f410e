-- What points at a port that goes, found for each that does.

create index resources_by_port on resources (cloud, (object ->> 'port_id'))
where kind = 'floating_ip' and deleted_at is null;
