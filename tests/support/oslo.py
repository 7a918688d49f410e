"""The real oslo.messaging in processes of its own: a service that notifies, and Ceilometer."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def rabbit(url: str) -> str:
    """Return a URL as OpenStack writes it."""
    return url.replace("amqp://", "rabbit://")


def sending(event_type: str, **different: Any) -> dict[str, Any]:
    """Describe what a service sends; ten times Nova's envelope v2 unless told otherwise."""
    return {
        "exchange": "nova",
        "driver": "messagingv2",
        "topic": "notifications",
        "publisher_id": "compute.host1",
        "priority": "info",
        "event_type": event_type,
        "payload": {"instance_id": "server-1", "tenant_id": "project-1", "state": "active"},
        "count": 10,
    } | different


async def notify(url: str, *sends: dict[str, Any]) -> str:
    """Send with oslo.messaging, as an OpenStack service does; return what it logged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "oslo_notifier.py"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    request = {"url": rabbit(url), "sends": sends}
    _, errors = await process.communicate(json.dumps(request).encode())
    assert process.returncode == 0, errors.decode()
    return errors.decode()


@asynccontextmanager
async def ceilometer(url: str, exchanges: Sequence[str]) -> AsyncIterator[list[str]]:
    """Run Ceilometer's listener on `notifications.*`; gives the ids it takes, as they come."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "oslo_listener.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"url": rabbit(url), "topic": "notifications", "exchanges": list(exchanges)}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    taken: list[str] = []
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"ready\n"
    reading = asyncio.create_task(_read(process.stdout, taken))
    try:
        yield taken
    finally:
        process.stdin.close()
        await process.wait()
        await reading


async def _read(lines: asyncio.StreamReader, taken: list[str]) -> None:
    while line := await lines.readline():
        taken.append(line.decode().strip())
