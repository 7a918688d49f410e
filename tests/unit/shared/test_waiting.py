"""Ending what is under way, and waiting no longer than wanted."""

import asyncio
from contextlib import suppress

import pytest

from shared import waiting
from shared.errors import BusUnavailable, EndedByItself
from shared.waiting import CancelledElsewhere, beside, end, unless_stopped, within


async def test_a_task_has_ended_when_end_returns() -> None:
    left: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            left.append("in order")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end(task)

    assert left == ["in order"]


async def test_a_task_that_loses_a_cancel_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", 0.001)
    lost: list[int] = []

    async def work() -> None:
        for number in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            lost.append(number)
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await end(task)

    assert task.cancelled()
    assert lost == [0, 1, 2]


async def test_what_a_task_failed_with_is_not_lost() -> None:
    async def work() -> None:
        raise BusUnavailable("away")

    task = asyncio.create_task(work())
    await asyncio.wait([task])

    with pytest.raises(BusUnavailable, match="away"):
        await end(task)


async def test_a_task_that_fails_at_its_end_does_not_keep_others_from_theirs() -> None:
    ended: list[str] = []

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise BusUnavailable("away")

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("in order")

    tasks = [asyncio.create_task(fail()), asyncio.create_task(work())]
    await asyncio.sleep(0)
    with pytest.raises(BusUnavailable, match="away"):
        await end(*tasks)

    assert ended == ["in order"]


async def test_who_is_cancelled_while_he_ends_tasks_has_told_all_of_them() -> None:
    told: list[str] = []

    async def takes_long() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("to end")

    tasks = [asyncio.create_task(takes_long()), asyncio.create_task(work())]
    await asyncio.sleep(0)
    ending = asyncio.create_task(end(*tasks))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending

    assert told == ["to end"]
    tasks[0].cancel()


async def test_a_task_that_is_done_is_left_alone() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    await task

    await end(task)


async def test_work_that_is_done_in_time_gives_its_answer_or_its_failure() -> None:
    async def fail() -> None:
        raise BusUnavailable("away")

    assert await within(asyncio.sleep(0, "answer"), 60) == "answer"
    with pytest.raises(BusUnavailable, match="away"):
        await within(fail(), 60)


async def test_work_that_cannot_be_cancelled_is_left_alone_when_its_time_is_over() -> None:
    answered = asyncio.Event()

    async def work() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await answered.wait()
        raise BusUnavailable("told to nobody")

    with pytest.raises(TimeoutError):
        await within(work(), 0)
    answered.set()


async def test_who_is_cancelled_does_not_wait_for_the_work() -> None:
    cancelled: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    task = asyncio.create_task(within(work(), 60))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert cancelled == [True]


async def test_work_that_somebody_else_cancelled_is_not_mistaken_for_the_own_end() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledElsewhere):
        await within(cancelled(), 60)


async def test_work_that_was_cancelled_elsewhere_does_not_end_who_waits_without_a_word() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledElsewhere):
        await unless_stopped(cancelled(), asyncio.Event())


async def test_what_runs_beside_ends_with_the_body() -> None:
    told: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended")

    async with beside(first=endless(), second=endless()):
        await asyncio.sleep(0)
        assert told == []
    assert told == ["ended", "ended"]


async def test_an_error_of_the_body_stays_what_it_is() -> None:
    with pytest.raises(BusUnavailable, match="away"):
        async with beside(loop=asyncio.sleep(60)):
            raise BusUnavailable("away")


async def test_a_loop_that_ends_by_itself_ends_the_body() -> None:
    with pytest.raises(EndedByItself, match="the loop ended although nobody asked"):
        async with beside(**{"the loop": asyncio.sleep(0), "another": asyncio.sleep(60)}):
            await asyncio.Event().wait()
    assert_not_cancelled()


async def test_a_loop_that_was_cancelled_by_nobody_of_ours_ends_the_body() -> None:
    async def lost() -> None:
        raise asyncio.CancelledError

    with pytest.raises(EndedByItself, match="the loop"):
        async with beside(**{"the loop": lost()}):
            await asyncio.Event().wait()


async def test_what_a_loop_failed_with_is_what_the_body_ends_with() -> None:
    async def fail() -> None:
        raise LookupError("a defect")

    with pytest.raises(LookupError, match="a defect"):
        async with beside(loop=fail()):
            await asyncio.Event().wait()


async def test_who_is_cancelled_himself_ends_what_runs_beside() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def body() -> None:
        async with beside(loop=endless()):
            await asyncio.Event().wait()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_loop_that_ends_just_when_the_body_leaves_cancels_nothing_that_follows() -> None:
    with pytest.raises(EndedByItself, match="loop"):
        await leave_when_a_loop_ends(None)
    for _ in range(3):
        await asyncio.sleep(0)
    assert_not_cancelled()


async def test_an_error_of_the_body_stays_what_it_is_when_a_loop_ends_at_once() -> None:
    with pytest.raises(BusUnavailable, match="away"):
        await leave_when_a_loop_ends(BusUnavailable("away"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert_not_cancelled()


async def test_a_body_that_does_not_heed_its_cancel_is_told_all_the_same() -> None:
    async def body() -> None:
        async with beside(**{"the loop": asyncio.sleep(0)}):
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    with pytest.raises(EndedByItself, match="the loop"):
        await body()
    assert_not_cancelled()


async def test_a_body_that_fails_when_it_is_cancelled_is_no_cancelled_task_after_it() -> None:
    async def body() -> None:
        async with beside(loop=asyncio.sleep(0)):
            try:
                await asyncio.Event().wait()
            finally:
                raise BusUnavailable("away")

    with pytest.raises(BusUnavailable, match="away"):
        await body()
    assert_not_cancelled()


async def test_who_is_cancelled_when_a_loop_ends_too_ends_as_cancelled() -> None:
    last = asyncio.Event()

    async def body() -> None:
        async with beside(loop=ends_with(last)):
            await asyncio.Event().wait()

    task = asyncio.create_task(body())
    for _ in range(3):
        await asyncio.sleep(0)
    last.set()
    await asyncio.sleep(0)  # the loop is at its end, and its end not yet known
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_that_fails_while_it_is_ended_does_not_keep_the_others_going() -> None:
    ended: list[str] = []

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("a defect")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("in order")

    with pytest.raises(LookupError, match="a defect"):
        async with beside(first=fail(), second=endless()):
            await asyncio.sleep(0)

    assert ended == ["in order"]


async def ends_with(last: asyncio.Event) -> None:
    await last.wait()


async def leave_when_a_loop_ends(error: Exception | None) -> None:
    last = asyncio.Event()
    async with beside(loop=ends_with(last)):
        await asyncio.sleep(0)
        last.set()
        await asyncio.sleep(0)  # the loop's last step comes before ours
        if error is not None:
            raise error


def assert_not_cancelled() -> None:
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
