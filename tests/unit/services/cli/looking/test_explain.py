"""`osevents explain`: everything that follows from a notification, for people and programs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.cli.main import cli, run
from tests.support.notifications import (
    PROJECT,
    bare,
    keystone_basic,
    legacy_nova,
    message,
    neutron,
    panko,
    port,
    versioned_nova,
)


def explain(contents: Sequence[Any], *options: str) -> Result:
    text = b"\n".join(bare(content) for content in contents)
    return CliRunner().invoke(cli, ["explain", "-", *options], input=text, standalone_mode=False)


def rows(contents: Sequence[Any], *options: str) -> list[dict[str, Any]]:
    result = explain(contents, "--format", "json", *options)
    assert result.exception is None
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_row_tells_the_event_and_what_follows() -> None:
    content = neutron("port.update.end", {"port": port()})

    (row,) = rows([content], "--cloud", "prod")

    assert set(row) == {"event", "category", "level", "targets", "writes", "rules", "dropped_by"}
    assert row["event"]["type"] == "port.update.end"
    assert (row["event"]["subject"], row["event"]["cloud"]) == ("port/port-1", "prod")
    assert (row["category"], row["level"]) == ("network", "detail")
    assert row["targets"] == [
        {
            "kind": kind,
            "id": id_,
            "by": "id",
            "key": id_,
            "project": PROJECT,
            "why": f"{why} of port.update.end",
        }
        for kind, id_, why in [("port", "port-1", "subject"), ("server", "server-1", "server")]
    ]
    assert (row["writes"], row["dropped_by"]) == (None, None)


def test_a_delete_writes_a_tombstone_and_reads_only_what_it_changed() -> None:
    (row,) = rows([neutron("port.delete.end", {"port_id": "port-1", "port": port()})])

    assert row["writes"] == [{"kind": "port", "id": "port-1", "what": "tombstone"}]
    assert [target["kind"] for target in row["targets"]] == ["server"]


def test_a_bulk_event_yields_all_its_objects() -> None:
    (row,) = rows([neutron("network.create.end", {"networks": [{"id": "a"}, {"id": "b"}]})])

    assert [(target["kind"], target["id"]) for target in row["targets"]] == [
        ("network", "a"),
        ("network", "b"),
    ]


def test_an_event_without_an_id_asks_for_the_whole_kind() -> None:
    (row,) = rows([panko("security_group.update.end", resource_id="")])

    assert [(target["kind"], target["id"], target["by"]) for target in row["targets"]] == [
        ("security_group", None, "kind")
    ]


def test_a_list_filter_is_told_as_such() -> None:
    (row,) = rows([legacy_nova("compute.instance.create.end")])

    assert ("port", None, "device_id", "server-1") in [
        (target["kind"], target["id"], target["by"], target["key"]) for target in row["targets"]
    ]


def test_what_cannot_be_read_is_an_error_and_the_rest_goes_on() -> None:
    good = keystone_basic("identity.project.created")

    result = explain([good, 7, good], "--format", "json")

    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [set(row) == {"error"} for row in told] == [False, True, False]
    assert told[1]["error"] == "line 2: a notification is an object, this is 7"
    assert result.return_value == 1


def test_secrets_are_not_shown() -> None:
    content = legacy_nova("compute.instance.update", admin_password="s3cr3t")

    assert "s3cr3t" not in explain([content]).stdout + explain([content], "--format=json").stdout


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            versioned_nova("instance.create.end"),
            [
                "instance.create.end  critical  power",
                "also known as  compute.instance.create.end",
                "about          server/server-1",
                "read again     every port whose device_id is server-1, subject of",
            ],
        ),
        (
            message("gadget.update.end", {"gadget": {"id": "g"}}),
            ["guessed", "about       gadget/g"],
        ),
        (neutron("port.delete.end", {"port_id": "p"}), ["written     tombstone of port/p"]),
        (panko("keypair.delete.end"), ["every keypair"]),
        (7, ["cannot be read  line 1: a notification is an object, this is 7"]),
        ({"event_type": "x.[bold]y[/]\x1b[2J"}, ["x.[bold]y[/]\N{REPLACEMENT CHARACTER}[2J"]),
    ],
)
def test_a_card_tells_it_to_people(content: Any, lines: list[str]) -> None:
    told = explain([content]).stdout

    assert [line for line in lines if line not in told] == [], told


def test_a_card_names_states_and_marks_what_was_made_up() -> None:
    update = legacy_nova("compute.instance.update", old_state="building")

    told = explain([update | {"_context_osevents_synthetic": True}]).stdout

    assert "state       building -> active" in told
    assert "synthetic   yes" in told


def test_users_can_try_their_own_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "gadgets.yaml"
    file.write_text("service: gadgets\nevents: [{types: gadget.poked, kind: gadget, id: which}]\n")

    (row,) = rows([message("gadget.poked", {"which": "g"})], "--catalogue", str(file))

    assert (row["event"]["subject"], row["event"]["service"]) == ("gadget/g", "gadgets")
    assert row["event"]["data"]["known"] is True


def test_a_wrong_call_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("events:\n  - types: x.y\n    knid: port\n")

    assert run(["explain", str(tmp_path / "absent")]) == 2
    assert run(["explain", str(file), "--catalogue", str(file)]) == 2
    assert run(["explain", str(file), "--catalogue", str(tmp_path / "absent.yaml")]) == 2
    assert "wrong.yaml:3" in capsys.readouterr().err
