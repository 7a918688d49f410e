"""Which source of several is read, and what the operator is told about the others."""

from hypothesis import given
from hypothesis import strategies as st

from services.catcher.choosing import Answer, better, choose

CANDIDATES = ("amqp", "panko", "ceilometer")
YES, NO = Answer(works=True, why="answers"), Answer(works=False, why="refused")


def test_the_most_preferred_that_works_is_read() -> None:
    choice = choose(CANDIDATES, {"amqp": YES, "panko": YES})

    assert (choice.source, choice.why) == ("amqp", "amqp: answers")


def test_the_reason_tells_what_was_wrong_with_the_better_ones() -> None:
    choice = choose(CANDIDATES, {"amqp": NO, "panko": YES})

    assert (choice.source, choice.why) == ("panko", "panko: answers; amqp: refused")


def test_without_a_working_source_every_reason_is_told() -> None:
    choice = choose(CANDIDATES, {"amqp": NO, "panko": NO})

    assert choice.source is None
    assert choice.why == "amqp: refused; panko: refused; ceilometer: not asked"


def test_without_any_candidate_that_is_said() -> None:
    assert choose((), {}).why == "there is no source that could be asked"


def test_what_is_better_comes_before() -> None:
    assert better(CANDIDATES, "panko") == ("amqp",)
    assert better(CANDIDATES, "amqp") == ()
    assert better(CANDIDATES, None) == CANDIDATES


@given(st.dictionaries(st.sampled_from(CANDIDATES), st.booleans()))
def test_a_source_is_chosen_exactly_when_one_works(works: dict[str, bool]) -> None:
    answers = {name: Answer(works=ok, why="") for name, ok in works.items()}

    chosen = choose(CANDIDATES, answers).source

    assert (chosen is not None) == any(works.values())
    assert chosen is None or works[chosen]
