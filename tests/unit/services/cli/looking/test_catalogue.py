"""`osevents catalogue`: what is known, filtered, and the page of the documentation made of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from services.cli.looking.catalogue import catalogue_rows, page
from services.cli.main import cli
from shared.catalogue.load import builtin

PAGE = Path(__file__).parents[5] / "docs" / "reference" / "catalogue.md"


def catalogue(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["catalogue", *arguments], standalone_mode=False)
    assert result.exception is None
    return result.stdout


def rows(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in catalogue(*arguments, "--format", "json").splitlines()]


def test_the_page_of_the_documentation_is_true() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(catalogue_rows(builtin())), (
        "write it again: osevents catalogue --format markdown > docs/reference/catalogue.md"
    )


def test_the_page_is_what_the_command_writes() -> None:
    assert catalogue("--format", "markdown") == page(catalogue_rows(builtin()))


def test_a_row_tells_what_becomes_of_a_type() -> None:
    (row,) = rows("instance.volume_attach.end")

    assert row == {
        "type": "instance.volume_attach.end",
        "canonical": "compute.instance.volume.attach",
        "service": "compute",
        "kind": "server",
        "action": "update",
        "phase": "end",
        "category": "storage",
        "level": "detail",
        "named_in": ["legacy", "versioned", "traits"],
        "complete": False,
        "refresh": ["subject", "volume"],
    }


@pytest.mark.parametrize(
    ("event_type", "refresh"),
    [
        ("port.delete.end", ["subject is gone", "server"]),
        ("port.delete.start", []),
        ("snapshot.create.start", ["subject", "volume"]),
        ("router.update.end", ["subject", "port by device_id"]),
        ("port_forwarding.create.end", ["subject", "every floating_ip"]),
        ("compute.instance.exists", []),
    ],
)
def test_what_is_read_again_is_told_as_it_happens(event_type: str, refresh: list[str]) -> None:
    (row,) = rows(event_type)

    assert row["refresh"] == refresh


def test_it_is_filtered_by_type_service_and_kind() -> None:
    assert {row["type"] for row in rows("router.interface.*")} == {
        "router.interface.create",
        "router.interface.delete",
    }
    assert {row["service"] for row in rows("*", "--service", "image")} == {"image"}
    assert {row["kind"] for row in rows("--kind", "subnet")} == {"subnet"}
    assert rows("unheard.of") == []


def test_a_type_that_only_a_pattern_names_is_shown_by_its_own_name() -> None:
    (row,) = rows("compute.instance.dance.end")

    assert (row["type"], row["kind"]) == ("compute.instance.dance.end", "server")


def test_a_name_that_two_services_use_has_two_rows() -> None:
    found = {(row["service"], row["kind"]) for row in rows("segment.create.end")}

    assert found == {("network", "segment"), ("instance-ha", "ha_segment")}


def test_users_see_their_own_types_and_what_they_overrode(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "service: mine\nevents:\n- {types: [port.update.end, my.event], kind: thing, id: id}\n"
    )

    found = {row["type"]: row for row in rows("*.e*", "--catalogue", str(file))}

    assert found["my.event"]["kind"] == "thing"
    assert "my.event" in catalogue("my.event", "--catalogue", str(file))


def test_a_table_says_it_in_words() -> None:
    assert "subject, server" in catalogue("port.update.end")
