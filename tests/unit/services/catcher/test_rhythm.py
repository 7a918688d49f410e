"""When silence is alarming: learnt from the source, by pure arithmetic."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.catcher.rhythm import FACTOR, HALF_LIFE, LEARNING, SHORTEST_ALARM, Rhythm
from tests.support.events import NOON

MINUTE = timedelta(minutes=1)
pauses = st.lists(st.timedeltas(timedelta(), timedelta(days=3)), min_size=1, max_size=30)


def listened(every: timedelta, *, hours: int = 24) -> tuple[Rhythm, datetime]:
    """Return the rhythm of a source that spoke regularly, and the present time."""
    rhythm, now = Rhythm(NOON), NOON
    while now < NOON + timedelta(hours=hours):
        now += every
        rhythm = rhythm.heard(now)
    return rhythm, now


def test_a_busy_source_alarms_after_the_shortest_time_there_is() -> None:
    rhythm, now = listened(10 * timedelta(seconds=1))

    assert rhythm.silent(now + SHORTEST_ALARM) is None
    assert rhythm.silent(now + SHORTEST_ALARM + MINUTE) == SHORTEST_ALARM + MINUTE


def test_a_quiet_source_is_given_several_times_its_usual_pause() -> None:
    rhythm, now = listened(timedelta(hours=1))

    assert rhythm.alarming_after(now) == FACTOR * timedelta(hours=1)
    assert rhythm.silent(now + timedelta(hours=2)) is None
    assert rhythm.silent(now + timedelta(hours=4))


def test_nothing_alarms_before_something_was_learnt() -> None:
    rhythm = Rhythm(NOON).heard(NOON + MINUTE)

    assert rhythm.silent(NOON + LEARNING - MINUTE) is None
    assert rhythm.silent(NOON + LEARNING) is not None


def test_a_source_that_never_spoke_is_not_silent_but_unknown() -> None:
    assert Rhythm(NOON).silent(NOON + timedelta(days=30)) is None


def test_an_outage_does_not_make_the_source_deaf_to_the_next_one() -> None:
    rhythm, now = listened(MINUTE)
    outage = timedelta(days=1)
    after = rhythm.heard(now + outage)

    threshold = after.alarming_after(now + outage)
    assert threshold is not None
    assert threshold <= FACTOR * SHORTEST_ALARM


def test_a_long_pause_fades_when_it_does_not_come_again() -> None:
    rhythm, now = listened(timedelta(hours=2))
    for _ in range(int(4 * HALF_LIFE / MINUTE)):
        now += MINUTE
        rhythm = rhythm.heard(now)

    threshold = rhythm.alarming_after(now)
    assert threshold is not None
    assert threshold < timedelta(hours=1)


def test_what_was_learnt_outlives_a_restart() -> None:
    rhythm, _ = listened(MINUTE)

    assert Rhythm.restored(rhythm.saved()) == rhythm
    assert Rhythm.restored(Rhythm(NOON).saved()) == Rhythm(NOON)


@given(pauses)
def test_a_pause_that_has_just_been_usual_is_never_alarming(steps: list[timedelta]) -> None:
    rhythm, now = Rhythm(NOON), NOON
    for step in steps:
        now += step
        rhythm = rhythm.heard(now)

    assert rhythm.silent(now + rhythm.longest) is None


@given(pauses, st.timedeltas(timedelta(), timedelta(days=9)))
def test_longer_silence_is_never_less_alarming(steps: list[timedelta], more: timedelta) -> None:
    rhythm, now = Rhythm(NOON), NOON
    for step in steps:
        now += step
        rhythm = rhythm.heard(now)

    if rhythm.silent(now + more):
        assert rhythm.silent(now + more + MINUTE)


SHARED_EVERY = timedelta(seconds=2)
ROUNDING = timedelta(milliseconds=1)
COPIES = 3
# No pause is so long that an alarm would bound what is learnt from it.
shares = st.lists(
    st.tuples(st.timedeltas(timedelta(), SHORTEST_ALARM - MINUTE), st.integers(0, COPIES - 1)),
    min_size=1,
    max_size=30,
)


def together(heard: list[tuple[timedelta, int]]) -> tuple[Rhythm, Rhythm, datetime]:
    """Return what one learns who hears everything, what copies learn together, and the end."""
    alone, now, shared_at = Rhythm(NOON), NOON, NOON
    kept = Rhythm(NOON)
    copies = [Rhythm(NOON)] * COPIES
    for step, index in heard:
        now += step
        while shared_at + SHARED_EVERY <= now:
            shared_at += SHARED_EVERY
            for each in range(COPIES):
                copies[each] = kept = copies[each].joined(kept)
        alone = alone.heard(now)
        copies[index] = copies[index].heard(now)
    for copy in copies:
        kept = kept.joined(copy)
    return alone, kept, now


@given(shares)
def test_copies_that_hear_a_part_each_learn_the_rhythm_of_the_whole(
    heard: list[tuple[timedelta, int]],
) -> None:
    alone, kept, _ = together(heard)

    assert (kept.since, kept.last) == (alone.since, alone.last)
    # One tells of it, then another asks.
    late = 2 * SHARED_EVERY
    assert alone.longest - ROUNDING <= kept.longest <= alone.longest + late + ROUNDING


@given(shares, shares)
def test_it_does_not_matter_in_which_order_or_how_often_copies_join(
    some: list[tuple[timedelta, int]], others: list[tuple[timedelta, int]]
) -> None:
    one, two = together(some)[0], together(others)[0]
    both = one.joined(two)

    assert two.joined(one) == both
    assert both.joined(two) == both.joined(one) == both
    assert one.joined(one) == one


@given(shares)
def test_who_has_heard_nothing_teaches_nothing(heard: list[tuple[timedelta, int]]) -> None:
    rhythm, _, now = together(heard)

    assert rhythm.joined(Rhythm(now)) == rhythm
    assert Rhythm(now).joined(rhythm) == rhythm
    assert Rhythm(now).joined(Rhythm(NOON)) == Rhythm(NOON)
