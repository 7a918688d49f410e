"""What happens to networks, ports, floating IPs and security groups in the standard life."""

from services.simulator.life.choice import Choice, by_owner, find, name, on
from services.simulator.notification import Operation
from services.simulator.objects import Network, Port, SecurityGroupRule
from services.simulator.operations import (
    floating_ips,
    networks,
    neutron_lists,
    ports,
    security_groups,
)
from services.simulator.world import World

_HIGHEST_TCP_PORT = 65_535


def _is_spare(world: World, network: Network) -> bool:
    """Tell whether a network is one of those that users make and drop, not a project's main one."""
    main = world.projects[network.project_id].main_network_id
    return not network.external and network.id != main


def _external(world: World) -> Network:
    return next(network for network in world.networks if network.external)


def _create_port(world: World) -> Operation | None:
    network = find(world, world.networks, lambda each: not each.external)
    if network is None or not network.subnet_ids:
        return None
    return on(world, (network,), ports.create_port(world, by_owner(world, network), network))


def _rename_port(world: World) -> Operation | None:
    port = find(world, world.ports, lambda each: bool(each.project_id))
    if port is None:
        return None
    request = by_owner(world, port)
    return on(world, (port,), ports.rename_port(world, request, port, name(world, "port")))


def _delete_port(world: World) -> Operation | None:
    def fits(port: Port) -> bool:
        return not port.device_owner and not neutron_lists.carries_trunk(world, port)

    port = find(world, world.ports, fits)
    if port is None:
        return None
    return on(world, (port,), ports.delete_port(world, by_owner(world, port), port))


def _create_network(world: World) -> Operation | None:
    project = world.projects.pick(world.random)
    if project is None or project.id not in world.owners or project.id in world.held:
        return None
    request = world.request(world.owners[project.id])
    operation = networks.create_network(world, request, name(world, "network"))
    return on(world, (project,), operation)


def _rename_network(world: World) -> Operation | None:
    network = find(world, world.networks, lambda each: not each.external)
    if network is None:
        return None
    request = by_owner(world, network)
    return on(
        world, (network,), networks.rename_network(world, request, network, name(world, "net"))
    )


def _ports_on(world: World, network: Network) -> list[Port]:
    return [port for port in world.ports if port.network_id == network.id]


def _delete_network(world: World) -> Operation | None:
    network = find(world, world.networks, lambda each: _is_spare(world, each))
    if network is None or _ports_on(world, network):
        return None
    return on(world, (network,), networks.delete_network(world, by_owner(world, network), network))


def _create_router(world: World) -> Operation | None:
    network = find(world, world.networks, lambda each: _is_spare(world, each))
    if network is None or not network.subnet_ids:
        return None
    request = by_owner(world, network)

    def both() -> Operation:
        router = yield from networks.create_router(
            world, request, name(world, "router"), _external(world)
        )
        yield from networks.add_interface(world, request, router, network)

    return on(world, (network,), both())


def _delete_router(world: World) -> Operation | None:
    router = find(
        world,
        world.routers,
        lambda each: each.id != world.projects[each.project_id].main_router_id,
    )
    if router is None:
        return None
    request, found = by_owner(world, router), router
    plugged = {port.network_id for port in world.ports_of(router.id) if port.project_id}
    inside = [world.networks[id_] for id_ in plugged]

    def both() -> Operation:
        for network in inside:
            yield from networks.remove_interface(world, request, found, network)
        yield from networks.delete_router(world, request, found)

    return on(world, (router, *inside), both())


def _create_floating_ip(world: World) -> Operation | None:
    project, external = world.projects.pick(world.random), _external(world)
    if project is None or project.main_router_id is None:
        return None
    request = world.request(world.owners[project.id])
    return on(world, (external,), floating_ips.create_floating_ip(world, request, external))


def _associate(world: World) -> Operation | None:
    floating = find(world, world.floating_ips, lambda each: each.port_id is None)
    if floating is None:
        return None
    port = find(
        world,
        world.ports,
        lambda each: (
            each.device_owner == "compute:nova"
            and each.project_id == floating.project_id
            and each.id not in world.floating_ip_of
        ),
    )
    if port is None or port.device_id in world.held:
        return None
    request = by_owner(world, floating)
    return on(world, (floating, port), floating_ips.associate(world, request, floating, port))


def _disassociate(world: World) -> Operation | None:
    floating = find(world, world.floating_ips, lambda each: each.port_id is not None)
    if floating is None or floating.port_id in world.held:
        return None
    port = world.ports[floating.port_id or ""]
    request = by_owner(world, floating)
    return on(world, (floating, port), floating_ips.disassociate(world, request, floating))


def _delete_floating_ip(world: World) -> Operation | None:
    floating = find(world, world.floating_ips, lambda each: each.port_id is None)
    if floating is None:
        return None
    request = by_owner(world, floating)
    return on(world, (floating,), floating_ips.delete_floating_ip(world, request, floating))


def _create_group(world: World) -> Operation | None:
    project = world.projects.pick(world.random)
    if project is None or project.main_network_id is None:
        return None
    request = world.request(world.owners[project.id])
    return on(world, (), security_groups.create_group(world, request, name(world, "group")))


def _create_rule(world: World) -> Operation | None:
    group = find(world, world.security_groups)
    if group is None:
        return None
    port = world.random.randint(1, _HIGHEST_TCP_PORT)
    request = by_owner(world, group)
    return on(world, (group,), security_groups.create_rule(world, request, group, port))


def _delete_rule(world: World) -> Operation | None:
    def fits(rule: SecurityGroupRule) -> bool:
        return rule.port is not None and rule.group_id not in world.held

    rule = find(world, world.rules, fits)
    if rule is None:
        return None
    group = world.security_groups[rule.group_id]
    request = by_owner(world, rule)
    return on(world, (rule, group), security_groups.delete_rule(world, request, rule))


def _delete_group(world: World) -> Operation | None:
    group = find(
        world,
        world.security_groups,
        lambda each: each.name.startswith("group-") and not world.is_default_group(each),
    )
    if group is None:
        return None
    return on(world, (group,), security_groups.delete_group(world, by_owner(world, group), group))


NETWORK = (
    Choice("create port", 4, _create_port),
    Choice("rename port", 3, _rename_port),
    Choice("delete port", 4, _delete_port),
    Choice("create network", 1, _create_network),
    Choice("rename network", 0.5, _rename_network),
    Choice("delete network", 2, _delete_network),
    Choice("create router", 0.7, _create_router),
    Choice("delete router", 0.8, _delete_router),
    Choice("create floating IP", 3, _create_floating_ip),
    Choice("associate floating IP", 4, _associate),
    Choice("disassociate floating IP", 3, _disassociate),
    Choice("delete floating IP", 3, _delete_floating_ip),
    Choice("create security group", 1, _create_group),
    Choice("create rule", 3, _create_rule),
    Choice("delete rule", 3, _delete_rule),
    Choice("delete security group", 1.2, _delete_group),
)
