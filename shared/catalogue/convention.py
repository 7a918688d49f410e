"""What an event type says by its spelling: `<thing>.<verb>.<phase>`, the habit of all OpenStack.

Used where the data says nothing: for the action and phase of every rule, and for whole entries of
types that nobody catalogued.
"""

from shared.catalogue.model import SUBJECT, Refresh, Rule
from shared.event import Action, Flavour, Phase
from shared.target import BY_ID

PHASES = {
    "start": Phase.START,
    "end": Phase.END,
    "success": Phase.END,
    "error": Phase.ERROR,
    "failure": Phase.ERROR,
    "progress": Phase.PROGRESS,
    "createprogress": Phase.PROGRESS,
}
ACTIONS = {
    **dict.fromkeys(
        ("create", "created", "creation", "import", "adopt", "allocate"), Action.CREATE
    ),
    **dict.fromkeys(("delete", "deleted", "deletion", "deallocate"), Action.DELETE),
    **dict.fromkeys(("exists", "usage", "meter", "metrics", "samples", "send"), Action.NONE),
}


def phase_of(event_type: str) -> Phase:
    """Return the phase that the last word names; END for a type without one."""
    return PHASES.get(event_type.rpartition(".")[2], Phase.END)


def action_of(event_type: str) -> Action:
    """Return what the last word before the phase names; UPDATE for every verb of its own."""
    return ACTIONS.get(_words(event_type)[-1], Action.UPDATE)


def guessed(event_type: str) -> Rule:
    """Return what can be told of a type that no rule names."""
    words = _words(event_type)
    thing = (words[-2] if len(words) > 1 else words[-1]).lower()
    names = {thing: 1, thing.replace("-", "_"): 1}
    nested = tuple(f"{name}/id" for name in names) + tuple(f"{name}/uuid" for name in names)
    plain = tuple(f"{name}_{key}" for name in names for key in ("id", "uuid"))
    ids = {
        Flavour.LEGACY: (*nested, *plain, "id", "uuid"),
        Flavour.VERSIONED: ("uuid", "id", *plain),
        Flavour.CADF: ("resource_info", "target/id|tail"),
        Flavour.TRAITS: ("resource_id", *plain, "target_id"),
    }
    return Rule(
        pattern=event_type,
        service="unknown",
        kind=thing.replace("-", "_"),
        id=ids,
        texts=_guessed_texts(thing),
        refresh=(Refresh("", BY_ID, SUBJECT, everything_if_unnamed=False),),
    )


def _guessed_texts(thing: str) -> dict[str, dict[Flavour, tuple[str, ...]]]:
    def anywhere(*keys: str) -> dict[Flavour, tuple[str, ...]]:
        nested = tuple(f"{thing}/{key}" for key in keys)
        return dict.fromkeys(Flavour, keys) | {Flavour.LEGACY: (*nested, *keys)}

    def acting(key: str, *keys: str) -> dict[Flavour, tuple[str, ...]]:
        return anywhere(*keys) | {Flavour.CADF: (f"initiator/{key}", *keys)}

    return {
        "name": anywhere("name", "display_name"),
        "project": acting("project_id", "project_id", "tenant_id", "owner"),
        "user": acting("user_id", "user_id"),
        "host": anywhere("host"),
        "zone": anywhere("availability_zone"),
        "old_state": anywhere("old_state"),
        "state": anywhere("state", "status"),
    }


def _words(event_type: str) -> list[str]:
    """Return the words of a type without its phase; never empty."""
    words = event_type.split(".")
    if len(words) > 1 and words[-1] in PHASES and words[-1] != "createprogress":
        words.pop()
    return words
