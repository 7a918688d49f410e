"""However a probe ends, the others are heard."""

import asyncio
from collections.abc import Sequence

from services.cli.doctor.findings import Finding, Probe, State, findings_of, ok
from shared.errors import Misconfigured, Problem, StoreUnavailable


async def well() -> Sequence[Finding]:
    return [ok("well", "check", "all right")]


async def away() -> Sequence[Finding]:
    raise StoreUnavailable("nobody\nlistens")


async def wrong() -> Sequence[Finding]:
    raise Misconfigured([Problem("here", "is wrong"), Problem("there", "too")])


async def broken() -> Sequence[Finding]:
    raise KeyError("oops")


async def silent() -> Sequence[Finding]:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def test_every_probe_is_heard_in_its_order() -> None:
    works = (silent, away, wrong, broken, well)
    probes = [Probe(work.__name__, "check", work, "mend it") for work in works]

    found = await findings_of(probes, seconds=0.05)

    assert [(one.about, one.state.value, one.says) for one in found] == [
        ("silent", "failed", "no answer within 0.05 s"),
        ("away", "failed", "nobody listens"),
        ("wrong", "failed", "here: is wrong"),
        ("wrong", "failed", "there: too"),
        ("broken", "failed", "a bug in osevents: KeyError 'oops'"),
        ("well", "ok", "all right"),
    ]
    assert {one.mend for one in found if one.state is State.FAILED} == {"mend it"}
