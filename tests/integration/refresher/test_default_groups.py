"""A project's first network call makes a security group that no event names."""

from datetime import timedelta
from typing import Any

import pytest

from shared.event import Action, Event, Phase
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from tests.support.fake_cloud import FakeCloud
from tests.support.refreshing import WINDOW, Setting, port_event

GROUPS, RULES = "/network/v2.0/security-groups", "/network/v2.0/security-group-rules"
DEFAULT = {"id": "g", "name": "default", "project_id": "new"}
WEB = {"id": "w", "name": "web", "project_id": "new"}


def created(**different: Any) -> Event:
    """Make Neutron say that the project has a port."""
    item = {"id": "a", "binding:host_id": "", "revision_number": 1}
    return port_event(
        "e1", action=Action.CREATE, project="new", payload={"port": item}, **different
    )


async def have(setting: Setting, group: dict[str, str]) -> None:
    """Let a read have found a group a while ago."""
    ref = ResourceRef("prod", "security_group", group["id"])
    at = setting.clock.now() - timedelta(minutes=1)
    known = Snapshot(ref, group["name"], group["project_id"], None, group, at)
    await setting.inventory.write([known], Cause(CauseKind.EVENT, "e0"))


async def asked_for(setting: Setting) -> set[str]:
    return {waiting.kind for waiting in await setting.targets.waiting()} - {"port"}


async def test_the_group_and_its_rules_are_found_with_the_first_port(
    cloud: FakeCloud, setting: Setting
) -> None:
    rule = {"id": "r", "security_group_id": "g"}
    cloud.answer(GROUPS, {"security_groups": [DEFAULT, WEB]})
    cloud.answer(RULES, {"security_group_rules": [rule]})
    cloud.answer("/network/v2.0/ports/a", {"port": {"id": "a"}})
    await have(setting, WEB)

    await setting.intake.handle([created(), created(id="e2")])
    await setting.work_off()

    assert await setting.living("security_group") == ["g", "w"]
    assert await setting.living("security_group_rule") == ["r"]
    await setting.intake.handle([created(id="e3")])
    assert await asked_for(setting) == set(), "it is known now"


async def test_a_project_whose_group_is_known_costs_nothing(setting: Setting) -> None:
    await have(setting, DEFAULT)
    await setting.intake.handle([created()])
    assert await asked_for(setting) == set()


@pytest.mark.parametrize(
    "different",
    [
        {"project": None},
        {"phase": Phase.START},
        {"subjects": (ResourceRef("prod", "floating_ip", "f"),)},
        {"subjects": ()},
    ],
)
async def test_other_events_do_not_bring_it(setting: Setting, different: dict[str, Any]) -> None:
    await setting.intake.handle([created()._replace(**different)])
    assert await asked_for(setting) <= {"floating_ip"}


async def test_a_late_event_does_not_bring_it_for_the_project_may_be_gone(setting: Setting) -> None:
    setting.clock.advance(timedelta(minutes=2))
    await setting.intake.handle([created()])
    assert await asked_for(setting) == set(), "Neutron would make the group to show it"


async def test_what_is_asked_again_after_a_crash_is_one_target(setting: Setting) -> None:
    for _ in range(2):
        await setting.intake.handle([created()])
    setting.clock.advance(WINDOW)
    counts = {one.kind: one.count for one in await setting.targets.waiting()}
    assert (counts["security_group"], counts["security_group_rule"]) == (1, 1)
