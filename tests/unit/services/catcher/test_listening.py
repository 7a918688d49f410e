"""What is heard of a cloud, by which way, and what was missed."""

from datetime import timedelta

from services.catcher.listening import Listener
from services.catcher.rhythm import Rhythm
from tests.support.events import NOON, numbered

MINUTE = timedelta(minutes=1)


def listener() -> Listener:
    return Listener("prod", Rhythm(NOON))


def test_the_last_word_through_another_way_is_known_until_this_one_speaks() -> None:
    ears = listener()
    ears.heard("amqp", numbered(1), NOON + MINUTE)

    assert ears.heard_elsewhere("panko") == NOON + MINUTE
    assert ears.heard_elsewhere("amqp") is None

    ears.heard("panko", numbered(1), NOON + 2 * MINUTE)
    assert ears.heard_elsewhere("panko") is None
    assert ears.heard_elsewhere("amqp") == NOON + 2 * MINUTE


def test_an_empty_handover_is_no_word() -> None:
    ears = listener()
    ears.heard("amqp", [], NOON + MINUTE)

    assert ears.last is None


def test_what_was_missed_begins_with_the_last_that_came_before_the_first_gap() -> None:
    ears = listener()
    ears.heard("amqp", numbered(1), NOON + MINUTE)
    ears.missed(NOON + 5 * MINUTE)
    ears.heard("amqp", numbered(1), NOON + 6 * MINUTE)
    ears.missed(NOON + 7 * MINUTE)

    assert ears.missed_since == NOON + MINUTE


def test_a_gap_that_comes_while_another_is_filled_has_to_be_filled_too() -> None:
    ears = listener()
    ears.missed(NOON)
    gaps = ears.gaps
    ears.missed(NOON + MINUTE)
    ears.filled(gaps)
    assert ears.missed_since is not None

    ears.filled(ears.gaps)
    assert ears.missed_since is None
