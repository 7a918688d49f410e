"""A session with a broker: every failure is one that its users know."""

import asyncio
from typing import Any

import psutil
import pytest
from pamqp import commands as spec
from pamqp.frame import marshal
from yarl import URL

from shared.amqp.address import Address
from shared.amqp.session import Outgoing, Session, open_session
from shared.errors import BusUnavailable
from tests.support.proxy import proxy_to
from tests.support.waiting import eventually

pytestmark = pytest.mark.rabbitmq


async def test_a_call_on_a_connection_that_is_closed_is_a_broker_that_is_away(
    rabbit_url: str,
) -> None:
    async with open_session(Address.parse(rabbit_url), name="test") as session:
        await session._connection.close()

        with pytest.raises(BusUnavailable, match="looking for queue 'any'"):
            await session.waiting_in("any")
        with pytest.raises(BusUnavailable, match="binding to exchange 'nova'"):
            await session.bind_foreign("any", "nova", ["key"])


async def test_a_message_that_no_queue_takes_is_not_confirmed(rabbit_url: str) -> None:
    async with open_session(Address.parse(rabbit_url), name="test") as session:
        with pytest.raises(BusUnavailable, match="publishing to exchange"):
            await session.publish([outgoing("amq.topic", "nobody")])
        await session.declare_queue("mine", {})
        await session.publish([outgoing("", "mine")])


async def test_messages_are_confirmed_in_spite_of_one_between_them_that_is_not(
    rabbit_url: str,
) -> None:
    async with open_session(Address.parse(rabbit_url), name="test") as session:
        await session.declare_queue("mine", {})

        with pytest.raises(BusUnavailable, match=r"to exchange 'amq\.topic' with 'nobody'"):
            await session.publish(
                [outgoing("", "mine"), outgoing("amq.topic", "nobody"), outgoing("", "mine")]
            )

        assert await session.waiting_in("mine") == 2


async def test_a_task_in_which_something_failed_before_gets_its_answers(rabbit_url: str) -> None:
    # Before Python 3.13 such a task looks as if it were being cancelled, ever after.
    async with open_session(Address.parse(rabbit_url), name="test") as session:
        with pytest.raises(BaseExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(asking_in_vain(session))

        assert await session.waiting_in("none of that name") is None
        with pytest.raises(BusUnavailable, match="nobody"):
            await session.publish([outgoing("amq.topic", "nobody")])


async def test_names_that_amqp_does_not_know_are_told_and_end_nothing(rabbit_url: str) -> None:
    address = Address.parse(rabbit_url)
    nowhere = Address((URL("amqp://rabbit..local:5672/"), URL(f"amqp://{'a' * 70}.local/")))

    async with open_session(address, name="test") as session:
        with pytest.raises(BusUnavailable, match=r"looking for queue 'osevents\.Köln'"):
            await session.waiting_in("osevents.Köln")
        assert await session.bind_foreign("mine", "nova(1)", ["key"]) == (
            "it cannot be named in AMQP: Invalid value for exchange"
        )
    with pytest.raises(BusUnavailable, match="no broker can be reached: rabbit"):
        async with open_session(nowhere, name="test"):
            pass


async def test_a_key_that_is_too_long_is_a_defect_of_who_publishes(rabbit_url: str) -> None:
    async with open_session(Address.parse(rabbit_url), name="test") as session:
        with pytest.raises(ValueError, match="too long"):
            await session.publish([outgoing("amq.topic", "k" * 300)])


async def test_a_broker_that_closes_as_soon_as_it_let_us_in_is_a_broker_that_is_away() -> None:
    # aiormq ends what is under way with a bare Exception then: nothing went wrong with a frame.
    async with await asyncio.start_server(lets_in_and_closes, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = Address((URL(f"amqp://127.0.0.1:{port}/"),))

        with pytest.raises(BusUnavailable, match=r"opening a channel .* the connection broke"):
            async with open_session(address, name="test"):
                pass


async def test_a_connection_whose_other_end_does_not_read_is_cut(rabbit_url: str) -> None:
    # As a broker under an alarm treats who publishes: the goodbye would wait behind the messages.
    direct = URL(rabbit_url)
    assert direct.port is not None
    async with proxy_to(direct.port) as (proxy, port):
        address = Address((direct.with_port(port),))
        async with open_session(address, name="test") as session:
            await session.declare_queue("mine", {})
            proxy.freeze()
            large = [outgoing("", "mine", bytes(8 * 2**20))] * 4
            publishing = asyncio.create_task(session.publish(large))
            await asyncio.wait([publishing], timeout=0.1)  # until the socket takes no more
        publishing.cancel()

        async def cut() -> bool:
            sockets = psutil.Process().net_connections("tcp")
            return not any(each.raddr and each.raddr.port == port for each in sockets)

        await eventually(cut, what="the socket is closed")


async def lets_in_and_closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    capabilities: dict[str, Any] = {"publisher_confirms": True}
    for answer in (
        spec.Connection.Start(server_properties={"capabilities": capabilities}),
        spec.Connection.Tune(channel_max=100, frame_max=131072, heartbeat=0),
        spec.Connection.OpenOk(),
    ):
        await reader.read(65536)
        writer.write(marshal(answer, 0))
    writer.close()


async def asking_in_vain(session: Session) -> None:
    await session.publish([outgoing("amq.topic", "nobody")])


def outgoing(exchange: str, routing_key: str, body: bytes = b"{}") -> Outgoing:
    return Outgoing(exchange, routing_key, body, spec.Basic.Properties())
