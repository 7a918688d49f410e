"""Dead letters: kept once, found, taken out."""

from dataclasses import replace
from datetime import timedelta

from shared.dead_letter import DeadLetter
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters, LetterCount
from tests.support.events import NOON

LETTER = DeadLetter("catcher", "not JSON", "prod", b"\x00\xff{", NOON)
LATER = NOON + timedelta(seconds=5)


async def test_a_letter_comes_back_byte_for_byte(database: Database) -> None:
    letters = DeadLetters(database)

    await letters.keep([LETTER])

    [kept] = await letters.find()
    assert kept.letter == LETTER
    assert await letters.get([kept.number]) == [kept]


async def test_a_letter_delivered_again_is_kept_once(database: Database) -> None:
    letters = DeadLetters(database)

    assert await letters.keep([LETTER, LETTER]) == 1
    assert await letters.keep([LETTER, replace(LETTER, at=LATER)]) == 1


async def test_letters_are_found_by_origin_and_cloud_in_pages(database: Database) -> None:
    letters = DeadLetters(database)
    for number in range(5):
        await letters.keep([replace(LETTER, reason=f"reason {number}")])
    await letters.keep([replace(LETTER, origin="bus", cloud=None)])

    first = await letters.find(origin="catcher", cloud="prod", most=3)
    rest = await letters.find(origin="catcher", most=3, before=first[-1].number)

    assert [kept.letter.reason for kept in first + rest] == [f"reason {n}" for n in (4, 3, 2, 1, 0)]
    assert [kept.letter.origin for kept in await letters.find(most=1)] == ["bus"]


async def test_a_reason_that_postgresql_cannot_hold_does_not_lose_the_letter(
    database: Database,
) -> None:
    letters = DeadLetters(database)

    await letters.keep([replace(LETTER, reason="NUL \x00 and half a pair \ud800")])

    [kept] = await letters.find()
    assert kept.letter.reason == "NUL \ufffd and half a pair ?"


async def test_dropped_letters_are_gone(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, at=LATER)])
    numbers = [kept.number for kept in await letters.find()]

    assert await letters.drop(numbers[:1]) == 1
    assert [kept.number for kept in await letters.find()] == numbers[1:]


async def test_letters_are_counted_by_origin_and_cloud(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, at=LATER), replace(LETTER, cloud=None)])

    assert await letters.counts() == [
        LetterCount("catcher", "prod", 2, LATER),
        LetterCount("catcher", None, 1, NOON),
    ]


async def test_old_letters_can_be_forgotten(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, at=LATER)])

    assert await letters.purge(LATER) == 1
    assert await letters.keep([]) == 0
