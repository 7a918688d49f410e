"""Members come and go by command, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.runtime.fleet import Fleet, Member
from tests.support.waiting import eventually


class Diary:
    """What happened to whom, in order."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def member(self, name: str, made_from: object = 1) -> Member:
        async def work(stop: asyncio.Event) -> None:
            self.entries.append(f"{name} begins from {made_from}")
            await stop.wait()
            await asyncio.sleep(0)
            self.entries.append(f"{name} ends")

        return Member(made_from, work)

    async def reads(self, *entries: str) -> None:
        async def written() -> bool:
            return self.entries == list(entries)

        await eventually(written, what=f"the diary reads {entries}, not {self.entries}")


@asynccontextmanager
async def sailing(fleet: Fleet) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(fleet.run(stop))
        try:
            yield
        finally:
            stop.set()


async def test_who_joins_later_works_beside_the_others() -> None:
    diary = Diary()
    fleet = Fleet({"a": diary.member("a")})
    async with sailing(fleet):
        await diary.reads("a begins from 1")
        fleet.command({"a": diary.member("a"), "b": diary.member("b")})
        await diary.reads("a begins from 1", "b begins from 1")


async def test_who_leaves_ends_its_work_and_the_others_go_on() -> None:
    diary = Diary()
    fleet = Fleet({"a": diary.member("a"), "b": diary.member("b")})
    async with sailing(fleet):
        await diary.reads("a begins from 1", "b begins from 1")
        fleet.command({"b": diary.member("b")})
        await diary.reads("a begins from 1", "b begins from 1", "a ends")


async def test_who_changes_begins_anew_after_its_predecessor_ended() -> None:
    diary = Diary()
    fleet = Fleet({"a": diary.member("a", 1)})
    async with sailing(fleet):
        await diary.reads("a begins from 1")
        fleet.command({"a": diary.member("a", 2)})
        await diary.reads("a begins from 1", "a ends", "a begins from 2")


async def test_two_changes_in_a_row_begin_the_last_one_only() -> None:
    diary = Diary()
    fleet = Fleet({"a": diary.member("a", 1)})
    async with sailing(fleet):
        await diary.reads("a begins from 1")
        fleet.command({"a": diary.member("a", 2)})
        fleet.command({"a": diary.member("a", 3)})
        await diary.reads("a begins from 1", "a ends", "a begins from 3")


async def test_who_comes_back_waits_for_what_it_had_in_hand_when_it_left() -> None:
    diary, in_hand = Diary(), asyncio.Event()

    async def takes_long(stop: asyncio.Event) -> None:
        diary.entries.append("a begins")
        await stop.wait()
        diary.entries.append("a is to end")
        await in_hand.wait()
        diary.entries.append("a ends")

    fleet = Fleet({"a": Member(1, takes_long)})
    async with sailing(fleet):
        await diary.reads("a begins")
        fleet.command({})
        await diary.reads("a begins", "a is to end")
        fleet.command({"a": diary.member("a", 1), "b": diary.member("b")})
        await diary.reads("a begins", "a is to end", "b begins from 1")
        in_hand.set()
        await diary.reads("a begins", "a is to end", "b begins from 1", "a ends", "a begins from 1")


async def test_all_end_when_the_fleet_is_stopped() -> None:
    diary = Diary()
    async with sailing(Fleet({"a": diary.member("a")})):
        await diary.reads("a begins from 1")
    assert diary.entries[-1] == "a ends"


async def test_a_member_that_raises_ends_the_fleet_visibly() -> None:
    async def fails(_: asyncio.Event) -> None:
        raise LookupError("a bug")

    with pytest.raises(ExceptionGroup, match="unhandled"):
        await Fleet({"a": Member(1, fails)}).run(asyncio.Event())
