"""A consumer of a queue: whatever fails while it connects, it tries again."""

import asyncio
import struct
from datetime import timedelta
from random import Random

import pytest
from pamqp import commands as spec
from yarl import URL

from shared.amqp import consumer as consuming
from shared.amqp import session as sessions
from shared.amqp.address import Address
from shared.amqp.consumer import open_consumer
from shared.amqp.publisher import open_publisher
from shared.amqp.session import Outgoing, Session
from shared.backoff import Backoff
from tests.support.ports import free_port
from tests.support.waiting import eventually

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


class Bounds(Random):
    """Waits not at all, and keeps how long each wait might have been."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.four = asyncio.Event()

    def uniform(self, a: float, b: float) -> float:
        self.seconds.append(b)
        if len(self.seconds) == 4:
            self.four.set()
        return 0 * a


async def test_sessions_that_end_at_once_are_opened_ever_less_often(rabbit_url: str) -> None:
    random = Bounds()

    async def prepare(session: Session) -> None:
        await session.declare_queue("mine", {})
        session.close("whatever it is, it is still there")

    address = Address.parse(rabbit_url)
    async with (
        open_consumer(address, "mine", prepare, prefetch=1, random=random),
        asyncio.timeout(60),
    ):
        await random.four.wait()

    assert random.seconds[:4] == [0.2, 0.4, 0.8, 1.6]


async def test_a_preferred_host_that_does_not_answer_hides_no_end_of_the_session(
    rabbit_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CONNECT_SECONDS", 600.0)
    asked, silence, port = asyncio.Event(), asyncio.Event(), free_port()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await silence.wait()
        writer.close()

    async def prepare(session: Session) -> None:
        await session.declare_queue("mine", {})

    address = Address((URL(f"amqp://127.0.0.1:{port}/"), URL(rabbit_url)))
    async with open_consumer(
        address, "mine", prepare, prefetch=1, random=Random(1), fail_back=timedelta(milliseconds=10)
    ) as consumer:
        await consumer.connected.wait()
        async with await asyncio.start_server(say_nothing, "127.0.0.1", port):
            await asked.wait()
            assert consumer.session is not None
            consumer.session.close("the broker has gone")

            async def noticed() -> bool:
                return consumer.reconnects == 1

            await eventually(noticed, what="the end of the session is noticed")
            silence.set()


class Raw(spec.Basic.Properties):
    """Properties as only a strange producer sends them."""

    def __init__(self, bytes_: bytes) -> None:
        super().__init__()
        self._bytes = bytes_

    def marshal(self) -> bytes:
        return self._bytes


def nested(levels: int) -> bytes:
    table = struct.pack(">I", 0)
    for _ in range(levels):
        entry = b"\x01aF" + table
        table = struct.pack(">I", len(entry)) + entry
    return table


CONTENT_TYPE, HEADERS, TIMESTAMP = 1 << 15, 1 << 13, 1 << 6


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(struct.pack(">HQ", TIMESTAMP, 10**18), id="a time in nanoseconds"),
        pytest.param(struct.pack(">H", CONTENT_TYPE) + b"\x02\xff\xfe", id="a text in no UTF-8"),
        pytest.param(
            struct.pack(">HI", HEADERS, 4) + b"\x01\xfft\x01", id="a header's name in no UTF-8"
        ),
        pytest.param(struct.pack(">H", HEADERS) + nested(3000), id="headers without an end"),
    ],
)
async def test_a_message_whose_properties_cannot_be_read_stops_nobody(
    rabbit_url: str, properties: bytes
) -> None:
    async def prepare(session: Session) -> None:
        await session.declare_queue("mine", {})

    address = Address.parse(rabbit_url)
    async with open_publisher(address, prepare, name="strange") as publisher:
        await publisher.publish(
            [
                Outgoing("", "mine", b"first", Raw(properties)),
                Outgoing("", "mine", b"second", spec.Basic.Properties()),
            ]
        )
    async with open_consumer(address, "mine", prepare, prefetch=10, random=Random(1)) as consumer:
        bodies: list[bytes] = []
        async with asyncio.timeout(60):
            while len(bodies) < 2:
                batch = await consumer.receive(most=10, wait=timedelta())
                bodies += [message.body for message in batch.messages]
                await consumer.acknowledge(batch)

    assert bodies == [b"first", b"second"]
    assert consumer.reconnects == 0
