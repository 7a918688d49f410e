"""Decoding: how many notifications become events in a second on one core, and what costs how much.

`python -m tests.benchmarks.decoding` reads the sample corpus beside the repository when it is
there, else the notifications that the tests build. Nothing but the processor is used; each figure
is the best of many rounds, because what else runs on the machine can only add to it.
"""

import itertools
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson

from services.catcher.decoding.envelope import open_envelope
from services.catcher.decoding.normalise import normalise
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.load import builtin, load
from shared.event import Event
from shared.redaction import redact
from tests.support.notifications import (
    NOON,
    attachment,
    cinder_volume,
    envelope,
    glance_image,
    keystone_basic,
    keystone_cadf,
    legacy_nova,
    neutron,
    port,
    versioned_nova,
)

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
ROUNDS = 60
MORE_TYPES = 10
"""How many times the built-in number of types the larger catalogue holds."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; times are microseconds for each notification."""

    notifications: int
    body_bytes: float
    stages: dict[str, float]

    @property
    def total(self) -> float:
        """All stages together."""
        return sum(self.stages.values())

    @property
    def per_second(self) -> float:
        """Events a second on one core."""
        return 1e6 / self.total


def bodies() -> list[bytes]:
    """Return the messages to decode, as oslo.messaging's driver sends them."""
    index = SAMPLES / "index.json"
    if not index.exists():
        return own_bodies()
    files = json.loads(index.read_bytes())["files"]
    return [
        envelope(json.loads((SAMPLES / file["file"]).read_bytes()))
        for file in files
        if file["flavour"] != "panko-rest"
    ]


def own_bodies() -> list[bytes]:
    """Return one message of each form that the tests build."""
    contents = [
        legacy_nova("compute.instance.update", old_state="building"),
        versioned_nova("instance.update", ip_addresses=[{"port_uuid": "port-1"}]),
        neutron("port.update.end", {"port": port()}),
        neutron("port.create.end", {"ports": [port("a"), port("b")]}),
        cinder_volume("volume.attach.end", volume_attachment=[attachment()]),
        glance_image("image.update"),
        keystone_basic("identity.project.created"),
        keystone_cadf("identity.project.updated"),
    ]
    return [envelope(content) for content in contents]


def measure(messages: Sequence[bytes], *, rounds: int) -> Result:
    """Return what each stage costs; a stage is what its sum costs more than the one before."""
    catalogue = builtin()

    def event(body: bytes) -> Event:
        opened = open_envelope(body)
        return normalise(opened, cloud="prod", received_at=NOON, catalogue=catalogue)

    parse, opened, redacted, all_ = best(
        [
            lambda: drain(orjson.loads(orjson.loads(body)["oslo.message"]) for body in messages),
            lambda: drain(open_envelope(body) for body in messages),
            lambda: drain(redact(open_envelope(body).payload) for body in messages),
            lambda: drain(event(body) for body in messages),
        ],
        rounds=rounds,
        of=len(messages),
    )
    return Result(
        notifications=len(messages),
        body_bytes=sum(map(len, messages)) / len(messages),
        stages={
            "parse the JSON, twice": parse,
            "open the envelope": opened - parse,
            "remove secrets": redacted - opened,
            "normalise": all_ - redacted,
        },
    )


def lookups(event_types: Sequence[str], *, rounds: int) -> dict[int, float]:
    """Return types in the catalogue -> nanoseconds for a lookup, for ours and a larger one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "more.yaml"
        count = len(builtin().rules) * MORE_TYPES
        file.write_text(
            json.dumps({"events": [{"types": [f"gadget{n}.create" for n in range(count)]}]})
        )
        catalogues: list[Catalogue] = [builtin(), load([file])]
    times = best(
        [partial(_look_up, known, event_types) for known in catalogues],
        rounds=rounds,
        of=len(event_types),
    )
    return {
        len(known.rules): 1000 * microseconds
        for known, microseconds in zip(catalogues, times, strict=True)
    }


def _look_up(known: Catalogue, event_types: Sequence[str]) -> None:
    drain(map(known.lookup, event_types))


def best(runs: Sequence[Callable[[], None]], *, rounds: int, of: int) -> list[float]:
    """Return the best time of each, in microseconds for one `of` many; taken in turns."""
    times = [float("inf")] * len(runs)
    for _, (index, run) in itertools.product(range(rounds), enumerate(runs)):
        begun = time.perf_counter()
        run()
        times[index] = min(times[index], time.perf_counter() - begun)
    return [1e6 * seconds / of for seconds in times]


def drain(values: Iterable[object]) -> None:
    """Make all values and keep none."""
    deque(values, maxlen=0)


def report(messages: Sequence[bytes], *, rounds: int) -> Iterator[str]:
    """Yield the lines of the report."""
    result = measure(messages, rounds=rounds)
    yield (
        f"decoding: {result.per_second:,.0f} events/s a core"
        f" ({result.notifications} notifications of {result.body_bytes:,.0f} bytes on average)"
    )
    for stage, microseconds in result.stages.items():
        yield f"  {stage:24} {microseconds:6.2f} us  {microseconds / result.total:4.0%}"
    types = [open_envelope(body).event_type for body in messages]
    for known, nanoseconds in lookups(types, rounds=rounds).items():
        yield f"  a lookup in {known:,} types: {nanoseconds:.0f} ns"


if __name__ == "__main__":
    print("\n".join(report(bodies(), rounds=ROUNDS)))


async def bench() -> list[str]:
    """Run it in full."""
    return list(report(bodies(), rounds=ROUNDS))
