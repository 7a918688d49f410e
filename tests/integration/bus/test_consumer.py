"""A consumer of a queue: whatever fails while it connects, it tries again."""

import asyncio
from random import Random

import pytest
from pamqp import commands as spec

from shared.amqp import consumer as consuming
from shared.amqp.address import Address
from shared.amqp.consumer import open_consumer
from shared.amqp.publisher import open_publisher
from shared.amqp.session import Outgoing, Session
from shared.backoff import Backoff

pytestmark = pytest.mark.rabbitmq


async def test_a_consumer_goes_on_after_its_report_was_not_taken(
    rabbit_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What happened: the bus refused the report of a gap while its queues were being made, and the
    # broker's next "no", which is an answer, was then taken for a wish to stop.
    monkeypatch.setattr(consuming, "RECONNECT", Backoff(longest_seconds=0.01))
    address = Address.parse(rabbit_url)
    answers: list[int | None] = []

    async def nothing(_: Session) -> None:
        pass

    async with open_publisher(address, nothing, name="reports") as publisher:

        async def prepare(session: Session) -> None:
            answers.append(await session.waiting_in("mine"))
            if len(answers) == 1:
                report = Outgoing("amq.topic", "nobody", b"{}", spec.Basic.Properties())
                await publisher.publish([report])
            await session.declare_queue("mine", {})

        async with (
            open_consumer(address, "mine", prepare, prefetch=1, random=Random(1)) as consumer,
            asyncio.timeout(60),
        ):
            await consumer.connected.wait()

    assert answers == [None, None]
