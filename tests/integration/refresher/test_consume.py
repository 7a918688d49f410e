"""Events in: tombstones and targets, once, whatever is delivered twice."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.errors import Permanent
from shared.event import Action, Event
from shared.resource import ResourceRef
from tests.support.events import event
from tests.support.refreshing import WINDOW, Setting, port_event


async def test_a_thousand_updates_of_a_port_are_one_target(setting: Setting) -> None:
    await setting.intake.handle([port_event(f"e{number}") for number in range(1000)])
    setting.clock.advance(WINDOW)
    (claimed,) = await setting.worker.claim()
    assert (claimed.target.kind, claimed.target.key) == ("port", "a")
    assert claimed.target.cause == "e999"


async def test_a_target_is_due_one_window_after_its_first_event(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1")])
    setting.clock.advance(WINDOW / 2)
    await setting.intake.handle([port_event("e2")])
    assert await setting.worker.claim() == []
    setting.clock.advance(WINDOW / 2)
    assert len(await setting.worker.claim()) == 1


async def test_a_delete_event_buries_without_a_target(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1", action=Action.DELETE)])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.deleted_at == setting.clock.now()
    assert await setting.waiting() == 0


async def test_an_update_beside_its_delete_asks_for_nothing(setting: Setting) -> None:
    await setting.intake.handle([port_event("e1"), port_event("e2", action=Action.DELETE)])
    assert await setting.waiting() == 0


async def test_events_of_other_clouds_are_counted_and_done_with(setting: Setting) -> None:
    port = ResourceRef("elsewhere", "port", "a")
    await setting.intake.handle([port_event("e1", cloud="elsewhere", subjects=(port,))])
    assert await setting.waiting() == 0
    assert setting.counted("refresher_foreign_events_total", cloud="elsewhere") == 1


async def test_kinds_without_an_api_are_counted_and_not_queued(setting: Setting) -> None:
    flavor = ResourceRef("prod", "keypair", "k")
    await setting.intake.handle([event("e1", type="keypair.create.end", subjects=(flavor,))])
    assert await setting.waiting() == 0
    assert setting.counted("targets_unreadable_total", cloud="prod", kind="keypair") == 1


@pytest.mark.parametrize("poison", [{"subjects": 7}, {"type": None}])
async def test_an_event_that_cannot_be_understood_is_named_and_nothing_is_committed(
    setting: Setting, poison: dict[str, Any]
) -> None:
    with pytest.raises(Permanent, match="event bad"):
        await setting.intake.handle([port_event("good"), port_event("bad", **poison)])
    assert await setting.waiting() == 0


@pytest.mark.parametrize("order", [[0, 1], [1, 0], [0, 1, 0], [1, 1, 0]])
async def test_order_and_repeats_do_not_revive_what_was_deleted(
    setting: Setting, order: Sequence[int]
) -> None:
    events: list[Event] = [port_event("e1"), port_event("e2", action=Action.DELETE)]
    for number in order:
        await setting.intake.handle([events[number]])
    row = await setting.row("port", "a")
    assert row is not None
    assert row.deleted_at is not None
