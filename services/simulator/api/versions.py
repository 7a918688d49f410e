"""The version documents that clients discover the APIs by; they need no token."""

from aiohttp import web

from services.simulator.api.answer import answer
from services.simulator.api.microversions import BAREMETAL, COMPUTE, SHARES, VOLUME
from services.simulator.notification import Json

_UPDATED = "2023-03-22T00:00:00Z"


def _version(request: web.Request, id_: str, path: str, **extra: str) -> Json:
    href = f"{request.url.origin()}{path}"
    links = [{"rel": "self", "href": href}]
    return {"id": id_, "status": "CURRENT", "updated": _UPDATED, "links": links, **extra}


def _identity(request: web.Request) -> Json:
    return _version(request, "v3.14", "/identity/v3/") | {"status": "stable"}


def _compute(request: web.Request) -> Json:
    return _version(
        request,
        "v2.1",
        "/compute/v2.1/",
        version=f"2.{COMPUTE.highest}",
        min_version=f"2.{COMPUTE.lowest}",
    )


def _volume(request: web.Request) -> Json:
    return _version(
        request,
        "v3.0",
        "/volume/v3/",
        version=f"3.{VOLUME.highest}",
        min_version=f"3.{VOLUME.lowest}",
    )


async def identity_root(request: web.Request) -> web.Response:
    """List the versions of Keystone, with 300 Multiple Choices."""
    return answer({"versions": {"values": [_identity(request)]}}, status=300)


async def identity_v3(request: web.Request) -> web.Response:
    """Describe Keystone v3."""
    return answer({"version": _identity(request)})


async def compute_root(request: web.Request) -> web.Response:
    """List the versions of Nova."""
    return answer({"versions": [_compute(request)]})


async def compute_v21(request: web.Request) -> web.Response:
    """Describe Nova v2.1."""
    return answer({"version": _compute(request)})


async def network_root(request: web.Request) -> web.Response:
    """List the versions of Neutron."""
    return answer({"versions": [_version(request, "v2.0", "/network/v2.0/")]})


async def volume_root(request: web.Request) -> web.Response:
    """List the versions of Cinder, with 300 Multiple Choices."""
    return answer({"versions": [_volume(request)]}, status=300)


async def volume_v3(request: web.Request) -> web.Response:
    """Describe Cinder v3, in a list of one."""
    return answer({"versions": [_volume(request)]})


async def image_root(request: web.Request) -> web.Response:
    """List the versions of Glance, with 300 Multiple Choices."""
    return answer({"versions": [_version(request, "v2.15", "/image/v2/")]}, status=300)


async def event_root(request: web.Request) -> web.Response:
    """List the versions of Panko, or of Ceilometer."""
    version = _version(request, "v2", f"{request.path.rstrip('/')}/v2") | {"status": "stable"}
    return answer({"versions": {"values": [version]}})


async def orchestration_root(request: web.Request) -> web.Response:
    """List the versions of Heat, with 300 Multiple Choices."""
    return answer({"versions": [_version(request, "v1.0", "/orchestration/v1/")]}, status=300)


def _baremetal(request: web.Request) -> Json:
    return _version(
        request,
        "v1",
        "/baremetal/v1/",
        version=f"1.{BAREMETAL.highest}",
        min_version=f"1.{BAREMETAL.lowest}",
    )


async def baremetal_root(request: web.Request) -> web.Response:
    """List the versions of Ironic."""
    described = _baremetal(request)
    return answer({"name": "OpenStack Ironic API", "versions": [described]} | {"id": "v1"})


async def baremetal_v1(request: web.Request) -> web.Response:
    """Describe Ironic v1, which is its version document, too."""
    return answer({"id": "v1", "version": _baremetal(request)})


async def balancer_root(request: web.Request) -> web.Response:
    """List the versions of Octavia."""
    versions = [
        _version(request, id_, "/load-balancer/v2") | {"status": status}
        for id_, status in (("v2.0", "SUPPORTED"), ("v2.26", "CURRENT"))
    ]
    return answer({"versions": versions})


async def share_root(request: web.Request) -> web.Response:
    """Describe Manila v2, in a list of one."""
    version = _version(
        request,
        "v2.0",
        "/share/v2/",
        version=f"2.{SHARES.highest}",
        min_version=f"2.{SHARES.lowest}",
    )
    return answer({"versions": [version]})
