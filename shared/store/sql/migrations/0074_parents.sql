-- What stands below an object that a read showed, or that goes: found for each that does.

create index resources_by_volume on resources (cloud, (object ->> 'volume_id'))
where kind = 'attachment' and deleted_at is null;
create index resources_by_network on resources (cloud, (object ->> 'network_id'))
where kind = 'subnet' and deleted_at is null;
create index resources_by_security_group on resources (cloud, (object ->> 'security_group_id'))
where kind = 'security_group_rule' and deleted_at is null;
create index resources_by_stack on resources (cloud, (object ->> 'stack_id'))
where kind = 'stack_resource' and deleted_at is null;
