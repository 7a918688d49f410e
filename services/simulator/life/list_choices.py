"""What happens to everything small: copies of volumes, keys, groups of servers, policies."""

from services.simulator.life.choice import Choice, admin, by_owner, find, name, on, somebody
from services.simulator.notification import Operation
from services.simulator.objects import Port
from services.simulator.operations import (
    cinder_copies,
    neutron_lists,
    nova_lists,
)
from services.simulator.world import World

_MOST_AGGREGATES = 40


def _create_snapshot(world: World) -> Operation | None:
    volume = find(
        world,
        world.volumes,
        lambda each: each.status in {"available", "in-use"} and not each.bootable,
    )
    if volume is None:
        return None
    deed = cinder_copies.create_snapshot(
        world, by_owner(world, volume), volume, name(world, "snapshot")
    )
    return on(world, (volume,), deed)


def _delete_snapshot(world: World) -> Operation | None:
    snapshot = find(world, world.table("snapshot"))
    if snapshot is None or snapshot.body["volume_id"] in world.held:
        return None
    volume = world.volumes[snapshot.body["volume_id"]]
    deed = cinder_copies.delete_snapshot(world, by_owner(world, volume), volume, snapshot)
    return on(world, (volume, snapshot), deed)


def _create_backup(world: World) -> Operation | None:
    volume = find(world, world.volumes, lambda each: each.status == "available")
    if volume is None:
        return None
    deed = cinder_copies.create_backup(
        world, by_owner(world, volume), volume, name(world, "backup")
    )
    return on(world, (volume,), deed)


def _delete_backup(world: World) -> Operation | None:
    backup = find(world, world.table("backup"), lambda each: each.body["status"] == "available")
    if backup is None:
        return None
    return on(world, (backup,), cinder_copies.delete_backup(world, by_owner(world, backup), backup))


def _create_keypair(world: World) -> Operation | None:
    request = somebody(world)
    if request is None:
        return None
    return nova_lists.create_keypair(world, request, name(world, "key"))


def _delete_keypair(world: World) -> Operation | None:
    keypair = find(world, world.table("keypair"), lambda each: "/key-" in each.id)
    owner = next(
        (each for each in world.owners.values() if keypair and each.user_id in keypair.id), None
    )
    if keypair is None or owner is None:
        return None
    request = world.request(owner)
    return on(world, (keypair,), nova_lists.delete_keypair(world, request, keypair))


def _create_server_group(world: World) -> Operation | None:
    request = somebody(world)
    if request is None:
        return None
    return nova_lists.create_server_group(world, request, name(world, "servergroup"))


def _delete_server_group(world: World) -> Operation | None:
    group = find(
        world, world.table("server_group"), lambda each: each.body["name"].startswith("servergroup")
    )
    if group is None:
        return None
    request = by_owner(world, group)
    return on(world, (group,), nova_lists.delete_server_group(world, request, group))


def _create_aggregate(world: World) -> Operation | None:
    if len(world.table("aggregate")) > _MOST_AGGREGATES:
        return None
    return nova_lists.create_aggregate(world, admin(world), name(world, "aggregate"))


def _move_host(world: World) -> Operation | None:
    aggregate = find(world, world.table("aggregate"))
    if aggregate is None:
        return None
    host = world.random.choice(world.hosts)
    operation = nova_lists.move_host(world, admin(world), aggregate, host)
    return on(world, (aggregate,), operation)


def _delete_aggregate(world: World) -> Operation | None:
    aggregate = find(world, world.table("aggregate"), lambda each: not each.body["hosts"])
    if aggregate is None:
        return None
    operation = nova_lists.delete_aggregate(world, admin(world), aggregate)
    return on(world, (aggregate,), operation)


def _create_flavor(world: World) -> Operation | None:
    public = world.random.random() < 0.5  # noqa: PLR2004 -- a coin
    return nova_lists.create_flavor(world, admin(world), name(world, "flavor"), public=public)


def _delete_flavor(world: World) -> Operation | None:
    used = {server.flavor_id for server in world.servers}
    flavor = find(
        world,
        world.flavors,
        lambda each: each.name.startswith("flavor-") and each.id not in used,
    )
    if flavor is None:
        return None
    return on(world, (flavor,), nova_lists.delete_flavor(world, admin(world), flavor))


def _switch_host(world: World) -> Operation | None:
    return nova_lists.switch_host(world, admin(world), world.random.choice(world.hosts))


def _create_pool(world: World) -> Operation | None:
    return on(world, (), neutron_lists.create_subnet_pool(world, admin(world), name(world, "pool")))


def _delete_pool(world: World) -> Operation | None:
    pool = find(world, world.subnet_pools, lambda each: each.name.startswith("pool-"))
    if pool is None:
        return None
    return on(world, (pool,), neutron_lists.delete_subnet_pool(world, admin(world), pool))


def _create_trunk(world: World) -> Operation | None:
    def fits(port: Port) -> bool:
        return not port.device_owner and not neutron_lists.carries_trunk(world, port)

    port = find(world, world.ports, fits)
    if port is None:
        return None
    deed = neutron_lists.create_trunk(world, by_owner(world, port), port, name(world, "trunk"))
    return on(world, (port,), deed)


def _delete_trunk(world: World) -> Operation | None:
    trunk = find(world, world.trunks, lambda each: each.name.startswith("trunk-"))
    if trunk is None:
        return None
    return on(world, (trunk,), neutron_lists.delete_trunk(world, by_owner(world, trunk), trunk))


def _create_policy(world: World) -> Operation | None:
    return on(world, (), neutron_lists.create_qos_policy(world, admin(world), name(world, "qos")))


def _rename_policy(world: World) -> Operation | None:
    policy = find(world, world.qos_policies, lambda each: each.name.startswith("qos-"))
    if policy is None:
        return None
    operation = neutron_lists.rename_qos_policy(world, admin(world), policy, name(world, "qos"))
    return on(world, (policy,), operation)


def _delete_policy(world: World) -> Operation | None:
    policy = find(world, world.qos_policies, lambda each: each.name.startswith("qos-"))
    if policy is None:
        return None
    return on(world, (policy,), neutron_lists.delete_qos_policy(world, admin(world), policy))


LISTS = (
    Choice("create snapshot", 1, _create_snapshot),
    Choice("delete snapshot", 1, _delete_snapshot),
    Choice("create backup", 0.5, _create_backup),
    Choice("delete backup", 0.5, _delete_backup),
    Choice("create key pair", 0.5, _create_keypair),
    Choice("delete key pair", 0.5, _delete_keypair),
    Choice("create server group", 0.4, _create_server_group),
    Choice("delete server group", 0.4, _delete_server_group),
    Choice("create aggregate", 0.3, _create_aggregate),
    Choice("move host", 0.2, _move_host),
    Choice("delete aggregate", 0.3, _delete_aggregate),
    Choice("create subnet pool", 0.2, _create_pool),
    Choice("delete subnet pool", 0.2, _delete_pool),
    Choice("create trunk", 0.3, _create_trunk),
    Choice("delete trunk", 0.3, _delete_trunk),
    Choice("create QoS policy", 0.2, _create_policy),
    Choice("rename QoS policy", 0.1, _rename_policy),
    Choice("delete QoS policy", 0.2, _delete_policy),
    # Silent where Nova sends the unversioned format: only on demand, since nobody would learn it.
    Choice("create flavor", 0, _create_flavor),
    Choice("delete flavor", 0, _delete_flavor),
    Choice("switch host", 0, _switch_host),
)
