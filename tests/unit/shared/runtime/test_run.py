"""A process stops when it is asked to, in order, and says why when it ends otherwise."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from shared.errors import BusUnavailable, EndedByItself, Misconfigured, Problem
from shared.runtime.run import eternal, run

_SECOND = timedelta(seconds=1)
_LONG = timedelta(seconds=60)


def _raise(which: signal.Signals) -> None:
    """Send the signal once the loop is idle, as the outside would."""
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), which)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_work_in_hand_is_finished(which: signal.Signals) -> None:
    finished: list[bool] = []

    async def main(stop: asyncio.Event) -> None:
        _raise(which)
        await stop.wait()
        await asyncio.sleep(0)
        finished.append(True)

    assert run(main, drain_timeout=_LONG) == 0
    assert finished == [True]


def test_work_that_takes_longer_than_the_drain_timeout_is_cut_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main(_: asyncio.Event) -> None:
        _raise(signal.SIGTERM)
        await asyncio.Event().wait()

    assert run(main, drain_timeout=timedelta(milliseconds=20)) == 1
    assert "stopped before the work in hand was done (drain_timeout: 20ms)" in (
        capsys.readouterr().err
    )


def test_a_second_signal_cancels_at_once() -> None:
    cleaned: list[bool] = []

    async def main(stop: asyncio.Event) -> None:
        _raise(signal.SIGINT)
        await stop.wait()
        _raise(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    assert run(main, drain_timeout=_LONG) == 1
    assert cleaned == [True]


def test_ending_without_being_asked_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    async def main(_: asyncio.Event) -> None:
        return

    assert run(main, drain_timeout=_SECOND) == 1
    assert "the service ended although nobody asked it to" in capsys.readouterr().err


def test_a_service_may_ask_itself_to_stop() -> None:
    async def main(stop: asyncio.Event) -> None:
        stop.set()

    assert run(main, drain_timeout=_SECOND) == 0


def test_every_configuration_problem_has_its_line_and_the_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main(_: asyncio.Event) -> None:
        raise Misconfigured([Problem("a.yaml:1 x", "is bad"), Problem("a.yaml:2 y", "is worse")])

    assert run(main, drain_timeout=_SECOND) == 2
    assert capsys.readouterr().err == (
        "osevents: a.yaml:1 x: is bad\nosevents: a.yaml:2 y: is worse\n"
    )


def test_an_expected_failure_is_one_line_even_out_of_nested_groups(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail(message: str) -> None:
        raise BusUnavailable(message)

    async def main(_: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as outer, asyncio.TaskGroup() as inner:
            inner.create_task(fail("the bus is gone"))
            outer.create_task(fail("the bus is gone"))

    assert run(main, drain_timeout=_SECOND) == 1
    assert capsys.readouterr().err == "osevents: the bus is gone\n"


def test_a_bug_shows_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async def main(_: asyncio.Event) -> None:
        message = "unthought of"
        raise LookupError(message)

    assert run(main, drain_timeout=_SECOND) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "LookupError: unthought of" in shown


def test_the_signals_are_given_back_afterwards() -> None:
    before = [signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)]

    async def main(stop: asyncio.Event) -> None:
        stop.set()

    run(main, drain_timeout=_SECOND)
    assert [signal.getsignal(which) for which in (signal.SIGTERM, signal.SIGINT)] == before


async def test_an_eternal_task_that_ends_is_an_error_that_names_it() -> None:
    async def work() -> None:
        return

    stop = asyncio.Event()
    with pytest.raises(EndedByItself, match="the pump ended"):
        await eternal(work(), name="the pump", stop=stop)
    stop.set()
    await eternal(work(), name="the pump", stop=stop)
