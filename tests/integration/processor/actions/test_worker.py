"""The outbox's worker: once, in spite of crashes, receivers that fail and receivers that hang."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from services.processor.actions.kinds import BUILTIN
from services.processor.actions.port import (
    ActionCall,
    ActionKind,
    Done,
    Outcome,
    Run,
    Tools,
    TryAgain,
)
from services.processor.actions.schedule import Patience
from services.processor.actions.worker import Effort
from shared.errors import Permanent, Problem
from shared.firing import ActionSpec
from shared.store.outbox import Outbox
from tests.integration.processor.actions.conftest import QUICK, Bench
from tests.support.events import NOON, event
from tests.support.firings import firing, webhook
from tests.support.ports import closed_port
from tests.support.receiver import fails, fine, never, receiving
from tests.support.waiting import eventually


def firings(count: int, *actions: ActionSpec, rule: str = "rule") -> list[Any]:
    return [firing(*actions, rule=rule, about=event(f"event-{n}")) for n in range(count)]


async def test_an_action_is_run_and_its_result_is_on_the_timeline(bench: Bench) -> None:
    async with receiving() as receiver, bench.working():
        await bench.put(firing(webhook(receiver.url)))
        await bench.let_time_pass()

    [row] = await bench.told()
    assert row.type == "osevents.action.done"
    assert (row.subject_kind, row.subject_id) == ("server", "server-1")
    assert row.payload == {
        "rule": "servers off",
        "event": "event-1",
        "kind": "webhook",
        "receiver": f"webhook {receiver.url.removesuffix('/hook')}",
        "idempotency_key": receiver.keys[0],
        "try": 1,
        "message": "HTTP 204",
    }
    [state] = await Outbox(bench.database).of_event("prod", "event-1")
    assert (state.state, state.tries, state.result) == ("done", 1, "HTTP 204")


async def test_every_try_has_the_same_key_and_the_same_body(bench: Bench) -> None:
    async with receiving(fails(3)) as receiver, bench.working():
        await bench.put(firing(webhook(receiver.url)))
        await bench.let_time_pass()

    assert len(receiver.got) == 4
    assert len({(got.key, got.body) for got in receiver.got}) == 1
    types = [row.type.rpartition(".")[2] for row in await bench.told()]
    assert types == ["failed", "failed", "failed", "done"]


async def test_a_receiver_is_left_alone_for_as_long_as_it_asks(bench: Bench) -> None:
    async with receiving(fails(1, 429, **{"Retry-After": "1234"})) as receiver, bench.working():
        await bench.put(firing(webhook(receiver.url)))
        await bench.at_rest()
        due_at = await bench.database.fetch_value("select due_at from actions")

    assert due_at == NOON + timedelta(seconds=1234)
    assert len(receiver.got) == 1


async def test_the_actions_of_a_firing_do_not_wait_for_each_other(bench: Bench) -> None:
    with closed_port() as port:
        async with receiving() as receiver, bench.working():
            await bench.put(firing(webhook(f"http://127.0.0.1:{port}/"), webhook(receiver.url)))
            await bench.at_rest()

    assert len(receiver.keys) == 1
    assert await bench.states() == {"waiting": 1, "done": 1}


async def test_a_receiver_that_is_down_for_too_long_ends_in_the_dead_letters_and_delays_nobody(
    bench: Bench,
) -> None:
    with closed_port() as port:
        down = webhook(f"http://127.0.0.1:{port}/")
        async with receiving() as healthy, bench.working():
            await bench.put(*firings(30, down, webhook(healthy.url)))
            await bench.at_rest()
            # Not a second has passed.
            assert len(healthy.keys) == 30
            assert await bench.states() == {"waiting": 30, "done": 30}
            await bench.let_time_pass(in_steps_of=timedelta(hours=1))

    letters = await bench.letters()
    assert len(letters) == 30
    for kept in letters:
        assert kept.letter.origin == "action"
        assert kept.letter.first_at == NOON
        assert kept.letter.at - NOON == timedelta(hours=24)
        assert 8 <= kept.letter.tries <= 25
    tries = Counter(row.payload["idempotency_key"] for row in await bench.told("*.action.*"))
    of_letters = Counter(kept.letter.tries for kept in letters)
    assert Counter(tries.values()) == of_letters + Counter({1: 30})


async def test_a_receiver_that_hangs_holds_one_place_and_no_more(bench: Bench) -> None:
    effort = Effort(
        at_once=5, per_receiver=4, idle=QUICK.idle, drain=QUICK.drain, lease=timedelta(hours=1)
    )
    async with (
        receiving(never) as hanging,
        receiving() as healthy,
        bench.working(bench.worker(effort=effort)),
    ):
        await bench.put(*firings(20, webhook(hanging.url, deadline="5m"), rule="a"))
        await eventually(lambda: reached(hanging.got, 4), what="it hangs four times")
        await bench.put(*firings(20, webhook(healthy.url), rule="b"))
        await eventually(lambda: reached(healthy.got, 20), what="the healthy one has all")
    assert len(hanging.got) == 4


async def reached(items: list[Any], count: int) -> bool:
    return len(items) >= count


async def test_what_a_copy_that_died_had_in_hand_is_taken_over_when_its_lease_ends(
    bench: Bench,
) -> None:
    async with receiving() as receiver:
        await bench.put(firing(webhook(receiver.url)))
        outbox, lease = Outbox(bench.database), QUICK.lease
        [receiver_name] = await outbox.due_receivers(NOON)
        claimed = await outbox.claim({receiver_name: 9}, worker="dead", now=NOON, lease=lease)
        assert len(claimed) == 1
        async with bench.working():
            assert await outbox.claim({receiver_name: 9}, worker="b", now=NOON, lease=lease) == []
            assert receiver.got == []
            bench.clock.advance(lease)
            await bench.let_time_pass()

    assert len(receiver.got) == 1


async def test_an_answer_under_a_lost_claim_changes_nothing(bench: Bench) -> None:
    await bench.put(firing())
    outbox, lease = Outbox(bench.database), QUICK.lease
    [lost] = await outbox.claim({"log": 1}, worker="a", now=NOON, lease=lease)
    [ours] = await outbox.claim({"log": 1}, worker="b", now=NOON + lease, lease=lease)

    await outbox.done(lost, "late", now=NOON)
    assert await bench.states() == {"waiting": 1}
    assert await outbox.renew([lost.claim, ours.claim], now=NOON, lease=lease) == {ours.claim}
    await outbox.done(ours, "in time", now=NOON)
    assert await bench.states() == {"done": 1}


async def test_copies_that_work_together_run_every_action_once(bench: Bench) -> None:
    async with receiving() as receiver, bench.working(*(bench.worker(name) for name in "abc")):
        await bench.put(*firings(200, webhook(receiver.url)))
        await bench.let_time_pass()

    assert len(receiver.keys) == len(set(receiver.keys)) == 200


class Kind:
    """A kind that a package might bring."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        raise NotImplementedError

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:  # noqa: ARG002
        yield self._run


