"""How places are shared among receivers."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.processor.actions.sharing import FAILURES, Places

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(NAMES, st.integers(1, 20), st.integers(1, 5))
def test_all_places_are_given_and_none_twice(due: list[str], at_once: int, each: int) -> None:
    shares = Places(at_once, each).shares(due)

    assert sum(shares.values()) == min(at_once, each * len(due))
    assert all(0 < share <= each for share in shares.values())
    assert max(shares.values(), default=0) - min(shares.values(), default=0) <= 1 or at_once > len(
        due
    )


def test_a_receiver_with_a_full_hand_gets_nothing_more() -> None:
    places = Places(at_once=10, per_receiver=2)
    for _ in range(2):
        places.take("busy")

    assert places.shares(["busy", "idle"]) == {"idle": 2}


def test_a_receiver_that_fails_has_one_place_until_it_works() -> None:
    places = Places(at_once=10, per_receiver=4)
    for _ in range(FAILURES):
        places.failed("down")

    assert places.shares(["down", "up"]) == {"down": 1, "up": 4}
    places.worked("down")
    assert places.shares(["down"]) == {"down": 4}


def test_however_many_receivers_are_down_half_of_the_places_are_for_the_others() -> None:
    places = Places(at_once=10, per_receiver=8)
    down = [f"down-{number}" for number in range(50)]
    for receiver in down * FAILURES:
        places.failed(receiver)

    first = places.shares(down)
    for receiver in first:
        places.take(receiver)

    assert list(first.values()) == [1] * 5
    assert places.shares([*down, "up"]) == {"up": 5}
    places.leave(next(iter(first)))
    assert sum(places.shares(down).values()) == 1


def test_more_receivers_than_places_are_served_in_turns() -> None:
    places, served = Places(at_once=3, per_receiver=8), Counter[str]()
    for _ in range(8):
        for receiver, share in places.shares(list("abcdefgh")).items():
            for _ in range(share):
                places.take(receiver)
                places.leave(receiver)
                served[receiver] += 1

    assert set(served) == set("abcdefgh")
    assert max(served.values()) - min(served.values()) <= 1


def test_what_is_known_of_a_receiver_is_forgotten_with_its_last_action() -> None:
    places = Places(at_once=10, per_receiver=4)
    for _ in range(FAILURES):
        places.failed("down")
    places.forget(["down"])
    assert places.shares(["down"]) == {"down": 1}

    places.forget([])
    assert places.shares(["down"]) == {"down": 4}
