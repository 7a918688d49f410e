"""The drift report tells apart what was lost, what is silent by design, and what was under way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.refresher.drift import DriftReport, Why, expected_types
from services.refresher.resources import ALL
from shared.catalogue.load import builtin
from shared.catalogue.silence import silence
from shared.resource import ResourceRef
from shared.snapshot import ChangeKind
from shared.store.drift import Corrected

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
U = ChangeKind.UPDATED


def corrected(
    id_: str = "port-1",
    change: ChangeKind = U,
    field: str | None = "name",
    kind: str = "port",
    *,
    under_way: bool = False,
    values: tuple[str | None, str | None] = ('"old"', '"new"'),
    **object_: Any,
) -> Corrected:
    ref = ResourceRef("prod", kind, id_)
    return Corrected(ref, NOON, change, field, *values, object_, under_way)


def whys(*found: Corrected) -> list[tuple[str | None, Why, int]]:
    report = DriftReport(silence())
    for one in found:
        report.take(one)
    return [(line.field, line.why, line.count) for line in report.lines()]


def test_silence_is_told_of_kinds_that_are_read() -> None:
    assert {each.kind for each in silence().silent} <= {None, *ALL}


def test_what_an_event_should_have_told_was_lost() -> None:
    assert whys(corrected("port-1"), corrected("port-2")) == [("name", Why.LOST, 2)]


def test_a_port_that_its_agent_brought_up_is_silent_and_so_is_what_changes_along() -> None:
    found = whys(corrected(field="revision_number"), corrected(field="status"))

    assert sorted(found) == [("revision_number", Why.SILENT, 1), ("status", Why.SILENT, 1)]


@pytest.mark.parametrize("kind", ["project", "server", "volume"])
def test_an_api_that_moved_lost_no_event(kind: str) -> None:
    assert whys(corrected(field="links", kind=kind)) == [("links", Why.SILENT, 1)]


def test_a_silent_field_beside_one_that_is_told_was_lost_with_it() -> None:
    assert {why for _, why, _ in whys(corrected(field="name"), corrected(field="status"))} == {
        Why.LOST
    }


def test_fields_that_change_along_say_nothing_of_silence_alone() -> None:
    assert whys(corrected(field="updated_at")) == [("updated_at", Why.LOST, 1)]


def test_an_event_that_was_under_way_is_not_lost() -> None:
    assert whys(corrected(under_way=True)) == [("name", Why.TOLD, 1)]


@pytest.mark.parametrize(
    ("change", "owner", "why"),
    [
        (ChangeKind.CREATED, "network:router_gateway", Why.SILENT),
        (ChangeKind.DELETED, "network:floatingip", Why.SILENT),
        (ChangeKind.CREATED, "compute:nova", Why.LOST),
        (ChangeKind.DELETED, None, Why.LOST),
    ],
)
def test_ports_of_routers_and_floating_ips_come_and_go_silently(
    change: ChangeKind, owner: str | None, why: Why
) -> None:
    found = whys(corrected(change=change, field=None, values=(None, None), device_owner=owner))

    assert found == [(None, why, 1)]


def test_only_the_default_security_group_comes_silently() -> None:
    groups = [
        corrected(id_, ChangeKind.CREATED, None, "security_group", name=name)
        for id_, name in (("a", "default"), ("b", "web"))
    ]

    assert [why for _, why, _ in whys(*groups)] == [Why.LOST, Why.SILENT]


def test_rules_of_every_group_come_silently_and_those_that_users_make_do_not() -> None:
    rules = [
        corrected(id_, ChangeKind.CREATED, None, "security_group_rule", protocol=protocol)
        for id_, protocol in (("a", None), ("b", "tcp"))
    ]

    assert [why for _, why, _ in whys(*rules)] == [Why.LOST, Why.SILENT]


def test_the_report_stays_small_however_many_values_there_are() -> None:
    found = whys(
        *(corrected(f"port-{number:04}", values=("1", f'"{number}"')) for number in range(1000))
    )

    assert len(found) == 11
    assert sum(count for _, _, count in found) == 1000


def test_a_line_says_from_what_to_what_and_names_a_few() -> None:
    report = DriftReport(silence())
    for number in range(37):
        report.take(corrected(f"port-{number}", field="status", values=('"ACTIVE"', '"DOWN"')))
    [line] = report.lines()

    assert (line.old, line.new, line.count) == ('"ACTIVE"', '"DOWN"', 37)
    assert line.examples == ["port-0", "port-1", "port-2"]
    assert line.reason == "its agent brings it up and down"


def test_the_events_that_should_have_come_are_those_of_the_catalogue() -> None:
    assert expected_types(builtin(), "port", ChangeKind.UPDATED) == ["port.update.end"]
    assert expected_types(builtin(), "server", ChangeKind.DELETED) == [
        "compute.instance.delete.end"
    ]
    assert expected_types(builtin(), "dragon", ChangeKind.CREATED) == []


def test_a_kind_without_events_is_told_of_by_those_that_have_it_read() -> None:
    told = ["volume.attach.end", "volume.detach.end"]
    assert expected_types(builtin(), "attachment", ChangeKind.DELETED) == told
    assert expected_types(builtin(), "container", ChangeKind.CREATED) == []
