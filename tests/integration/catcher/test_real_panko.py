"""The real Panko 10 on PostgreSQL, the real Keystone, and what we make of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from services.catcher.decoding.notification import Notification
from services.catcher.sources.events_api import Reader
from services.catcher.sources.panko import Panko
from services.catcher.sources.polled import PolledSource
from services.catcher.sources.sweep import Query, Sweep
from shared.clock import SystemClock
from shared.errors import CloudRefused, CloudUnavailable
from shared.event import Flavour
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.openstack.sending import Limits
from tests.support.events import NOON
from tests.support.events_api import MemoryCheckpoint
from tests.support.openstack.panko import real_panko
from tests.support.openstack.real import Keystone, password_of, real_keystone
from tests.support.polling import AT_ONCE, Gaps, read
from tests.support.postgres import run, with_database
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.xdist_group("real openstack"),
    pytest.mark.timeout(600),
    # keystoneauth1 warns of what it is going to change in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

COUNT = 240
CROWDED = range(60, 180)
"""Events that share one time, more than a page of 100 holds."""
SECOND = timedelta(seconds=1)


def generated(number: int) -> datetime:
    return NOON + (CROWDED[0] if number in CROWDED else number) * SECOND


def recorded(number: int) -> dict[str, Any]:
    """Return an event as Ceilometer records it; each second one with its whole notification."""
    payload = {"instance_id": f"server-{number}", "memory_mb": 512, "state": "active"}
    raw = {
        "ctxt": {"request_id": "req-1"},
        "publisher_id": "compute.host1",
        "event_type": "compute.instance.update",
        "payload": payload,
        "metadata": {"message_id": f"event-{number:04}", "timestamp": str(generated(number))[:19]},
    }
    return {
        "message_id": f"event-{number:04}",
        "event_type": "compute.instance.update",
        "generated": generated(number).replace(tzinfo=None).isoformat(),
        "traits": [
            ["instance_id", "string", f"server-{number}"],
            ["memory_mb", "integer", 512],
            ["load", "float", 0.5],
            ["launched_at", "datetime", "2026-11-23T10:00:00"],
        ],
        "raw": raw if number % 2 else {},
    }


IDS = [f"event-{number:04}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    with real_keystone(tmp_path_factory.mktemp("keystone")) as keystone:
        yield keystone


@pytest.fixture(scope="module")
def panko(
    keystone: Keystone, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    # The server may be one that another run of the suite uses, too.
    name = f"panko_{uuid4().hex[:12]}"
    asyncio.run(run(postgres_server, f"create database {name}"))
    url = with_database(postgres_server, name)
    events = [recorded(number) for number in range(COUNT)]
    with real_panko(tmp_path_factory.mktemp("panko"), keystone, url, events) as address:
        keystone.offer("event", address)
        keystone.add_member("somebody")
        yield address
    asyncio.run(run(postgres_server, f"drop database {name} with (force)"))


Open = Callable[..., Any]


@pytest.fixture
def opened(keystone: Keystone, panko: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return a function that opens a client by what clouds.yaml says."""
    assert panko
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))

    @asynccontextmanager
    async def opened(auth_type: str = "v3password", **auth: Any) -> AsyncIterator[CloudClient]:
        keystone.write_clouds_yaml(path, "prod", auth_type, **(auth or password_of("admin")))
        async with CloudClient.open(
            load_cloud("prod"),
            clock=SystemClock(),
            random=Random(1),
            limits=Limits(attempts=1),
        ) as client:
            yield client

    return opened


def news(client: CloudClient, since: datetime, *, gaps: Gaps | None = None) -> PolledSource:
    position = {"since": since.isoformat(), "newest": since.isoformat(), "first": None}
    return PolledSource(
        Reader(client, Panko(), cloud="prod"),
        MemoryCheckpoint(position),
        on_gap=Gaps() if gaps is None else gaps,
        poll_interval=timedelta(),
        clock=SystemClock(),
        random=Random(1),
        backoff=AT_ONCE,
    )


@pytest.mark.parametrize("page", [1, 100, 1000])
async def test_all_events_are_read_once_whatever_the_page(opened: Open, page: int) -> None:
    async with opened() as client:
        seen = await read(news(client, generated(0)), COUNT, page=page, seconds=200)

    assert seen == IDS


async def test_crowded_times_are_read_once_by_pages_smaller_than_the_crowd(opened: Open) -> None:
    async with opened() as client:
        seen = await read(news(client, generated(60)), COUNT - 60, page=50, seconds=200)

    assert seen == IDS[60:]


