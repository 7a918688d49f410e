"""Ceilometer's http publisher, as its source posts (requests, a JSON array), into a catcher."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry

from services.catcher.plans import WebhookPlan
from services.catcher.sources.webhook_listener import Credentials, Limits, WebhookListener
from services.cli.running.webhooks import tls_of
from shared.runtime.sections import ListenerSettings
from shared.store.database import Database
from tests.support.catching import Taken, catcher_of
from tests.support.tls import SERVER_NAME, make_certificates
from tests.support.waiting import eventually

SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "ceilometer_publisher"
PUBLISHED: list[dict[str, Any]] = [
    {
        "message_id": f"event-{number}",
        "event_type": "volume.create.end",
        "generated": "2026-01-15T10:03:49.534000",
        "traits": [["service", 1, "volume.host1"], ["resource_id", 1, "v1"], ["size", 2, 5]],
        "raw": {},
    }
    for number in range(20)
]


def bodies() -> list[str]:
    """Return what is posted: a batch, single events, and real ones where there are some."""
    ours = [json.dumps(PUBLISHED), *(json.dumps(event) for event in PUBLISHED[:3])]
    return ours + [path.read_text() for path in sorted(SAMPLES.glob("http_*_body.json"))]


async def test_batches_and_single_events_arrive_over_tls_with_a_client_certificate(
    database: Database, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    tls = tls_of(
        ListenerSettings(
            certificate=str(certificates.server), client_ca=str(certificates.authority)
        )
    )
    limits = Limits(2**24, 2**26, 16, timedelta(seconds=60))
    listener = WebhookListener("127.0.0.1", 0, limits=limits, tls=tls)
    bus, registry, stop = Taken(), CollectorRegistry(), asyncio.Event()
    plan = WebhookPlan("prod", listener, "/prod", Credentials())
    catcher = catcher_of("webhook", plan, bus, database, registry)

    def post(body: str, **how: Any) -> int:
        """Post as `HttpPublisher._do_post` does."""
        answer = requests.post(
            f"https://{SERVER_NAME}:{listener.port}/prod",
            data=body,
            headers={"Content-type": "application/json"},
            timeout=60,
            verify=str(certificates.authority),
            **how,
        )
        return answer.status_code

    with_certificate = {"cert": (str(certificates.client), str(certificates.client_key))}
    async with asyncio.TaskGroup() as group:
        group.create_task(catcher.run(stop))

        async def listens() -> bool:
            return listener.port is not None

        await eventually(listens, what="it listens")
        without = await asyncio.to_thread(post, bodies()[0])
        statuses = [await asyncio.to_thread(post, body, **with_certificate) for body in bodies()]
        stop.set()

    assert without == 401
    assert set(statuses) == {200}
    sent = [json.loads(body) for body in bodies()]
    expected = [
        event["message_id"]
        for value in sent
        for event in (value if isinstance(value, list) else [value])
    ]
    assert [event.id for event in bus.events] == expected
    assert str(bus.events[0].subject) == "volume/v1"
    labels = {"cloud": "prod", "outcome": "taken"}
    assert registry.get_sample_value("osevents_webhook_requests_total", labels) == len(statuses)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="there are no samples beside the checkout")
def test_real_bodies_are_among_those_posted() -> None:
    assert len(bodies()) > len(PUBLISHED[:3]) + 1
