"""What a snapshot or a deletion makes of a row, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.observation import Outcome, bury, observe, shows_gone
from shared.store.resource_row import ResourceRow

REF = ResourceRef("prod", "port", "port-1")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CAUSE = Cause(CauseKind.EVENT, "event-1")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seen(seconds: float, *, revision: int | None = None, **fields: Any) -> Snapshot:
    return Snapshot(
        REF, "web", "project-1", "ACTIVE", {"id": REF.id, **fields}, at(seconds), revision
    )


def lost(seconds: int, *volumes: str) -> Snapshot:
    """A notification that some volumes are no more."""
    gone = {"volumes": frozenset(volumes)}
    return Snapshot(REF, None, None, None, {}, at(seconds), partial=True, gone=gone)


def shown(row: ResourceRow) -> list[str]:
    """The volumes that a row shows."""
    return [volume["id"] for volume in (row.object or {})["volumes"]]


def after(*observations: Snapshot | datetime) -> ResourceRow:
    row = ResourceRow(REF)
    for one in observations:
        made = observe(row, one, CAUSE) if isinstance(one, Snapshot) else bury(row, one, CAUSE)
        row = made.row
    return row


def test_the_first_snapshot_creates() -> None:
    decision = observe(ResourceRow(REF), seen(0, mtu=1500), CAUSE)

    assert decision.outcome is Outcome.CREATED
    assert [change.kind for change in decision.changes] == [ChangeKind.CREATED]
    assert decision.row.object == {"id": "port-1", "mtu": 1500}


def test_each_field_that_differs_is_one_change() -> None:
    decision = observe(after(seen(0, mtu=1500, old=1)), seen(1, mtu=9000, new=2), CAUSE)

    assert decision.outcome is Outcome.UPDATED
    assert [(change.field, change.old, change.new) for change in decision.changes] == [
        ("mtu", 1500, 9000),
        ("new", None, 2),
        ("old", 1, None),
    ]


def test_the_same_again_only_moves_the_time() -> None:
    decision = observe(after(seen(0, mtu=1500)), seen(5, mtu=1500), CAUSE)

    assert (decision.outcome, decision.changes) == (Outcome.UNCHANGED, ())
    assert decision.row.seen_at == at(5)


def test_an_older_read_is_refused() -> None:
    before = after(seen(5, mtu=9000))

    decision = observe(before, seen(1, mtu=1500), CAUSE)

    assert (decision.outcome, decision.row, decision.changes) == (Outcome.STALE, before, ())


def test_a_lower_revision_is_refused_though_it_was_read_later() -> None:
    decision = observe(after(seen(0, revision=6, mtu=9000)), seen(5, revision=5, mtu=1500), CAUSE)

    assert decision.outcome is Outcome.STALE
    assert decision.row.object == {"id": "port-1", "mtu": 9000}
    assert decision.row.seen_at == at(5)


def test_a_deletion_leaves_a_tombstone_with_the_last_object() -> None:
    decision = bury(after(seen(0, mtu=1500)), at(1), CAUSE)

    assert decision.outcome is Outcome.UPDATED
    assert [change.kind for change in decision.changes] == [ChangeKind.DELETED]
    assert decision.row.deleted_at == at(1)
    assert decision.row.object == {"id": "port-1", "mtu": 1500}


def test_deleting_again_changes_nothing() -> None:
    decision = bury(after(seen(0), at(1)), at(1), CAUSE)

    assert (decision.outcome, decision.changes) == (Outcome.UNCHANGED, ())


def test_a_deletion_from_before_the_latest_read_is_refused() -> None:
    decision = bury(after(seen(5)), at(1), CAUSE)

    assert decision.outcome is Outcome.STALE
    assert decision.row.deleted_at is None


def test_late_news_does_not_raise_the_dead() -> None:
    decision = observe(after(at(5)), seen(1), CAUSE)

    assert (decision.outcome, decision.changes) == (Outcome.STALE, ())
    assert decision.row.deleted_at == at(5)


def test_a_read_at_the_very_moment_of_deletion_does_not_raise_the_dead() -> None:
    assert after(at(5), seen(5)).deleted_at == at(5)
    assert after(seen(5), at(5)).deleted_at == at(5)


def test_a_later_read_restores_and_tells_what_differs() -> None:
    decision = observe(after(seen(0, mtu=1500), at(1)), seen(2, mtu=9000), CAUSE)

    assert decision.outcome is Outcome.UPDATED
    assert [change.kind for change in decision.changes] == [
        ChangeKind.RESTORED,
        ChangeKind.UPDATED,
    ]
    assert decision.row.deleted_at is None


def told(seconds: float, **fields: Any) -> Snapshot:
    return Snapshot(REF, None, None, None, fields, at(seconds), partial=True)


def hiding(seconds: float, *hidden: str, **fields: Any) -> Snapshot:
    return replace(seen(seconds, **fields), hidden=frozenset(hidden))


def test_what_a_read_may_not_show_stays_as_it_was_told() -> None:
    row = after(hiding(0, "host"), told(1, host="a"), hiding(2, "host", mtu=1))
    assert row.object == {"id": "port-1", "mtu": 1, "host": "a"}

    assert after(
        hiding(0, "host"), told(1, host="a"), hiding(2, "host"), told(3, host="b")
    ).object == {
        "id": "port-1",
        "host": "b",
    }


def test_late_word_of_it_is_no_news() -> None:
    row = after(hiding(0, "host"), told(2, host="b"), hiding(3, "host"), told(1, host="a"))

    assert (row.object or {})["host"] == "b"


def test_what_was_shown_stays_when_it_may_no_longer_be_shown() -> None:
    decision = observe(after(seen(0, host="a")), hiding(1, "host"), CAUSE)

    assert decision.outcome is Outcome.UNCHANGED
    assert (decision.row.object or {})["host"] == "a"


def test_what_may_be_shown_again_counts() -> None:
    row = after(hiding(0, "host"), told(1, host="a"), hiding(2, "host"), seen(3, host="c"))

    assert (row.object or {})["host"] == "c"
    assert row.told == {}


def test_what_is_told_gone_leaves_its_list_and_is_one_change() -> None:
    before = after(seen(0, volumes=[{"id": "a"}, {"id": "b"}]))

    decision = observe(before, lost(5, "a"), CAUSE)

    assert shown(decision.row) == ["b"]
    (change,) = decision.changes
    assert (change.field, change.old) == ("volumes", [{"id": "a"}, {"id": "b"}])
    assert not shows_gone(decision.row, lost(5, "a"))


def test_late_word_of_what_went_earlier_still_counts() -> None:
    before = after(seen(0, volumes=[{"id": "a"}, {"id": "b"}]), lost(9, "a"))

    assert shown(observe(before, lost(5, "b"), CAUSE).row) == []


def test_a_read_that_still_finds_what_is_just_going_does_not_bring_it_back() -> None:
    late = seen(5.9, volumes=[{"id": "a"}])

    assert shown(after(lost(5, "a"), late)) == []
    assert shown(after(late, lost(5, "a"))) == []


def test_what_a_later_read_finds_again_stays_and_can_be_told() -> None:
    again = after(lost(5, "a"), seen(7, volumes=[{"id": "a"}]))

    row = observe(again, lost(5, "a"), CAUSE).row

    assert shown(row) == ["a"]
    assert shows_gone(row, lost(5, "a"))
    assert row.told == {}