async def test_windows_of_time_read_the_same_as_markers(opened: Open) -> None:
    async with opened() as client:
        reader = Reader(client, Panko(pages=False), cloud="prod")
        sweep: Sweep | None = reader.dialect.sweep(NOON, NOON + COUNT * SECOND)
        seen: list[str] = []
        while sweep is not None:
            query = sweep.query(100)
            step = sweep.take(await reader.page(query), query, SystemClock().now())
            seen += [item.key for item in step.items]
            sweep = step.rest

    assert sorted(seen) == IDS


async def test_the_whole_notification_is_used_where_it_is_kept_and_typed_traits_elsewhere(
    opened: Open,
) -> None:
    async with opened() as client:
        handover = await news(client, generated(COUNT - 2)).receive(most=10, wait=timedelta())

    traits, whole = handover.items
    assert isinstance(traits, Notification)
    assert isinstance(whole, Notification)
    assert (traits.flavour, whole.flavour) == (Flavour.TRAITS, Flavour.LEGACY)
    assert whole.payload["state"] == "active"
    assert traits.payload == {
        "instance_id": f"server-{COUNT - 2}",
        "memory_mb": 512,
        "load": 0.5,
        "launched_at": "2026-11-23T10:00:00Z",
    }


async def test_a_marker_that_is_gone_is_survived(opened: Open) -> None:
    async with opened() as client:
        reader = Reader(client, Panko(), cloud="prod")
        with pytest.raises(CloudUnavailable, match="500"):
            await reader.page(Query(NOON, None, 10, "gone"))
        position = {"since": NOON.isoformat(), "after": "gone", "reached": generated(5).isoformat()}
        sweep = reader.dialect.restored(position, None).anew(SystemClock().now())
        page = await reader.page(sweep.query(3))

    assert [item.id for item in page] == IDS[5:8]


async def test_the_oldest_and_the_newest_are_found(opened: Open) -> None:
    async with opened() as client:
        reader = Reader(client, Panko(), cloud="prod")
        await reader.get_acquainted()
        oldest, newest = await reader.oldest(), await reader.newest()

    assert reader.dialect == Panko()
    assert oldest is not None
    assert newest is not None
    assert (oldest.id, newest.id) == (IDS[0], IDS[-1])


async def test_what_expired_is_a_gap(opened: Open) -> None:
    gaps = Gaps()
    async with opened() as client:
        await read(news(client, NOON - timedelta(days=1), gaps=gaps), 1)

    assert "keeps events since 2026-11-23 12:00:00+00:00 only" in gaps[0]


async def test_a_member_is_told_that_it_may_not_see_them(opened: Open) -> None:
    async with opened("v3password", **password_of("somebody")) as client:
        source = news(client, NOON)
        waiting = asyncio.create_task(read(source, 1))

        async def told() -> bool:
            return source.trouble is not None and "no administrator" in source.trouble

        await eventually(told, what="the source says that it may not read")
        waiting.cancel()


def proofs(keystone: Keystone) -> dict[str, dict[str, Any]]:
    """Return what clouds.yaml can say, by auth type."""
    user = keystone.user_id("admin")
    made = keystone.call(
        f"/users/{user}/application_credentials",
        {"application_credential": {"name": f"osevents-{Random().random()}"}},
    )["application_credential"]
    return {
        "password": password_of("admin"),
        "v3password": password_of("admin"),
        "v3applicationcredential": {
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        },
        "v3token": {"token": keystone.token, "project_id": keystone.project_id()},
    }


@pytest.mark.parametrize(
    "auth_type", ["password", "v3password", "v3applicationcredential", "v3token"]
)
async def test_every_way_to_log_in_leads_to_the_events(
    opened: Open, keystone: Keystone, auth_type: str
) -> None:
    async with opened(auth_type, **proofs(keystone)[auth_type]) as client:
        assert await read(news(client, generated(COUNT - 1)), 1) == IDS[-1:]


async def test_a_wrong_password_is_told(opened: Open) -> None:
    wrong = password_of("admin") | {"password": "wrong"}
    async with opened("v3password", **wrong) as client:
        with pytest.raises(CloudRefused, match="401"):
            await Reader(client, Panko(), cloud="prod").oldest()


async def test_a_token_without_a_project_is_told_the_way_out(opened: Open) -> None:
    unscoped = {
        key: value for key, value in password_of("admin").items() if not key.startswith("project")
    }
    async with opened("v3password", **unscoped, system_scope="all") as client:
        with pytest.raises(CloudRefused, match="project") as refused:
            await Reader(client, Panko(), cloud="prod").oldest()

    assert json.dumps(str(refused.value)).isascii()
