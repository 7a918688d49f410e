"""What one cloud has of what we can read: its services, their microversions, Neutron's extensions.

A service or extension that is not there makes its kinds absent, not failed; one that comes later is
found when it is asked for again.
"""

from datetime import datetime, timedelta

from services.refresher.resources.model import Resource
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.client import CloudClient
from shared.openstack.paging import items_of

_EXTENSIONS_KEPT = timedelta(minutes=10)


class Offers:
    """What one cloud offers."""

    def __init__(self, client: CloudClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._extensions: tuple[datetime, frozenset[str] | None] | None = None

    async def has(self, resource: Resource) -> bool:
        """Whether the cloud has the kind.

        Raises CloudUnavailable when that cannot be told.
        """
        endpoint = await self._client.endpoint(resource.service_type)
        if endpoint is None:
            return False
        newest = endpoint.max_microversion
        if resource.oldest is not None and (newest is None or newest < resource.oldest):
            return False
        if resource.extension is None:
            return True
        extensions = await self._network_extensions()
        return extensions is None or resource.extension in extensions

    async def microversion(self, resource: Resource) -> str | None:
        """Return the microversion to ask for, the newest that both sides understand."""
        if resource.microversion is None:
            return None
        endpoint = await self._client.endpoint(resource.service_type)
        newest = endpoint.max_microversion if endpoint else None
        wanted = resource.microversion if newest is None else min(resource.microversion, newest)
        return ".".join(map(str, wanted))

    async def _network_extensions(self) -> frozenset[str] | None:
        """Return the aliases of Neutron's extensions; None when it does not tell them."""
        now = self._clock.now()
        if self._extensions is None or now >= self._extensions[0] + _EXTENSIONS_KEPT:
            self._extensions = now, await self._ask_for_extensions()
        return self._extensions[1]

    async def _ask_for_extensions(self) -> frozenset[str] | None:
        try:
            reply = await self._client.get("network", "extensions")
            found = items_of(reply, "extensions")
        except CloudRefused:
            return None
        except ValueError as error:
            raise CloudUnavailable(f"network: GET extensions: {error}") from error
        return frozenset(str(item.get("alias")) for item in found)
