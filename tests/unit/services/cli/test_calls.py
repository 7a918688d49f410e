"""Right and wrong calls: help, one line for each mistake, exit codes."""

import importlib.metadata
import os
from pathlib import Path

import click
import pytest

from services.cli.main import cli
from tests.support.command_line import Outcome, call

CONTEXT = click.Context(cli, **cli.context_settings)
COMMANDS = sorted(cli.list_commands(CONTEXT))


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("OSEVENTS_"):
            monkeypatch.delenv(name)


def mistakes(outcome: Outcome) -> list[str]:
    """Return the lines on standard error of a call that is wrong."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.endswith("\n")
    return outcome.err.splitlines()


def test_the_commands_that_scripts_rely_on_are_there() -> None:
    services = {"up", "catcher", "processor", "refresher", "simulator", "migrate"}

    assert services | {"events", "inventory", "changes", "refresh", "status"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(command: str, option: str) -> None:
    outcome = call(command, option)

    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.startswith(f"Usage: osevents {command} ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_every_option_has_a_help_text(command: str) -> None:
    found = cli.get_command(CONTEXT, command)

    assert found is not None
    assert found.help
    for option in found.params:
        assert not isinstance(option, click.Option) or option.help, option.name


def test_without_a_command_the_help_says_what_there_is() -> None:
    outcome = call()

    assert outcome.code == 2
    assert outcome.out == ""
    assert all(f"\n  {command} " in outcome.err for command in COMMANDS)


def test_the_version_is_one_line() -> None:
    if not list(importlib.metadata.distributions(name="osevents")):
        pytest.skip("osevents is not installed here, only its source is; `make setup` installs it")
    outcome = call("--version")

    assert outcome.code == 0
    assert outcome.out.startswith("osevents, version ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dance"], "No such command 'dance'. See: osevents --help"),
        (["evnts"], "No such command 'evnts'. Did you mean 'events'?"),
        (["events", "--config", "a.yaml", "--data", "b"], "--config and --data each say where"),
        (
            ["publish", "--to", "stdout", "--scenario", "absent"],
            "cannot be read as a file (No such file or directory)",
        ),
        (["events", "--dance"], "No such option '--dance'"),
        (["events", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
        (["events", "--most", "0"], "0 is not in the range x>=1"),
        (
            ["events", "--since", "soon"],
            "'soon' is neither a time, as 2026-11-23T18:00, nor how",
        ),
        (["events", "--level", "loud"], "'loud' is not one of 'critical', 'warning', 'detail'"),
        (["events"], "there is no osevents data in 'data'"),
        (["status", "--data", "elsewhere"], "there is no osevents data in 'elsewhere'; say where"),
        (["inventory"], "Missing argument 'KIND'"),
        (["changes", "server"], "Missing argument 'ID'"),
        (["doctor", "--permissions"], "no cloud has amqp.transports, so there is no broker to ask"),
        (["up", "--for", "ever"], "'ever' is no duration; write for example 500ms, 20s"),
        (["up", "--for", "-5s"], "'-5s' is no duration"),
        (["up"], "clouds: none is given; add one, or use --simulate for a first look"),
        (["up", "extra"], "Got unexpected extra argument (extra)"),
        (["migrate"], "OSEVENTS_DATABASE__URL: is needed; set it, or database.url in a"),
        (["migrate", "--config", "absent.yaml"], "absent.yaml: there is no such file"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_what_to_mend(arguments: list[str], told: str) -> None:
    [line] = mistakes(call(*arguments))

    assert told in line


def test_a_data_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    [line] = mistakes(call("up", "--simulate", "--data", str(tmp_path / "file" / "data")))

    assert "cannot be used: Not a directory" in line


@pytest.mark.parametrize("command", ["catcher", "processor", "refresher"])
def test_a_service_names_everything_that_it_lacks(command: str) -> None:
    lines = mistakes(call(command))

    needed = {"OSEVENTS_DATABASE__URL", "OSEVENTS_BUS__URL"}
    needed |= {"OSEVENTS_CLOUDS"} if command != "processor" else set()
    assert {line.split(": ")[1] for line in lines} == needed


WRONG = """\
database:
  url: mysql://osevents:open-sesame@db/osevents
bus:
  url: 5
log:
  level: loud
colour: red
clouds:
  - name: prod
    poll_interval: soon
    amqp:
      transports: ["rabbit://osevents:open-sesame@rabbit:99999/"]
"""


@pytest.mark.parametrize("command", ["up", "catcher", "migrate", "events", "status"])
def test_every_mistake_of_a_configuration_is_told_at_once_with_its_line(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "osevents.yaml").write_text(WRONG)

    lines = mistakes(call(command, "--config", "osevents.yaml"))

    places = [line.removeprefix("osevents: ").split(": ")[0] for line in lines]
    assert set(places) == {
        "osevents.yaml:2 database.url",
        "osevents.yaml:4 bus.url",
        "osevents.yaml:6 log.level",
        "osevents.yaml:7 colour",
        "osevents.yaml:10 clouds[0].poll_interval",
        "osevents.yaml:12 clouds[0].amqp.transports[0]",
    }
    assert not any("open-sesame" in line for line in lines)


def test_mistakes_of_the_environment_are_told_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSEVENTS_DATABASE__URL", "mysql://osevents:open-sesame@db/osevents")
    monkeypatch.setenv("OSEVENTS_BUS__URL_FILE", "absent-secret")

    lines = mistakes(call("processor"))

    assert any("OSEVENTS_DATABASE__URL: mysql://osevents:***@db" in line for line in lines)
    assert any("OSEVENTS_BUS__URL_FILE: the file absent-secret cannot be used" in x for x in lines)


def test_mistakes_of_the_simulator_are_told_at_once_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "osevents.yaml").write_text(
        "simulator: {password: 5353, pasword: open-sesame, servers: -1, rate: fast,"
        " transport_url: [open-sesame]}"
    )

    for command in (["simulator"], ["up", "--simulate"]):
        lines = mistakes(call(*command, "--config", "osevents.yaml"))

        assert {line.removeprefix("osevents: ").split(": ")[0] for line in lines} == {
            "simulator.password",
            "simulator.pasword",
            "simulator.servers",
            "simulator.rate",
            "simulator.transport_url",
        }
        assert not any(secret in line for line in lines for secret in ("open-sesame", "5353"))
        assert "not 'fast'" in "".join(lines)
