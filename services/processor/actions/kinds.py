"""Which kinds of actions there are: those of osevents, and those that installed packages bring.

A package brings one as an entry point of the group `osevents.actions`:

    [project.entry-points."osevents.actions"]
    jira = "my_package.actions:JIRA"

The name is the kind that rules write; the object is a `services.processor.actions.port.ActionKind`.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from services.processor.actions.log import Log
from services.processor.actions.note import Note
from services.processor.actions.port import ActionKind
from services.processor.actions.publish import Publish
from services.processor.actions.python import Python
from services.processor.actions.refresh import Refresh
from services.processor.actions.webhook import Webhook
from shared.errors import Misconfigured, Problem
from shared.firing import ActionSpec

GROUP = "osevents.actions"

BUILTIN: Mapping[str, ActionKind] = {
    "webhook": Webhook(),
    "publish": Publish(),
    "refresh": Refresh(),
    "note": Note(),
    "log": Log(),
    "python": Python(),
}


def known_kinds() -> dict[str, ActionKind]:
    """Return every kind by its name; raises Misconfigured for what a package brings and breaks."""
    kinds = dict(BUILTIN)
    problems: list[Problem] = []
    for entry in entry_points(group=GROUP):
        place = f"entry point {entry.name} = {entry.value} of {GROUP}"
        if entry.name in kinds:
            problems.append(Problem(place, "there is a kind of this name already; rename it"))
            continue
        try:
            kinds[entry.name] = _load(entry)
        except Exception as error:  # noqa: BLE001 - whatever somebody's package raises on import
            problems.append(Problem(place, f"cannot be used: {error!r}; mend or remove it"))
    if problems:
        raise Misconfigured(problems)
    return kinds


def check_actions(
    kinds: Mapping[str, ActionKind], actions: Sequence[ActionSpec], place: str
) -> list[Problem]:
    """Return everything that is wrong with a rule's actions; `place` names the rule."""
    problems: list[Problem] = []
    for position, spec in enumerate(actions):
        where = f"{place} actions[{position}]"
        kind = kinds.get(spec.kind)
        if kind is None:
            known = ", ".join(sorted(kinds))
            problems.append(Problem(where, f"there is no kind {spec.kind!r}; the kinds: {known}"))
        else:
            problems += _checked(kind, spec, where)
    return problems


def _checked(kind: ActionKind, spec: ActionSpec, where: str) -> list[Problem]:
    try:
        return kind.check(spec.settings, where)
    except Exception as error:  # noqa: BLE001 - whatever somebody's package raises on settings
        return [Problem(where, f"the kind {spec.kind!r} cannot check its settings: {error!r}")]


def _load(entry: EntryPoint) -> ActionKind:
    kind = entry.load()
    for method in ("check", "open"):
        if not callable(getattr(kind, method, None)):
            raise TypeError(f"it has no method {method}")
    found: ActionKind = kind
    return found
