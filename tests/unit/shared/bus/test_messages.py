"""Events as messages of RabbitMQ: together where they may, apart where they must."""

from shared.bus.messages import LARGEST_BATCH_BYTES, MOST_EVENTS_IN_A_MESSAGE, messages_of
from shared.codec import decode
from tests.support.events import event, ids, numbered


def carried(*sizes: int) -> list[list[str]]:
    """Return the ids in each message, for events with payloads of these sizes."""
    events = [event(f"event-{n}", payload="x" * size) for n, size in enumerate(sizes)]
    return [
        ids(decode(message.body, message.properties.content_type))
        for message in messages_of(events)
    ]


def test_events_of_one_type_travel_together_up_to_a_number() -> None:
    messages = messages_of(numbered(MOST_EVENTS_IN_A_MESSAGE + 1))

    assert [len(decode(message.body, message.properties.content_type)) for message in messages] == [
        MOST_EVENTS_IN_A_MESSAGE,
        1,
    ]


def test_events_of_two_types_travel_apart() -> None:
    messages = messages_of([event("one", type="a"), event("two", type="b"), event("3", type="a")])

    assert [message.routing_key for message in messages] == ["prod.a", "prod.b"]


def test_large_events_travel_apart_in_their_order() -> None:
    third = LARGEST_BATCH_BYTES // 3

    assert carried(third, third, third, third) == [["event-0", "event-1"], ["event-2", "event-3"]]


def test_an_event_that_is_too_large_for_company_travels_alone() -> None:
    small, large = 10, LARGEST_BATCH_BYTES + 1

    assert carried(small, large, small) == [["event-0"], ["event-1"], ["event-2"]]
    assert carried(large) == [["event-0"]]
