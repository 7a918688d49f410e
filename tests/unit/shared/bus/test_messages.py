"""Events as messages of RabbitMQ: together where they may, apart where they must."""

from shared.bus.messages import DEAD, LARGEST_BATCH_BYTES, MOST_EVENTS_IN_A_MESSAGE, messages_of
from shared.codec import decode
from tests.support.events import NOON, event, ids, numbered


def carried(*sizes: int) -> list[list[str]]:
    """Return the ids in each message, for events with payloads of these sizes."""
    events = [event(f"event-{n}", payload="x" * size) for n, size in enumerate(sizes)]
    return [
        ids(decode(message.body, message.properties.content_type))
        for message in messages_of(events, now=NOON)
    ]


def test_events_of_one_type_travel_together_up_to_a_number() -> None:
    messages = messages_of(numbered(MOST_EVENTS_IN_A_MESSAGE + 1), now=NOON)

    assert [len(decode(message.body, message.properties.content_type)) for message in messages] == [
        MOST_EVENTS_IN_A_MESSAGE,
        1,
    ]


def test_events_of_two_types_travel_apart() -> None:
    three = [event("one", type="a"), event("two", type="b"), event("3", type="a")]
    messages = messages_of(three, now=NOON)

    assert [message.routing_key for message in messages] == ["prod.a", "prod.b"]


def test_large_events_travel_apart_in_their_order() -> None:
    third = LARGEST_BATCH_BYTES // 3

    assert carried(third, third, third, third) == [["event-0", "event-1"], ["event-2", "event-3"]]


def test_an_event_that_is_too_large_for_company_travels_alone() -> None:
    small, large = 10, LARGEST_BATCH_BYTES + 1

    assert carried(small, large, small) == [["event-0"], ["event-1"], ["event-2"]]
    assert carried(large) == [["event-0"]]


def test_an_event_beyond_the_brokers_limit_becomes_a_dead_letter_that_fits() -> None:
    events = [event("small"), event("huge", payload="x" * 5000), event("also small")]

    huge, *others = sorted(
        messages_of(events, now=NOON, largest=2000), key=lambda one: one.exchange != DEAD
    )

    assert [ids(decode(one.body, one.properties.content_type)) for one in others] == [
        ["small"],
        ["also small"],
    ]
    assert huge.exchange == DEAD
    assert len(huge.body) == 2000
    headers = huge.properties.headers
    assert headers is not None
    assert "the event huge of type" in str(headers["x-osevents-reason"])
    assert "kept: the first 2000 of" in str(headers["x-osevents-reason"])
