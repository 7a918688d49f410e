"""What happens to load balancers, bare metal nodes, shares and containers."""

from collections.abc import Callable

from services.simulator.notification import Json, Notification, Operation, Pause, Request
from services.simulator.objects import Item, Network
from services.simulator.operations.ports import make_port
from services.simulator.payloads.times import micro, offset
from services.simulator.world import World

BALANCER, LISTENER, POOL = "load_balancer", "listener", "pool"
MEMBER, MONITOR, L7_POLICY = "member", "health_monitor", "l7_policy"
NODE, BAREMETAL_PORT, SHARE, CONTAINER = "node", "baremetal_port", "share", "container"
IRONIC_TOPIC = "ironic_versioned_notifications"


def make_balancer(world: World, request: Request, network: Network, name: str) -> Item:
    """Add an active load balancer with a port for its address; says nothing."""
    id_, project = world.uuid(), request.actor.project_id
    port = make_port(
        world, network, project_id=project, device_id=f"lb-{id_}", device_owner="Octavia"
    )
    subnet_id, address = port.fixed_ips[0]
    body = _balanced(world, id_, name, project) | {
        "provider": "amphora",
        "flavor_id": None,
        "availability_zone": None,
        "vip_address": address,
        "vip_port_id": port.id,
        "vip_subnet_id": subnet_id,
        "vip_network_id": network.id,
        "vip_qos_policy_id": None,
        "additional_vips": [],
        "listeners": [],
        "pools": [],
    }
    return world.table(BALANCER).add(Item(id_, project, body))


def make_tree(world: World, balancer: Item) -> None:
    """Add one of everything below a load balancer; says nothing."""
    project, above = balancer.project_id, {"loadbalancers": [{"id": balancer.id}]}
    listener_id, pool_id, monitor_id = world.uuid(), world.uuid(), world.uuid()
    members = [world.uuid(), world.uuid()]
    bodies: dict[str, Json] = {
        LISTENER: _balanced(world, listener_id, "http", project)
        | above
        | {
            "protocol": "HTTP",
            "protocol_port": 80,
            "connection_limit": -1,
            "default_pool_id": pool_id,
            "l7policies": [],
        },
        POOL: _balanced(world, pool_id, "web", project)
        | above
        | {
            "listeners": [{"id": listener_id}],
            "protocol": "HTTP",
            "lb_algorithm": "ROUND_ROBIN",
            "members": [{"id": id_} for id_ in members],
            "healthmonitor_id": monitor_id,
            "session_persistence": None,
        },
        MONITOR: _balanced(world, monitor_id, "alive", project)
        | {
            "pools": [{"id": pool_id}],
            "type": "HTTP",
            "delay": 5,
            "timeout": 3,
            "max_retries": 3,
            "http_method": "GET",
            "url_path": "/",
        },
    }
    policy_id = world.uuid()
    bodies[L7_POLICY] = _balanced(world, policy_id, "login", project) | {
        "listener_id": listener_id,
        "action": "REDIRECT_TO_URL",
        "redirect_url": "https://login.example.org/",
        "redirect_pool_id": None,
        "position": 1,
        "rules": [],
    }
    for kind, body in bodies.items():
        world.table(kind).add(Item(body["id"], project, body))
    for number, id_ in enumerate(members, start=10):
        member = _balanced(world, id_, f"web-{number}", project) | {
            "pool_id": pool_id,
            "address": f"192.0.2.{number}",
            "protocol_port": 80,
            "weight": 1,
            "backup": False,
            "subnet_id": balancer.body["vip_subnet_id"],
        }
        world.table(MEMBER).add(Item(f"{pool_id}/{id_}", project, member))
    balancer.body["listeners"] = [{"id": listener_id}]
    balancer.body["pools"] = [{"id": pool_id}]


def drop_tree(world: World, balancer: Item) -> None:
    """Remove everything below a load balancer; says nothing."""
    listeners = {each["id"] for each in balancer.body["listeners"]}
    pools = {each["id"] for each in balancer.body["pools"]}
    _drop(world, L7_POLICY, lambda body: body["listener_id"] in listeners)
    _drop(world, MEMBER, lambda body: body["pool_id"] in pools)
    _drop(world, MONITOR, lambda body: body["pools"][0]["id"] in pools)
    _drop(world, POOL, lambda body: body["id"] in pools)
    _drop(world, LISTENER, lambda body: body["id"] in listeners)
    balancer.body |= {"listeners": [], "pools": []}


def _drop(world: World, kind: str, goes: Callable[[Json], bool]) -> None:
    table = world.table(kind)
    for item in [each for each in table if goes(each.body)]:
        table.remove(item.id)


def create_balancer(world: World, request: Request, network: Network, name: str) -> Operation:
    """Create a load balancer: pending until a silent moment after the end is told."""
    balancer = make_balancer(world, request, network, name)
    balancer.body["provisioning_status"] = "PENDING_CREATE"
    yield _say_balancer(world, request, balancer, "create.start")
    yield Pause(0.2)
    yield _say_balancer(world, request, balancer, "create.end")
    yield Pause(0.2)
    balancer.body |= {"provisioning_status": "ACTIVE", "operating_status": "ONLINE"}


def delete_balancer(world: World, request: Request, balancer: Item) -> Operation:
    """Delete a load balancer with all below it, as `cascade` does; its port goes along silently."""
    balancer.body["provisioning_status"] = "PENDING_DELETE"
    yield _say_balancer(world, request, balancer, "delete.start")
    yield Pause(0.2)
    drop_tree(world, balancer)
    world.table(BALANCER).remove(balancer.id)
    world.drop_port(world.ports[balancer.body["vip_port_id"]])
    balancer.body["provisioning_status"] = "DELETED"
    yield _say_balancer(world, request, balancer, "delete.end")


