"""What happens to everything that is small: copies of volumes, keys, groups, policies, users."""

from services.simulator.life.choice import Choice, by_owner, find, name, on
from services.simulator.notification import Operation, Request
from services.simulator.objects import Item, Port
from services.simulator.operations import (
    cinder_copies,
    extras,
    identities,
    neutron_lists,
    nova_lists,
    stacks,
)
from services.simulator.world import World

_MOST_BYSTANDERS = 40
"""How many users, groups and roles of the life's own making there are at most."""


def _admin(world: World) -> Request:
    return world.request(world.services["admin"])


def _somebody(world: World) -> Request | None:
    project = world.projects.pick(world.random)
    if project is None or project.main_network_id is None:
        return None
    return world.request(world.owners[project.id])


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
    request = _somebody(world)
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
    request = _somebody(world)
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
    if len(world.table("aggregate")) > _MOST_BYSTANDERS:
        return None
    return nova_lists.create_aggregate(world, _admin(world), name(world, "aggregate"))


def _move_host(world: World) -> Operation | None:
    aggregate = find(world, world.table("aggregate"))
    if aggregate is None:
        return None
    host = world.random.choice(world.hosts)
    operation = nova_lists.move_host(world, _admin(world), aggregate, host)
    return on(world, (aggregate,), operation)


def _delete_aggregate(world: World) -> Operation | None:
    aggregate = find(world, world.table("aggregate"), lambda each: not each.body["hosts"])
    if aggregate is None:
        return None
    operation = nova_lists.delete_aggregate(world, _admin(world), aggregate)
    return on(world, (aggregate,), operation)


def _create_flavor(world: World) -> Operation | None:
    public = world.random.random() < 0.5  # noqa: PLR2004 -- a coin
    return nova_lists.create_flavor(world, _admin(world), name(world, "flavor"), public=public)


def _delete_flavor(world: World) -> Operation | None:
    used = {server.flavor_id for server in world.servers}
    flavor = find(
        world,
        world.flavors,
        lambda each: each.name.startswith("flavor-") and each.id not in used,
    )
    if flavor is None:
        return None
    return on(world, (flavor,), nova_lists.delete_flavor(world, _admin(world), flavor))


def _switch_host(world: World) -> Operation | None:
    return nova_lists.switch_host(world, _admin(world), world.random.choice(world.hosts))


def _create_pool(world: World) -> Operation | None:
    return on(
        world, (), neutron_lists.create_subnet_pool(world, _admin(world), name(world, "pool"))
    )


def _delete_pool(world: World) -> Operation | None:
    pool = find(world, world.subnet_pools, lambda each: each.name.startswith("pool-"))
    if pool is None:
        return None
    return on(world, (pool,), neutron_lists.delete_subnet_pool(world, _admin(world), pool))


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
    return on(world, (), neutron_lists.create_qos_policy(world, _admin(world), name(world, "qos")))


def _rename_policy(world: World) -> Operation | None:
    policy = find(world, world.qos_policies, lambda each: each.name.startswith("qos-"))
    if policy is None:
        return None
    operation = neutron_lists.rename_qos_policy(world, _admin(world), policy, name(world, "qos"))
    return on(world, (policy,), operation)


def _delete_policy(world: World) -> Operation | None:
    policy = find(world, world.qos_policies, lambda each: each.name.startswith("qos-"))
    if policy is None:
        return None
    return on(world, (policy,), neutron_lists.delete_qos_policy(world, _admin(world), policy))


def _create_user(world: World) -> Operation | None:
    request = _somebody(world)
    if request is None or len(world.users) > len(world.projects) + _MOST_BYSTANDERS:
        return None
    project_id = request.actor.project_id
    return identities.create_user(world, _admin(world), name(world, "user"), project_id)


def _rename_user(world: World) -> Operation | None:
    user = find(world, world.users, lambda each: each.name.startswith("user-"))
    if user is None:
        return None
    operation = identities.rename_user(world, _admin(world), user, name(world, "user"))
    return on(world, (user,), operation)


def _delete_user(world: World) -> Operation | None:
    user = find(world, world.users, lambda each: each.name.startswith("user-"))
    if user is None:
        return None
    return on(world, (user,), identities.delete_user(world, _admin(world), user))


