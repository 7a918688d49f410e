"""When a service that keeps failing is left alone."""

from datetime import timedelta

from shared.openstack.breaker import Breaker, BreakerRule
from tests.support.events import NOON

RULE = BreakerRule(failures=3, pause=timedelta(seconds=5), longest_pause=timedelta(seconds=15))


def opened() -> Breaker:
    breaker = Breaker(RULE)
    for _ in range(3):
        assert breaker.admit(NOON)
        breaker.failed("503", NOON)
    return breaker


def test_failures_in_a_row_open_it_and_others_do_not() -> None:
    breaker = Breaker(RULE)
    for _ in range(5):
        breaker.failed("503", NOON)
        breaker.failed("503", NOON)
        breaker.worked()
    assert breaker.opened is None
    assert opened().opened is not None


def test_it_tells_since_when_and_why() -> None:
    circuit = opened().opened
    assert circuit is not None
    assert (circuit.since, circuit.reason) == (NOON, "503")
    assert circuit.look_at == NOON + timedelta(seconds=5)


def test_after_the_pause_one_call_looks_and_closes_it() -> None:
    breaker = opened()
    later = NOON + timedelta(seconds=5)
    assert not breaker.admit(later - timedelta(seconds=1))
    assert [breaker.admit(later) for _ in range(3)] == [True, False, False]
    breaker.worked()
    assert breaker.opened is None
    assert breaker.admit(later)


def test_a_look_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    breaker, now, pauses = opened(), NOON + timedelta(seconds=5), []
    for _ in range(3):
        assert breaker.admit(now)
        breaker.failed("still 503", now)
        assert breaker.opened is not None
        pauses.append((breaker.opened.look_at - now).total_seconds())
        now = breaker.opened.look_at
    assert pauses == [10, 15, 15]
    assert breaker.opened is not None
    assert breaker.opened.since == NOON


def test_a_look_that_was_given_up_lets_the_next_one_look() -> None:
    breaker = opened()
    later = NOON + timedelta(seconds=5)
    assert breaker.admit(later)
    breaker.abandoned()
    assert breaker.admit(later)
