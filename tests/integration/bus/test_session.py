"""A session with a broker: every failure is one that its users know."""

import pytest
from pamqp import commands as spec

from shared.amqp.address import Address
from shared.amqp.session import open_session
from shared.errors import BusUnavailable

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
            await session.publish("amq.topic", "nobody", b"lost", spec.Basic.Properties())
        await session.declare_queue("mine", {})
        await session.publish("", "mine", b"kept", spec.Basic.Properties())
