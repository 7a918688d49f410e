"""The inventory's rule gives the same row in whatever order, and however often, news arrive."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, ChangeKind, Snapshot
from shared.store.observation import ResourceRow, bury, observe

REF = ResourceRef("prod", "port", "port-1")
CAUSE = Cause(CauseKind.EVENT, "event-1")
START = datetime(2026, 11, 23, tzinfo=UTC)

News = Snapshot | datetime
"""What was observed, or when it was deleted."""


@st.composite
def histories(draw: st.DrawFn) -> list[News]:
    """One object's true story, a second a step: what was seen (revisions only grow), deletions."""
    revised = draw(st.booleans())
    revision = 0
    story: list[News] = []
    for step in range(draw(st.integers(1, 7))):
        at = START + timedelta(seconds=step)
        if draw(st.booleans()):
            revision += draw(st.integers(0, 2))
            mtu = revision if revised else draw(st.integers(0, 2))
            story.append(
                Snapshot(REF, None, None, None, {"mtu": mtu}, at, revision if revised else None)
            )
        else:
            story.append(at)
    return story


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
    assert (told(story)[0].deleted_at is None) == isinstance(story[-1], Snapshot)


@given(deliveries())
def test_history_alternates_between_life_and_death(
    delivery: tuple[list[News], list[News]],
) -> None:
    row, kinds = told(delivery[1])

    alive = [kind != ChangeKind.DELETED for kind in kinds]
    assert all(one != other for one, other in pairwise(alive))
    if alive:
        assert alive[-1] == (row.deleted_at is None)
