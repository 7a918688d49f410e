"""Absent exchanges are looked for without filling the log of a broker that is not ours."""

from services.catcher.sources.amqp_absences import Absences


def looks(absences: Absences, rounds: int) -> list[int]:
    """Return the rounds in which an absent exchange is looked at."""
    looked = []
    for number in range(1, rounds + 1):
        absences.begin_round()
        if absences.due("octavia"):
            looked.append(number)
            absences.missed("octavia", was_there=False)
    return looked


def test_what_never_was_is_looked_for_ever_less_often_but_not_never() -> None:
    absences = Absences()
    absences.missed("octavia", was_there=False)

    assert looks(absences, 60) == [1, 3, 7, 15, 25, 35, 45, 55]
    assert absences.hurried() == frozenset()


def test_what_is_there_is_bound_in_every_round() -> None:
    absences = Absences()
    absences.begin_round()

    assert absences.due("nova")


def test_what_was_lost_is_hurried_for_for_a_minute_then_looked_for_every_round() -> None:
    absences = Absences()
    absences.missed("octavia", was_there=True)
    hurried = 0
    while absences.hurried():
        hurried += 1
        absences.missed("octavia", was_there=False)

    assert hurried == 60
    assert looks(absences, 5) == [1, 2, 3, 4, 5]


def test_what_is_found_begins_anew() -> None:
    absences = Absences()
    absences.missed("octavia", was_there=True)
    absences.found("octavia")

    assert absences.hurried() == frozenset()
    absences.missed("octavia", was_there=False)
    assert looks(absences, 4) == [1, 3]
