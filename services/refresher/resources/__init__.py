"""How each kind of resource is read: one file per OpenStack service."""

from collections.abc import Mapping
from types import MappingProxyType

from services.refresher.resources import block_storage, compute, identity, image, network
from services.refresher.resources.port import Resource

ALL: Mapping[str, Resource] = MappingProxyType(
    {
        resource.kind: resource
        for resource in (
            *compute.RESOURCES,
            *network.RESOURCES,
            *block_storage.RESOURCES,
            *image.RESOURCES,
            *identity.RESOURCES,
        )
    }
)
"""Every kind that can be read, by kind."""
