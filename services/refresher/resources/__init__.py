"""How each kind of resource is read: one file per OpenStack service."""

from collections.abc import Mapping
from types import MappingProxyType

from services.refresher.resources import (
    baremetal,
    block_storage,
    compute,
    identity,
    image,
    load_balancer,
    network,
    object_store,
    orchestration,
    shared_file_system,
)
from services.refresher.resources.model import Resource

ALL: Mapping[str, Resource] = MappingProxyType(
    {
        resource.kind: resource
        for resource in (
            *compute.RESOURCES,
            *network.RESOURCES,
            *block_storage.RESOURCES,
            *image.RESOURCES,
            *identity.RESOURCES,
            *orchestration.RESOURCES,
            *baremetal.RESOURCES,
            *load_balancer.RESOURCES,
            *shared_file_system.RESOURCES,
            *object_store.RESOURCES,
        )
    }
)
"""Every kind that can be read, by kind."""
