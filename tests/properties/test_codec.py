"""Encoding then decoding gives the same event, whatever is in it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.codec import BATCH, SINGLE, decode, encode, encode_batch
from shared.event import Action, Event, Flavour, Level, Occasion, Phase
from shared.resource import ResourceRef

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53), max_value=2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(text, children, max_size=4),
    max_leaves=10,
)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
refs = st.builds(ResourceRef, st.just("prod"), text, text)
maybe = st.none() | text
events = st.builds(
    Event,
    id=text,
    cloud=st.just("prod"),
    type=text,
    canonical=text,
    time=times,
    service=text,
    publisher=text,
    priority=text,
    flavour=st.sampled_from(Flavour),
    action=st.sampled_from(Action),
    phase=st.sampled_from(Phase),
    category=text,
    level=st.sampled_from(Level),
    known=st.booleans(),
    subjects=st.lists(refs, max_size=3).map(tuple),
    related=st.lists(refs, max_size=3).map(tuple),
    name=maybe,
    project=maybe,
    user=maybe,
    request_id=maybe,
    host=maybe,
    zone=maybe,
    old_state=maybe,
    state=maybe,
    synthetic=st.booleans(),
    occasion=st.sampled_from(Occasion),
    payload=json_values,
)


@given(events)
def test_decoding_an_encoded_event_gives_it_back(event: Event) -> None:
    (decoded,) = decode(encode(event), SINGLE)

    assert decoded == event
    assert decoded.payload == event.payload


@given(st.lists(events, max_size=4))
def test_decoding_an_encoded_batch_gives_it_back_in_order(batch: list[Event]) -> None:
    assert decode(encode_batch(batch), BATCH) == tuple(batch)
