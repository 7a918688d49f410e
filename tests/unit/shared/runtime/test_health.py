"""Supervisors and Prometheus get their answers."""

from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from shared.errors import Misconfigured
from shared.runtime.health import serve_health


async def _get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def reasons() -> dict[str, str]:
    return {}


@pytest.fixture
async def port(registry: CollectorRegistry, reasons: dict[str, str]) -> AsyncIterator[int]:
    checks = {name: partial(reasons.get, name) for name in ("bus", "database")}
    async with serve_health(host="127.0.0.1", port=0, checks=checks, registry=registry) as port:
        yield port


async def test_it_is_alive_even_when_it_is_not_ready(port: int, reasons: dict[str, str]) -> None:
    reasons["bus"] = "not connected"
    assert await _get(port, "/healthz") == (200, "alive\n")


async def test_it_is_ready_when_no_check_objects(port: int) -> None:
    assert await _get(port, "/readyz") == (200, "ready\n")


async def test_what_is_missing_is_named(port: int, reasons: dict[str, str]) -> None:
    reasons.update(bus="not connected", database="migrating")
    assert await _get(port, "/readyz") == (503, "bus: not connected\ndatabase: migrating\n")


async def test_metrics_are_those_of_the_registry(port: int, registry: CollectorRegistry) -> None:
    Counter("osevents_things", "Things.", registry=registry).inc(3)
    status, text = await _get(port, "/metrics")
    assert status == 200
    assert "osevents_things_total 3.0" in text


async def test_a_port_in_use_is_a_problem_of_the_configuration(
    port: int, registry: CollectorRegistry
) -> None:
    told = rf"http.port: cannot listen on 127.0.0.1 port {port}: Address already in use; choose"
    with pytest.raises(Misconfigured, match=told):
        async with serve_health(host="127.0.0.1", port=port, checks={}, registry=registry):
            pass


async def test_nothing_listens_any_more_afterwards(registry: CollectorRegistry) -> None:
    async with serve_health(host="127.0.0.1", port=0, checks={}, registry=registry) as port:
        pass
    with pytest.raises(aiohttp.ClientConnectorError):
        await _get(port, "/healthz")
