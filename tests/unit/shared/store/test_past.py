"""A row is undone to what it was: change by change, backwards."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Change, ChangeKind, Snapshot
from shared.store.observation import bury, observe
from shared.store.past import undone
from shared.store.resource_row import ResourceRow
from tests.support.events import NOON

REF = ResourceRef("prod", "port", "port-1")
CAUSE = Cause(CauseKind.EVENT, "event-1")


def change(kind: ChangeKind, field: str | None = None, old: Any = None, new: Any = None) -> Change:
    return Change(REF, NOON, kind, field, old, new, CAUSE)


def test_nothing_later_leaves_the_row_as_it_is() -> None:
    assert undone(ResourceRow(REF, object={"mtu": 1}), []) == ResourceRow(REF, object={"mtu": 1})


def test_the_oldest_of_several_changes_of_a_field_counts() -> None:
    later = [change(ChangeKind.UPDATED, "mtu", 2, 3), change(ChangeKind.UPDATED, "mtu", 1, 2)]

    row = undone(ResourceRow(REF, object={"mtu": 3, "mac": "aa"}), later)

    assert row is not None
    assert row.object == {"mtu": 1, "mac": "aa"}


def test_a_field_that_came_later_is_not_there() -> None:
    row = undone(ResourceRow(REF, object={"mac": "aa"}), [change(ChangeKind.UPDATED, "mac")])

    assert row is not None
    assert row.object == {}


def test_what_was_deleted_later_lived_and_what_came_back_did_not() -> None:
    gone = ResourceRow(REF, object={"mtu": 1}, deleted_at=NOON)

    assert undone(gone, [change(ChangeKind.DELETED)]) == ResourceRow(REF, object={"mtu": 1})
    assert undone(gone, []) is None
    assert undone(ResourceRow(REF, object={}), [change(ChangeKind.RESTORED)]) is None


def test_what_was_created_later_was_unknown() -> None:
    later = [change(ChangeKind.UPDATED, "mtu", 1, 2), change(ChangeKind.CREATED)]

    assert undone(ResourceRow(REF, object={"mtu": 2}), later) is None


@given(st.lists(st.one_of(st.none(), st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)))))
def test_undoing_any_story_gives_every_state_it_went_through(
    story: list[dict[str, int] | None],
) -> None:
    """None is a deletion; what was read at each step is what undoing to that step tells."""
    row = ResourceRow(REF)
    told: list[Change] = []
    states: list[tuple[int, dict[str, int] | None]] = []
    for step, seen in enumerate(story):
        at = NOON + timedelta(seconds=step)
        made = (
            bury(row, at, CAUSE)
            if seen is None
            else observe(row, Snapshot(REF, None, None, None, seen, at), CAUSE)
        )
        row = made.row
        told += made.changes
        states.append((len(told), seen))
    if row.seen_at is None:
        return
    for so_far, seen in states:
        if so_far == 0:
            continue
        then = undone(row, told[so_far:][::-1])
        assert (then and then.object) == seen