class BrokenKind:
    """A kind whose package works elsewhere."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        raise NotImplementedError

    def open(self, tools: Tools) -> AbstractAsyncContextManager[Run]:  # noqa: ARG002
        raise OSError("no licence server")


async def test_a_run_whose_claim_was_taken_over_is_ended(bench: Bench) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def run(_: ActionCall) -> Outcome:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    effort = Effort(idle=QUICK.idle, lease=timedelta(milliseconds=300))
    await bench.put(firing(ActionSpec("slow", {})))
    async with bench.working(bench.worker(effort=effort, kinds={"slow": Kind(run)})):
        await started.wait()
        later = NOON + timedelta(hours=1)
        outbox = Outbox(bench.database)
        assert await outbox.claim({"slow": 1}, worker="b", now=later, lease=timedelta(hours=9))
        async with asyncio.timeout(60):
            await ended.wait()


@pytest.mark.parametrize(
    ("raised", "state"),
    [(Permanent("no such room"), "dead"), (KeyError("x"), "waiting"), (SystemExit(7), "waiting")],
)
async def test_what_a_kind_raises_is_an_outcome(
    bench: Bench, raised: BaseException, state: str
) -> None:
    async def run(_: ActionCall) -> Outcome:
        raise raised

    await bench.put(firing(ActionSpec("room", {})))
    async with bench.working(bench.worker(kinds={"room": Kind(run)})):
        await bench.at_rest()

    [action] = await Outbox(bench.database).of_event("prod", "event-1")
    assert action.state == state
    assert str(raised) in str(action.result)


async def awaits_what_was_cancelled() -> Outcome:
    nobody = asyncio.get_running_loop().create_future()
    nobody.cancel()
    await nobody
    return Done("never")


async def is_out_of_time_after_a_group_failed() -> Outcome:
    async def fail() -> None:
        raise KeyError("x")

    async with asyncio.timeout(None) as deadline:
        # Before Python 3.13 the task looks cancelled from here on, and the deadline heeds that.
        with suppress(BaseExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
        deadline.reschedule(0)
        await asyncio.Event().wait()
    return Done("never")


@pytest.mark.parametrize("doing", [awaits_what_was_cancelled, is_out_of_time_after_a_group_failed])
async def test_a_kind_that_ends_as_cancelled_has_failed(
    bench: Bench, doing: Callable[[], Awaitable[Outcome]]
) -> None:
    async def run(_: ActionCall) -> Outcome:
        return await doing()

    await bench.put(firing(ActionSpec("room", {})))
    async with bench.working(bench.worker(kinds={"room": Kind(run)})):
        await bench.at_rest()

    [action] = await Outbox(bench.database).of_event("prod", "event-1")
    assert (action.state, action.tries) == ("waiting", 1)


@pytest.mark.parametrize(
    ("returned", "state", "result"),
    [
        (Done("a\x00b \ud800 \n c"), "done", "a\ufffdb ? c"),
        (None, "waiting", "the kind returned None, which is no outcome"),
        ("fine", "waiting", "the kind returned 'fine', which is no outcome"),
        (TryAgain("busy", math.inf), "waiting", "busy"),
        (
            TryAgain("busy", cast("float", "soon")),
            "waiting",
            "the kind returned TryAgain(reason='busy', after_seconds='soon'), which is no outcome",
        ),
    ],
)
async def test_whatever_a_kind_returns_can_be_stored(
    bench: Bench, returned: Any, state: str, result: str
) -> None:
    async def run(_: ActionCall) -> Outcome:
        found: Outcome = returned
        return found

    await bench.put(firing(ActionSpec("room", {})))
    async with bench.working(bench.worker(kinds={"room": Kind(run)})):
        await bench.at_rest()

    [action] = await Outbox(bench.database).of_event("prod", "event-1")
    assert (action.state, action.result) == (state, result)
    assert len(await bench.told()) == 1


async def test_a_kind_that_is_missing_or_broken_here_is_waited_for(bench: Bench) -> None:
    async def run(_: ActionCall) -> Outcome:
        return Done("done")

    await bench.put(firing(ActionSpec("pager", {}), ActionSpec("log", {}), ActionSpec("bad", {})))
    kinds: dict[str, ActionKind] = {"log": BUILTIN["log"], "bad": BrokenKind()}
    async with bench.working(bench.worker(kinds=kinds)):
        await bench.at_rest()
    pager, log, bad = await Outbox(bench.database).of_event("prod", "event-1")
    assert (log.state, pager.state, bad.state) == ("done", "waiting", "waiting")
    assert "is its package installed?" in str(pager.result)
    assert "no licence server" in str(bad.result)

    bench.clock.advance(timedelta(minutes=1))
    async with bench.working(bench.worker(kinds={**kinds, "pager": Kind(run), "bad": Kind(run)})):
        await bench.let_time_pass()
    assert await bench.states() == {"done": 3}


async def test_stopping_ends_in_a_bounded_time_and_the_action_is_run_by_the_next_copy(
    bench: Bench,
) -> None:
    async with receiving(never) as receiver:
        async with bench.working():
            await bench.put(firing(webhook(receiver.url)))
            await eventually(lambda: reached(receiver.got, 1), what="the first try hangs")
        receiver.answer = fine
        bench.clock.advance(QUICK.lease)
        async with bench.working():
            await bench.let_time_pass()

    assert len(receiver.got) == 2
    assert len(set(receiver.keys)) == 1


async def test_patience_can_be_short(bench: Bench) -> None:
    effort = Effort(idle=QUICK.idle, patience=Patience(retry_for=timedelta(seconds=1)))
    async with receiving(fails(99)) as receiver, bench.working(bench.worker(effort=effort)):
        await bench.put(firing(webhook(receiver.url)))
        await bench.let_time_pass()

    [kept] = await bench.letters()
    assert kept.letter.at == NOON + timedelta(seconds=1)
    assert "webhook of rule 'servers off': HTTP 503: not now" in kept.letter.reason
