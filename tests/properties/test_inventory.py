"""The inventory's rule gives the same row in whatever order, and however often, news arrive."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.observation import bury, observe
from shared.store.resource_row import ResourceRow

REF = ResourceRef("prod", "port", "port-1")
FIELDS = ("mtu", "host", "status")
VOLUMES = ("v1", "v2", "v3")
CAUSE = Cause(CauseKind.EVENT, "event-1")
START = datetime(2026, 11, 23, tzinfo=UTC)

News = Snapshot | datetime
"""What was observed, or when it was deleted."""


@st.composite
def histories(draw: st.DrawFn) -> list[News]:
    """One object's true story, a second a step: what was read or told, and deletions.

    Revisions only grow, and the object of one revision is always the same, though what a
    notification tells of it is only a part. Volumes come unheard, and go with a notification.
    """
    revised = draw(st.booleans())
    revision = 0
    story: list[News] = []
    volumes: set[str] = set()
    for step in range(draw(st.integers(1, 8))):
        at = START + timedelta(seconds=step)
        if not draw(st.booleans()):
            story.append(at)
            continue
        revision += draw(st.integers(0, 2))
        known = {name: revision if revised else draw(st.integers(0, 2)) for name in FIELDS}
        partial = draw(st.booleans())
        left_out = draw(st.sets(st.sampled_from(FIELDS))) if partial else set()
        object_: dict[str, Any] = {
            name: value for name, value in known.items() if name not in left_out
        }
        volumes |= draw(st.sets(st.sampled_from(VOLUMES)))
        gone = draw(st.frozensets(st.sampled_from(VOLUMES))) if partial else frozenset()
        volumes -= gone
        if not partial:
            object_["volumes"] = shown(volumes)
        status = None if "status" in left_out else str(object_["status"])
        number = revision if revised else None
        told_gone = {"volumes": gone} if gone else {}
        story.append(
            Snapshot(REF, None, None, status, object_, at, number, partial=partial, gone=told_gone)
        )
    return story


def shown(volumes: Iterable[str]) -> list[dict[str, str]]:
    """Volumes as Nova lists those of a server."""
    return [{"id": id_} for id_ in sorted(volumes)]


def lives(story: list[News]) -> bool:
    """Whether a read, the only thing that can, revived the object after the last deletion."""
    deaths = [step for step, one in enumerate(story) if not isinstance(one, Snapshot)]
    if not deaths:
        return True
    return any(isinstance(one, Snapshot) and not one.partial for one in story[deaths[-1] :])


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[News], list[News]]:
    """A story, and the same delivered in any order with repeats."""
    story = draw(histories())
    repeated = story + draw(st.lists(st.sampled_from(story), max_size=5))
    return story, draw(st.permutations(repeated))


def told(news: list[News]) -> tuple[ResourceRow, list[ChangeKind]]:
    """Return the final row and the lives and deaths that were noted on the way."""
    row = ResourceRow(REF)
    kinds: list[ChangeKind] = []
    for one in news:
        made = observe(row, one, CAUSE) if isinstance(one, Snapshot) else bury(row, one, CAUSE)
        row = made.row
        kinds += [change.kind for change in made.changes if change.kind != ChangeKind.UPDATED]
    return row, kinds


@given(deliveries())
def test_any_order_and_repetition_ends_in_the_same_row(
    delivery: tuple[list[News], list[News]],
) -> None:
    story, shuffled = delivery

    assert told(shuffled)[0] == told(story)[0]


@given(histories())
def test_the_end_of_the_story_decides_about_life(story: list[News]) -> None:
    assert (told(story)[0].deleted_at is None) == lives(story)


@given(histories())
def test_every_field_is_the_newest_that_was_read_or_told(story: list[News]) -> None:
    row = told(story)[0]

    expected: dict[str, Any] = {}
    for one in story:
        if isinstance(one, Snapshot):
            expected = {**(expected if one.partial else {}), **one.object}
            gone = one.gone.get("volumes", frozenset())
            if "volumes" in expected:
                expected["volumes"] = [v for v in expected["volumes"] if v["id"] not in gone]
    assert (row.object or {}) == expected
    assert row.status == (str(expected["status"]) if "status" in expected else None)


@given(deliveries())
def test_history_alternates_between_life_and_death(
    delivery: tuple[list[News], list[News]],
) -> None:
    row, kinds = told(delivery[1])

    alive = [kind != ChangeKind.DELETED for kind in kinds]
    assert all(one != other for one, other in pairwise(alive))
    if alive:
        assert alive[-1] == (row.deleted_at is None)
