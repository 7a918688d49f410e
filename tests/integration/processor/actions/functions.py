"""What users might have the `python` action call."""

import asyncio
import threading

from services.processor.actions.port import ActionCall, Never, Outcome

RELEASE = threading.Event()
CALLS: list[str] = []


async def greet(call: ActionCall, *, team: str) -> str:
    await asyncio.sleep(0)
    return f"{team} knows of {call.firing.event.name}"


def in_a_thread(call: ActionCall) -> None:
    assert threading.current_thread() is not threading.main_thread()
    CALLS.append(call.idempotency_key)


def hang(call: ActionCall) -> None:
    CALLS.append(call.idempotency_key)
    RELEASE.wait(240)


async def hang_politely(_: ActionCall) -> None:
    await asyncio.Event().wait()


class Pager:
    async def __call__(self, call: ActionCall) -> str:
        await asyncio.sleep(0)
        return f"paged for {call.firing.event.name}"


PAGER = Pager()


def refuse(_: ActionCall) -> Outcome:
    return Never("not in my house")


def time_out(_: ActionCall) -> None:
    raise TimeoutError("the database of mine")
