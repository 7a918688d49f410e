"""What a process of osevents checks of its arguments, environment and files before it connects."""

from pathlib import Path

import click
import pytest

from services.cli.main import cli
from services.cli.running.commands import REQUIRED
from services.cli.running.plans import check_clouds
from services.cli.running.simulation import simulator_settings
from services.processor.actions.kinds import known_kinds
from services.processor.rules.load import load_rules, read_sources
from shared.runtime.settings import Settings, load_settings
from tests.support.pods import Process


def command_of(arguments: tuple[str, ...]) -> str:
    """Return the command that `arguments` call; fails as the command line would."""
    name, *rest = arguments
    # Commands keep what they first see, such as how help is asked for, as long as the process.
    context = click.Context(cli, **cli.context_settings)
    command = cli.get_command(context, name)
    assert command is not None, name
    command.make_context(name, list(rest), parent=context)
    return name


def checked(process: Process, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a process, after all that it checks before it connects anywhere."""
    name = command_of(process.arguments)
    place = process.environment.get("OS_CLIENT_CONFIG_FILE")
    if place is not None:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", place)
    config = Path(process.arguments[2]) if "--config" in process.arguments else None
    settings = load_settings(config, process.environment, require=REQUIRED.get(name, ()))
    if "clouds" in REQUIRED.get(name, ()):
        check_clouds(settings)
    load_rules(read_sources(settings.rules), known_kinds())
    simulator_settings(settings.simulator)
    return settings
