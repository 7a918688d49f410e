"""From an event to what must be read again, and to what is gone. Pure; the data decides.

Nothing is asked for at the start of an operation, or in the middle of it (except where the data
says so, since the API tells something new then), nor by events that tell of no change.
"""

from collections.abc import Iterator
from typing import Any

from shared.catalogue.catalogue import Catalogue
from shared.catalogue.model import SUBJECT, Entry, Refresh
from shared.catalogue.paths import unwrapped
from shared.event import Action, Event, Flavour, Phase
from shared.resource import ResourceRef
from shared.target import BY_ID, BY_KIND, Target


def targets(event: Event, catalogue: Catalogue) -> tuple[Target, ...]:
    """Return what to read again after `event`, in the order of the data, each once.

    An event that does not name its object (many Panko events) asks for the whole kind. A delete
    does not ask for its subject (see `deletions`), only for what else it may have changed.
    """
    entry = catalogue.lookup(event.type, event.service)
    if event.action is Action.NONE or event.phase is Phase.PROGRESS:
        return ()
    if event.phase is Phase.START and not entry.refresh_at_start:
        return ()
    gone = frozenset(deletions(event, catalogue))
    wanted: dict[tuple[str, str, str], str] = {}
    for refresh in entry.refresh:
        for what, source in _asked(event, entry, refresh, gone):
            wanted.setdefault(what, source)
    return tuple(
        Target(event.cloud, kind, by, key, event.id, f"{source} of {event.type}")
        for (kind, by, key), source in wanted.items()
    )


def deletions(event: Event, catalogue: Catalogue) -> tuple[ResourceRef, ...]:
    """Return the objects that `event` says are gone; never from a type that was only guessed."""
    known = catalogue.lookup(event.type, event.service).known
    if known and event.action is Action.DELETE and event.phase is Phase.END:
        return event.subjects
    return ()


def complete_objects(event: Event, catalogue: Catalogue) -> tuple[tuple[ResourceRef, Any], ...]:
    """Return the objects that the payload holds as the API would give them, with their refs.

    Neutron leaves out of them what the caller of the API may not see (`binding:host_id` for
    members), so a field that is absent here is not a field that is gone.
    """
    if event.flavour is Flavour.TRAITS or type(event.payload) is not dict:
        return ()
    if event.phase is not Phase.END or event.action not in (Action.CREATE, Action.UPDATE):
        return ()
    payload = unwrapped(event.payload)
    found: list[Any] = []
    for key in catalogue.lookup(event.type, event.service).complete:
        value = payload.get(key)
        found += value if type(value) is list else [value]
    by_id = {item["id"]: item for item in found if type(item) is dict and "id" in item}
    return tuple((ref, by_id[ref.id]) for ref in event.subjects if ref.id in by_id)


def _asked(
    event: Event, entry: Entry, refresh: Refresh, gone: frozenset[ResourceRef]
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield ((kind, by, key), where the key comes from) for one line of the data."""
    refs = event.subjects if refresh.source == SUBJECT else event.related
    if refresh.source != SUBJECT:
        refs = tuple(ref for ref in refs if ref.kind == refresh.source)
    if refresh.by == BY_KIND or (not refs and refresh.everything_if_unnamed):
        kind = refresh.kind or entry.kind
        if kind:
            yield (kind, BY_KIND, ""), f"unnamed {kind}" if refresh.by != BY_KIND else kind
        return
    for ref in refs:
        if refresh.by != BY_ID or ref not in gone:
            yield (refresh.kind or ref.kind, refresh.by, ref.id), refresh.source