def make_node(world: World, name: str) -> Item:
    """Add a node that is ready to be deployed, without ports; says nothing."""
    id_, made = world.uuid(), offset(world.now)
    body: Json = {
        "uuid": id_,
        "name": name,
        "owner": world.services["admin"].project_id,
        "lessee": None,
        "instance_uuid": None,
        "power_state": "power off",
        "target_power_state": None,
        "provision_state": "available",
        "target_provision_state": None,
        "maintenance": False,
        "maintenance_reason": None,
        "fault": None,
        "last_error": None,
        "driver": "ipmi",
        "driver_info": {"ipmi_username": "admin", "ipmi_password": "******"},
        "instance_info": {},
        "resource_class": "baremetal",
        "conductor_group": "",
        "properties": {"cpu_arch": "x86_64", "cpus": 8, "memory_mb": 4096, "local_gb": 10},
        "traits": [],
        "extra": {},
        "created_at": made,
        "updated_at": made,
        "links": [],
    }
    return world.table(NODE).add(Item(id_, "", body))


def switch_power(world: World, request: Request, node: Item) -> Operation:
    """Switch a node on or off, as its conductor tells it."""
    target = "power on" if node.body["power_state"] == "power off" else "power off"
    node.body["target_power_state"] = target
    yield _say_node(world, request, node, "power_set.start", {"to_power": target})
    yield Pause(0.2)
    node.body |= {"power_state": target, "target_power_state": None}
    node.body["updated_at"] = offset(world.now)
    yield _say_node(world, request, node, "power_set.end", {"to_power": target})


def make_share(world: World, request: Request, name: str) -> Item:
    """Add an available share; says nothing."""
    id_, project = world.uuid(), request.actor.project_id
    body = {
        "id": id_,
        "name": name,
        "project_id": project,
        "status": "available",
        "size": 1,
        "share_proto": "NFS",
        "share_type": "default",
        "share_type_name": "default",
        "share_network_id": None,
        "availability_zone": "nova",
        "host": "manila-share-1@generic#pool",
        "is_public": False,
        "description": None,
        "snapshot_id": None,
        "metadata": {},
        "created_at": micro(world.now),
        "links": [],
    }
    return world.table(SHARE).add(Item(id_, project, body))


def create_share(world: World, request: Request, name: str) -> Operation:
    """Create a share."""
    share = make_share(world, request, name)
    share.body["status"] = "creating"
    yield _say_share(world, request, share, "create.start")
    yield Pause(0.3)
    share.body["status"] = "available"
    yield _say_share(world, request, share, "create.end")


def delete_share(world: World, request: Request, share: Item) -> Operation:
    """Delete a share."""
    share.body["status"] = "deleting"
    yield _say_share(world, request, share, "delete.start")
    yield Pause(0.2)
    world.table(SHARE).remove(share.id)
    yield _say_share(world, request, share, "delete.end")


def make_container(world: World, project_id: str, name: str) -> Item:
    """Add a container; Swift tells nobody."""
    body = {"name": name, "count": 3, "bytes": 4096, "last_modified": micro(world.now)}
    return world.table(CONTAINER).add(Item(f"{project_id}/{name}", project_id, body))


def _balanced(world: World, id_: str, name: str, project_id: str) -> Json:
    return {
        "id": id_,
        "name": name,
        "description": "",
        "project_id": project_id,
        "admin_state_up": True,
        "provisioning_status": "ACTIVE",
        "operating_status": "ONLINE",
        "created_at": f"{world.now:%Y-%m-%dT%H:%M:%S}",
        "updated_at": None,
        "tags": [],
    }


def _say_balancer(world: World, request: Request, balancer: Item, action: str) -> Notification:
    """Say it as Octavia's provider form does, which has no publisher and no context."""
    body = balancer.body
    kept = ("project_id", "name", "description", "admin_state_up", "availability_zone")
    vips = ("vip_address", "vip_network_id", "vip_port_id", "vip_subnet_id", "vip_qos_policy_id")
    payload = {key: body[key] for key in (*kept, *vips)}
    payload |= {"loadbalancer_id": balancer.id, "listeners": [], "pools": [], "flavor": None}
    event_type = f"octavia.loadbalancer.{action}"
    context = request.context(world.now)
    return world.notification("octavia", "", event_type, payload, context)


def _say_node(world: World, request: Request, node: Item, action: str, more: Json) -> Notification:
    data = {
        key: value
        for key, value in node.body.items()
        if key not in {"links", "driver_info", "instance_info"}
    }
    payload = {
        "ironic_object.name": "NodeSetPowerStatePayload",
        "ironic_object.namespace": "ironic",
        "ironic_object.version": "1.15",
        "ironic_object.data": data | more,
    }
    return world.notification(
        "ironic",
        "ironic-conductor.ctl1",
        f"baremetal.node.{action}",
        payload,
        request.context(world.now),
        topic=IRONIC_TOPIC,
    )


def _say_share(world: World, request: Request, share: Item, action: str) -> Notification:
    body = share.body
    payload: Json = {
        "share_id": share.id,
        "user_id": request.actor.user_id,
        "project_id": share.project_id,
        "proto": body["share_proto"],
        **{key: body[key] for key in ("name", "size", "status", "host", "availability_zone")},
        **{key: body[key] for key in ("description", "is_public", "snapshot_id", "share_type")},
    }
    context = request.context(world.now)
    return world.notification(
        "manila", "share.manila-share-1@generic", f"share.{action}", payload, context
    )
