"""The events and the rules of the benchmark of rules.

The events are real notifications, decoded, under new ids and about one of 5000 objects. Failures,
which are many in the collection to show all their forms, are as rare as in a cloud.

Each ten rules are: five on one type with a condition on fields, one with a condition on the
payload, one on a whole family of types (every third time) or on one type, one with a throttle, one
that counts by object, one that waits for the end of a start. Types are drawn from those that occur.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random

import orjson

from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.recordings import read_recording
from shared.catalogue.load import builtin
from shared.errors import UnreadableNotification
from shared.event import Event, Phase
from shared.resource import ResourceRef
from tests.benchmarks.decoding import bodies

_OBJECTS = 5000
_FAILED_SHARE = 0.05
_FAMILIES = ("compute.instance.*", "volume.*", "port.*", "network.*", "image.*", "identity.*")


def decoded() -> list[Event]:
    """Return one event of each notification that there is."""
    now = datetime.now(UTC)
    return [
        normalise(read, cloud="prod", received_at=now, catalogue=builtin())
        for body in bodies()
        for read in read_recording(body)
        if not isinstance(read, UnreadableNotification)
    ]


def traffic(originals: Sequence[Event], random: Random) -> Iterator[Event]:
    """Yield these events again and again, each time another one of some object."""
    number = 0
    weights = [_FAILED_SHARE if event.phase is Phase.ERROR else 1.0 for event in originals]
    while True:
        number += 1
        (original,) = random.choices(originals, weights)
        object_ = f"object-{random.randrange(_OBJECTS)}"
        yield original._replace(
            id=f"event-{number}",
            time=datetime.now(UTC),
            subjects=tuple(ResourceRef("prod", ref.kind, object_) for ref in original.subjects),
        )


def rule_file(count: int, types: Sequence[str], random: Random) -> str:
    """Return a file of that many rules on types that occur."""
    starts = [each for each in types if each.endswith(".start")] or list(types)
    return orjson.dumps({"rules": [_rule(n, types, starts, random) for n in range(count)]}).decode()


def _rule(
    number: int, types: Sequence[str], starts: Sequence[str], random: Random
) -> dict[str, object]:
    rule: dict[str, object] = {"name": f"rule-{number}", "actions": [{"log": {}}]}
    match: dict[str, object] = {"types": random.choice(types)}
    failed = 'event.phase == "error" || event.state == "error"'
    kind = number % 10
    if kind < 5:
        rule["condition"] = f'event.project == "project-{number}" && event.level == "critical"'
    elif kind == 5:
        rule["condition"] = "has(payload.fault) && payload.fault.code == 500"
    elif kind == 6:
        if number % 30 == kind:
            match = {"types": random.choice(_FAMILIES)}
        rule |= {"condition": failed, "key": "subject", "cooldown": "10m"}
    elif kind == 7:
        rule |= {"condition": failed, "throttle": {"most": 20, "within": "1m"}}
    elif kind == 8:
        rule |= {"key": "subject", "condition": failed, "count": {"events": 3, "within": "5m"}}
    else:
        start = random.choice(starts)
        match = {"types": start}
        end = start.removesuffix("start") + "{end,error}"
        rule["without"] = {"types": end, "within": "10m"}
    return {**rule, "match": match}
