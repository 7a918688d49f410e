"""Dead letters: kept once, found, taken out."""

from dataclasses import replace
from datetime import timedelta

from shared.dead_letter import DeadLetter
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters, LetterCount, LetterFilter
from tests.support.events import NOON

LETTER = DeadLetter("catcher", "not JSON", "prod", b"\x00\xff{", NOON)
LEASE = timedelta(seconds=30)
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
    assert await letters.keep([LETTER]) == 0

    assert [kept.letter for kept in await letters.find()] == [LETTER]


async def test_a_message_that_dies_again_is_one_letter_that_knows_its_first_death(
    database: Database,
) -> None:
    letters = DeadLetters(database)
    again = replace(LETTER, at=LATER, reason="still not JSON", tries=3)

    await letters.keep([LETTER])
    await letters.keep([again, again])
    await letters.keep([LETTER])

    [kept] = await letters.find()
    assert kept.letter == replace(again, first_at=NOON, tries=4)


async def test_two_deaths_that_arrive_together_are_both_counted(database: Database) -> None:
    letters = DeadLetters(database)

    await letters.keep([replace(LETTER, at=LATER), LETTER])

    [kept] = await letters.find()
    assert (kept.letter.first_at, kept.letter.at, kept.letter.tries) == (NOON, LATER, 2)


async def test_letters_are_found_by_a_part_of_their_reason_and_by_age(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, body=b"2", reason="HTTP 503_%", at=LATER)])

    assert len(await letters.find(LetterFilter(reason="http 503"))) == 1
    assert await letters.find(LetterFilter(reason="503%")) == []
    assert len(await letters.find(LetterFilter(since=LATER))) == 1


async def test_a_letter_that_is_asked_for_is_claimed_by_one_copy_until_its_lease_ends(
    database: Database,
) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER])
    [kept] = await letters.find()

    assert await letters.claim(most=10, now=NOON, lease=LEASE) == []
    assert await letters.ask([kept.number], now=NOON) == 1
    [claimed] = await letters.claim(most=10, now=NOON, lease=LEASE)

    assert claimed == replace(kept, asked_for=True)
    assert await letters.claim(most=10, now=NOON, lease=LEASE) == []
    assert await letters.claim(most=10, now=NOON + LEASE, lease=LEASE) == [claimed]


async def test_a_letter_that_was_sent_back_is_gone_and_its_next_death_goes_on_counting(
    database: Database,
) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER])
    [kept] = await letters.find()

    await letters.returned(kept, now=NOON)
    assert await letters.find() == []
    assert await letters.counts() == []

    await letters.keep([replace(LETTER, at=LATER)])
    [again] = await letters.find()
    assert (again.letter.first_at, again.letter.tries) == (NOON, 2)


async def test_a_letter_that_died_again_on_its_way_back_is_not_hidden(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER])
    [kept] = await letters.find()

    await letters.keep([replace(LETTER, at=LATER)])
    await letters.returned(kept, now=LATER)

    assert len(await letters.find()) == 1


async def test_a_letter_that_could_not_be_sent_back_says_why(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER])
    [kept] = await letters.find()
    await letters.ask([kept.number], now=NOON)

    await letters.died_again(kept, "still not JSON", now=LATER)

    [again] = await letters.find()
    assert again.letter.reason == "still not JSON"
    assert (again.letter.tries, again.asked_for) == (2, False)


async def test_letters_are_found_by_origin_and_cloud_in_pages(database: Database) -> None:
    letters = DeadLetters(database)
    for number in range(5):
        await letters.keep([replace(LETTER, reason=f"reason {number}", body=b"%d" % number)])
    await letters.keep([replace(LETTER, origin="bus", cloud=None)])

    first = await letters.find(LetterFilter(origin="catcher", cloud="prod"), most=3)
    rest = await letters.find(LetterFilter(origin="catcher"), most=3, before=first[-1].number)

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
    await letters.keep([LETTER, replace(LETTER, body=b"2")])
    numbers = [kept.number for kept in await letters.find()]

    assert await letters.drop(numbers[:1]) == 1
    assert [kept.number for kept in await letters.find()] == numbers[1:]


async def test_letters_are_counted_by_origin_and_cloud(database: Database) -> None:
    letters = DeadLetters(database)
    later = replace(LETTER, body=b"2", at=LATER)
    await letters.keep([LETTER, later, replace(LETTER, cloud=None)])

    assert await letters.counts() == [
        LetterCount("catcher", "prod", 2, LATER),
        LetterCount("catcher", None, 1, NOON),
    ]


async def test_old_letters_can_be_forgotten(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, body=b"2", at=LATER)])

    assert await letters.purge(LATER, returned_before=NOON) == 1
    assert await letters.keep([]) == 0


async def test_letters_that_were_sent_back_are_forgotten_sooner(database: Database) -> None:
    letters = DeadLetters(database)
    await letters.keep([LETTER, replace(LETTER, body=b"2")])
    [kept, _] = await letters.find()
    await letters.returned(kept, now=NOON)

    assert await letters.purge(NOON, returned_before=LATER) == 1
    assert len(await letters.find()) == 1
