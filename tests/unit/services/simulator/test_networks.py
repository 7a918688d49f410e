"""What happens to networks and their kin, and what happens silently."""

from services.simulator.api.server_body import server_body
from services.simulator.deeds import perform
from services.simulator.notification import Aside, Notification, Pause, Request
from services.simulator.objects import Network, Server
from services.simulator.operations import floating_ips, networks, ports, security_groups
from services.simulator.operations.projects import create_project
from services.simulator.world import World


def types(sent: list[Notification]) -> list[str]:
    return [each.event_type for each in sent]


def external(world: World) -> Network:
    return next(network for network in world.networks if network.external)


def test_create_start_has_no_id_and_create_end_has_the_object(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    start, end = perform(world, ports.create_port(world, request_by_demo, demo_network))
    assert "id" not in start.message["payload"]["port"]
    assert end.message["payload"]["port"]["id"] in world.ports


def test_a_members_payload_lacks_what_only_administrators_see(
    world: World, request_by_demo: Request, demo_network: Network, demo_server: Server
) -> None:
    _, member = perform(world, ports.create_port(world, request_by_demo, demo_network))
    (port,) = world.ports_of(demo_server.id)
    _, admin = perform(world, ports.bind_port(world, port, "compute-2"))
    assert "binding:host_id" not in member.message["payload"]["port"]
    assert admin.message["payload"]["port"]["binding:host_id"] == "compute-2"


def test_delete_start_has_the_id_only_and_delete_end_the_whole_object(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    perform(world, ports.create_port(world, request_by_demo, demo_network))
    port = next(reversed(world.ports))
    start, end = perform(world, ports.delete_port(world, request_by_demo, port))
    assert start.message["payload"] == {"port_id": port.id}
    assert end.message["payload"]["port"]["id"] == end.message["payload"]["port_id"] == port.id


def test_every_change_raises_the_revision(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    (port,) = world.ports_of(demo_server.id)
    before = port.revision
    perform(world, ports.rename_port(world, request_by_demo, port, "other"))
    ports.set_port_status(world, port.id, "DOWN")
    assert port.revision == before + 2


def test_router_ports_come_and_go_without_port_events(
    world: World, request_by_demo: Request, demo_network: Network
) -> None:
    before = len(world.ports)
    sent = perform(world, networks.create_router(world, request_by_demo, "r", external(world)))
    router = next(reversed(world.routers))
    sent += perform(world, networks.add_interface(world, request_by_demo, router, demo_network))
    assert len(world.ports) == before + 2
    sent += perform(world, networks.remove_interface(world, request_by_demo, router, demo_network))
    sent += perform(world, networks.delete_router(world, request_by_demo, router))
    assert len(world.ports) == before
    assert types(sent) == [
        "router.create.start",
        "router.create.end",
        "router.interface.create",
        "router.interface.delete",
        "router.delete.start",
        "router.delete.end",
    ]


def test_subnets_go_along_with_their_network_silently(
    world: World, request_by_demo: Request
) -> None:
    perform(world, networks.create_network(world, request_by_demo, "spare"))
    network = next(reversed(world.networks))
    (subnet_id,) = network.subnet_ids
    sent = perform(world, networks.delete_network(world, request_by_demo, network))
    assert types(sent) == ["network.delete.start", "network.delete.end"]
    assert subnet_id not in world.subnets


def test_the_default_security_group_comes_with_the_first_network_call_silently(
    world: World, request_by_demo: Request
) -> None:
    perform(world, create_project(world, request_by_demo, "fresh"))
    project = next(reversed(world.projects))
    assert not world.has_default_group(project.id)
    request = world.request(world.owners[project.id])
    sent = perform(world, networks.create_network(world, request, "first"))
    assert not any(name.startswith("security_group") for name in types(sent))
    assert world.has_default_group(project.id)


def test_an_associated_floating_ip_is_down_in_its_payload_and_active_later(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    create = floating_ips.create_floating_ip(world, request_by_demo, external(world))
    perform(world, create)
    floating = next(reversed(world.floating_ips))
    (port,) = world.ports_of(demo_server.id)
    _, end = perform(world, floating_ips.associate(world, request_by_demo, floating, port))
    shown = end.message["payload"]["floatingip"]
    assert (shown["status"], floating.status) == ("DOWN", "ACTIVE")
    assert shown["port_details"]["device_id"] == demo_server.id


def test_nova_learns_of_a_floating_ip_some_time_after_its_event(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    perform(world, floating_ips.create_floating_ip(world, request_by_demo, external(world)))
    floating = next(reversed(world.floating_ips))
    (port,) = world.ports_of(demo_server.id)

    steps = list(floating_ips.associate(world, request_by_demo, floating, port))
    (aside,) = [step.operation for step in steps if isinstance(step, Aside)]

    assert floating.address not in shown_by_nova(world, demo_server)
    (pause,) = aside
    assert isinstance(pause, Pause)
    assert floating.address in shown_by_nova(world, demo_server)
    perform(world, floating_ips.disassociate(world, request_by_demo, floating))
    assert floating.address not in shown_by_nova(world, demo_server)


def shown_by_nova(world: World, server: Server) -> list[str]:
    """The addresses that the API of servers shows."""
    body = server_body(world, server, minor=1, admin=False, origin="")
    return [entry["addr"] for entries in body["addresses"].values() for entry in entries]


def test_deleting_a_port_frees_its_floating_ip_silently(
    world: World, request_by_demo: Request, demo_server: Server
) -> None:
    perform(world, floating_ips.create_floating_ip(world, request_by_demo, external(world)))
    floating = next(reversed(world.floating_ips))
    (port,) = world.ports_of(demo_server.id)
    perform(world, floating_ips.associate(world, request_by_demo, floating, port))
    sent = perform(world, ports.delete_port(world, request_by_demo, port))
    assert types(sent) == ["port.delete.start", "port.delete.end"]
    assert floating.port_id is None


def test_a_rule_raises_the_revision_of_its_group(world: World, request_by_demo: Request) -> None:
    perform(world, security_groups.create_group(world, request_by_demo, "g"))
    group = next(reversed(world.security_groups))
    before = group.revision
    perform(world, security_groups.create_rule(world, request_by_demo, group, 443))
    assert group.revision == before + 1
    rule = world.rules[group.rule_ids[-1]]
    sent = perform(world, security_groups.delete_rule(world, request_by_demo, rule))
    assert sent[-1].message["payload"]["security_group_rule"]["security_group_id"] == group.id
