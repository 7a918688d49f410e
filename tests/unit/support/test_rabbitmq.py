"""The broker that the other tests lean on does what its fixtures promise."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import psutil
import pytest
from aiormq.abc import FieldTable

from tests.support.rabbitmq import RabbitNode, RabbitVhost

pytestmark = pytest.mark.rabbitmq

_QUORUM: FieldTable = {"x-queue-type": "quorum"}
_LEAVES_A_NODE = """
import os, sys, tempfile
from pathlib import Path
from tests.support.rabbitmq import RabbitNode
node = RabbitNode(Path(tempfile.mkdtemp(dir=sys.argv[1])))
node.start()
print(node._server.pid, node._keeper.pid, flush=True)
os._exit(1)
"""


@contextlib.asynccontextmanager
async def _channel(node: RabbitNode) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(node.url()) as connection:
        yield await connection.channel()


async def test_a_vhost_starts_empty_and_shows_what_is_declared_in_it(
    rabbit_vhost: RabbitVhost,
) -> None:
    assert rabbit_vhost.queues() == []
    async with await aio_pika.connect(rabbit_vhost.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True, arguments=_QUORUM)
        exchange = await channel.declare_exchange("nova", "topic")
        await queue.bind(exchange, "notifications.info")
        assert rabbit_vhost.queues() == ["q"]
        assert rabbit_vhost.bindings("q") == {("nova", "notifications.info")}
        rabbit_vhost.delete_queue("q")
        assert rabbit_vhost.queues() == []


async def test_closing_the_connections_of_a_vhost_spares_the_others(
    rabbit_node: RabbitNode, rabbit_vhost: RabbitVhost
) -> None:
    async with await aio_pika.connect(rabbit_node.url()) as neighbour:
        connection = await aio_pika.connect(rabbit_vhost.url)
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
        assert rabbit_vhost.close_connections() == 1
        await closed.wait()
        await neighbour.channel()


async def test_messages_are_still_there_after_the_broker_was_stopped_and_killed(
    dedicated_node: RabbitNode,
) -> None:
    async with _channel(dedicated_node) as channel:
        await channel.declare_queue("q", durable=True)
    for messages, kill in ((1, False), (2, True)):
        async with _channel(dedicated_node) as channel:
            message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, "q")
        # Stopped first: a queue declared just before a kill may be lost with it, see `kill`.
        await dedicated_node.restart(kill=kill)
        async with _channel(dedicated_node) as channel:
            queue = await channel.declare_queue("q", passive=True)
            assert queue.declaration_result.message_count == messages


def test_a_node_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _LEAVES_A_NODE, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    left = [
        psutil.Process(int(pid)) for pid in answer.stdout.split() if psutil.pid_exists(int(pid))
    ]
    _, alive = psutil.wait_procs(left, timeout=60)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
