from random import Random

import pytest

from shared.backoff import Backoff
from shared.errors import BusUnavailable, Permanent, Transient
from shared.retrying import until_it_works

QUICK = Backoff(first_seconds=0.001, longest_seconds=0.001)


async def test_a_transient_failure_is_tried_again_and_told() -> None:
    told: list[tuple[str, int]] = []
    outcomes = [BusUnavailable("first"), BusUnavailable("second"), None]

    async def call() -> str:
        failure = outcomes.pop(0)
        if failure is not None:
            raise failure
        return "done"

    def on_failure(error: Transient, attempt: int) -> None:
        told.append((str(error), attempt))

    answer = await until_it_works(call, backoff=QUICK, random=Random(1), on_failure=on_failure)

    assert answer == "done"
    assert told == [("first", 1), ("second", 2)]


async def test_a_permanent_failure_passes_at_once() -> None:
    async def call() -> None:
        raise Permanent("never")

    with pytest.raises(Permanent, match="never"):
        await until_it_works(
            call, backoff=QUICK, random=Random(1), on_failure=lambda *_: pytest.fail("no retry")
        )