def _create_stack(world: World) -> Operation | None:
    if "orchestration" not in world.offered:
        return None
    return stacks.create_stack(world, _admin(world), name(world, "stack"))


def _own_stack(world: World) -> Item | None:
    return find(
        world,
        world.table(stacks.STACK),
        lambda each: (
            each.body["stack_name"].startswith("stack-")
            and each.body["stack_status"].endswith("_COMPLETE")
        ),
    )


def _update_stack(world: World) -> Operation | None:
    stack = _own_stack(world)
    if stack is None:
        return None
    return on(world, (stack,), stacks.update_stack(world, _admin(world), stack))


def _delete_stack(world: World) -> Operation | None:
    stack = _own_stack(world)
    if stack is None:
        return None
    return on(world, (stack,), stacks.delete_stack(world, _admin(world), stack))


def _create_balancer(world: World) -> Operation | None:
    request = _somebody(world)
    if request is None or "load-balancer" not in world.offered:
        return None
    network = world.networks[world.projects[request.actor.project_id].main_network_id or ""]
    deed = extras.create_balancer(world, request, network, name(world, "lb"))
    return on(world, (network,), deed)


def _delete_balancer(world: World) -> Operation | None:
    balancer = find(
        world,
        world.table(extras.BALANCER),
        lambda each: (
            each.body["name"].startswith("lb-") and each.body["provisioning_status"] == "ACTIVE"
        ),
    )
    if balancer is None:
        return None
    deed = extras.delete_balancer(world, by_owner(world, balancer), balancer)
    return on(world, (balancer,), deed)


def _switch_power(world: World) -> Operation | None:
    node = find(world, world.table(extras.NODE))
    if node is None:
        return None
    return on(world, (node,), extras.switch_power(world, _admin(world), node))


def _create_share(world: World) -> Operation | None:
    request = _somebody(world)
    if request is None or "share" not in world.offered:
        return None
    return extras.create_share(world, request, name(world, "share"))


def _delete_share(world: World) -> Operation | None:
    share = find(
        world,
        world.table(extras.SHARE),
        lambda each: each.body["name"].startswith("share-") and each.body["status"] == "available",
    )
    if share is None:
        return None
    return on(world, (share,), extras.delete_share(world, by_owner(world, share), share))


def _named(kind: str) -> tuple[Choice, ...]:
    def create(world: World) -> Operation | None:
        if len(world.table(kind)) > _MOST_BYSTANDERS:
            return None
        return on(world, (), identities.create_named(world, _admin(world), kind, name(world, kind)))

    def rename(world: World) -> Operation | None:
        item = find(world, world.table(kind), lambda each: each.body["name"].startswith(f"{kind}-"))
        if item is None:
            return None
        operation = identities.rename_named(world, _admin(world), kind, item, name(world, kind))
        return on(world, (item,), operation)

    def delete(world: World) -> Operation | None:
        item = find(world, world.table(kind), lambda each: each.body["name"].startswith(f"{kind}-"))
        if item is None:
            return None
        operation = identities.delete_named(world, _admin(world), kind, item)
        return on(world, (item,), operation)

    return (
        Choice(f"create {kind}", 0.2, create),
        Choice(f"rename {kind}", 0.1, rename),
        Choice(f"delete {kind}", 0.2, delete),
    )


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
    Choice("create user", 0.3, _create_user),
    Choice("rename user", 0.2, _rename_user),
    Choice("delete user", 0.3, _delete_user),
    Choice("create stack", 0.4, _create_stack),
    Choice("update stack", 0.3, _update_stack),
    Choice("delete stack", 0.5, _delete_stack),
    Choice("create load balancer", 0.3, _create_balancer),
    Choice("delete load balancer", 0.4, _delete_balancer),
    Choice("switch power", 0.3, _switch_power),
    Choice("create share", 0.3, _create_share),
    Choice("delete share", 0.4, _delete_share),
    *_named("group"),
    *_named("role"),
    # Silent where Nova sends the unversioned format: only on demand, since nobody would learn it.
    Choice("create flavor", 0, _create_flavor),
    Choice("delete flavor", 0, _delete_flavor),
    Choice("switch host", 0, _switch_host),
)
