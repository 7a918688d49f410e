"""Puts hosts and servers into a real Nova, as its scheduler, conductor and computes would.

For the Python of .deps, within the process of Nova's API.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from nova import context, objects
from nova.network import model
from oslo_utils import timeutils


def _cell(name: str) -> Any:
    cells = objects.CellMappingList.get_all(context.get_admin_context())
    return next(cell for cell in cells if cell.name == name)


def add_host(name: str, *, cell: str = "cell1") -> str:
    """Make a compute host; return the id of its hypervisor."""
    admin, mapping = context.get_admin_context(), _cell(cell)
    with context.target_cell(admin, mapping) as inside:
        service = add_service(inside, "nova-compute", name)
        node = objects.ComputeNode(
            inside,
            uuid=str(uuid4()),
            service_id=service.id,
            host=name,
            hypervisor_hostname=f"{name}.example.org",
            host_ip="192.0.2.1",
            hypervisor_type="QEMU",
            hypervisor_version=8_002_002,
            cpu_info='{"arch": "x86_64"}',
            vcpus=64,
            memory_mb=262_144,
            local_gb=2000,
            mapped=1,
            **dict.fromkeys(_NOTHING_USED, 0),
        )
        node.create()
    objects.HostMapping(admin, host=name, cell_mapping=mapping).create()
    return str(node.uuid)


_NOTHING_USED = (
    "vcpus_used",
    "memory_mb_used",
    "local_gb_used",
    "free_ram_mb",
    "free_disk_gb",
    "disk_available_least",
    "running_vms",
    "current_workload",
)


def add_service(inside: Any, binary: str, host: str) -> Any:
    """Make a service of Nova's own; return it."""
    service = objects.Service(
        inside,
        binary=binary,
        host=host,
        topic=binary.removeprefix("nova-"),
        last_seen_up=timeutils.utcnow(),
        report_count=1,
        disabled=False,
        forced_down=False,
    )
    service.create()
    return service


def add_conductor(host: str) -> None:
    """Make a service that is no compute."""
    with context.target_cell(context.get_admin_context(), _cell("cell1")) as inside:
        add_service(inside, "nova-conductor", host)


def add_server(*, name: str, host: str, project: str, user: str, cell: str = "cell1") -> str:
    """Make a server that runs; return its id."""
    whose = context.RequestContext(user, project, is_admin=True)
    mapping, id_ = _cell(cell), str(uuid4())
    flavor = objects.Flavor.get_by_flavor_id(whose, "1")
    with context.target_cell(whose, mapping) as inside:
        node = objects.ComputeNode.get_first_node_by_host_for_old_compat(inside, host)
        server = objects.Instance(
            inside,
            uuid=id_,
            display_name=name,
            hostname=name,
            project_id=project,
            user_id=user,
            host=host,
            node=node.hypervisor_hostname,
            compute_id=node.id,
            launched_on=host,
            launched_at=timeutils.utcnow(),
            availability_zone="nova",
            vm_state="building",
            power_state=0,
            image_ref=str(uuid4()),
            key_name="key-0",
            metadata={"purpose": "test"},
            system_metadata={},
            instance_type_id=flavor.id,
            flavor=flavor,
            old_flavor=None,
            new_flavor=None,
            memory_mb=flavor.memory_mb,
            vcpus=flavor.vcpus,
            root_gb=flavor.root_gb,
            ephemeral_gb=flavor.ephemeral_gb,
            info_cache=_addresses(id_),
            pci_requests=objects.InstancePCIRequests(requests=[]),
        )
        server.create()
        server.vm_state, server.power_state = "active", 1
        server.save()
        # A server without it is said not to be there while its cell is down.
        objects.RequestSpec.from_components(
            whose,
            id_,
            {"id": server.image_ref},
            flavor,
            None,
            server.pci_requests,
            {},
            None,
            "nova",
            project_id=project,
            user_id=user,
        ).create()
    objects.InstanceMapping(
        whose,
        instance_uuid=id_,
        project_id=project,
        user_id=user,
        cell_mapping=mapping,
        queued_for_delete=False,
    ).create()
    return id_


def _addresses(server: str) -> Any:
    address = model.FixedIP(address="10.0.0.5", type="fixed")
    subnet = model.Subnet(cidr="10.0.0.0/24", ips=[address])
    network = model.Network(id=str(uuid4()), label="private", subnets=[subnet])
    port = model.VIF(id=str(uuid4()), address="fa:16:3e:00:00:05", network=network)
    return objects.InstanceInfoCache(instance_uuid=server, network_info=model.NetworkInfo([port]))


DEEDS: Mapping[str, Callable[..., object]] = {
    "host": add_host,
    "conductor": add_conductor,
    "server": add_server,
}
"""What a test may ask for, by name."""
