"""Each cloud's APIs: whether Keystone lets us in, what we may do there, which services answer."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from services.cli.doctor.findings import Finding, Probe, failed, ok, warning
from services.refresher.resources import ALL
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.client import CloudClient

EVENTS_APIS = {"event": "Panko", "metering": "Ceilometer"}
"""Service types that have /v2/events; the later service takes over from the other."""
_MEND = "see its entry in clouds.yaml: auth, region_name, interface, cacert"
_BASICS = tuple(dict.fromkeys(resource.service_type for resource in ALL.values()))
"""The services whose objects are in the inventory."""
_EVERYWHERE = frozenset({"block-storage", "compute", "identity", "image", "network"})
"""Those that nearly every cloud has; that it lacks another is nothing to worry about."""


def probes(
    name: str, opened: AbstractAsyncContextManager[CloudClient], *, polled: bool
) -> Iterator[Probe]:
    """Yield what to ask of a cloud; `polled`: its events come from its API, which must answer."""
    about = f"cloud {name}"
    yield Probe(about, "Keystone", lambda: _asked(about, opened, polled=polled), _MEND)


async def _asked(
    about: str, opened: AbstractAsyncContextManager[CloudClient], *, polled: bool
) -> Sequence[Finding]:
    async with opened as client:
        try:
            await client.log_in()
        except (CloudRefused, CloudUnavailable) as error:
            return [failed(about, "Keystone", str(error), _MEND)]
        found = [ok(about, "Keystone", "gives us a token"), role_finding(about, client.roles)]
        found += [await _service(about, client, service) for service in _BASICS]
        if polled:
            found.append(await _events(about, client))
        return found


def role_finding(about: str, roles: Sequence[str]) -> Finding:
    """Say what our roles limit."""
    if "admin" in (role.lower() for role in roles):
        return ok(about, "role", "admin")
    return warning(
        about,
        "role",
        f"no admin (roles: {', '.join(roles) or 'none told'}): only one project is seen, and of"
        " Panko's events only our own",
        "openstack role add --user USER --project PROJECT admin, for the user in clouds.yaml",
    )


async def _service(about: str, client: CloudClient, service: str) -> Finding:
    try:
        endpoint = await client.endpoint(service)
    except (CloudRefused, CloudUnavailable) as error:
        return failed(about, service, str(error), "is it reachable from here? See interface")
    if endpoint is None:
        says = "is not in the catalogue of this region, so its objects are not in the inventory"
        if service not in _EVERYWHERE:
            return ok(about, service, says)
        return warning(about, service, says, "is region_name right? openstack catalog list")
    return ok(about, service, f"answers at {endpoint.url}")


async def _events(about: str, client: CloudClient) -> Finding:
    check = "events API"
    mend = "give amqp.transports instead, or let Ceilometer post (source: webhook)"
    complaints = []
    for service, name in EVENTS_APIS.items():
        try:
            if await client.endpoint(service) is None:
                complaints.append(f"no {name} (service type {service}) in the catalogue")
                continue
            await client.get(service, "/v2/events", [("limit", "1")])
        except (CloudRefused, CloudUnavailable) as error:
            complaints.append(f"{name}: {error}")
        else:
            return ok(about, check, f"{name} answers")
    return failed(about, check, "; ".join(complaints), mend)
