"""The commands that run something: `up`, the single services, the simulator, `migrate`."""

import asyncio
import os
import socket
from datetime import timedelta
from pathlib import Path
from random import SystemRandom
from time import monotonic

import click

from services.cli.parameters import DurationType
from services.cli.running import serving
from services.cli.running.directory import held
from services.cli.running.simulation import CLOUD
from services.cli.running.up import Up
from services.cli.stored import DATA
from shared.clock import SystemClock
from shared.runtime.logs import configure_logs
from shared.runtime.run import Main, run
from shared.runtime.settings import Settings, load_settings
from shared.store.migrations import migrate as migrate_database

_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The configuration file; environment variables (OSEVENTS_...) override it.",
)


@click.command()
@_config
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    show_default=True,
    help="Where everything is kept.",
)
@click.option("--simulate", is_flag=True, help="Also run a simulated cloud that lives and changes.")
@click.option("--for", "duration", type=DurationType(), help="End by itself after this long.")
def up(config: Path | None, data: Path, duration: timedelta | None, *, simulate: bool) -> int:
    """Run everything in this process, with an embedded database."""
    settings = load_settings(config, os.environ)
    # The screen has the terminal, so the logs go to a file.
    with held(data), (data / "osevents.log").open("a") as stream:
        configure_logs(
            level=settings.log.level,
            as_json=settings.log.format == "json",
            service="up",
            instance=str(os.getpid()),
            stream=stream,
        )
        whole = Up(
            settings=settings,
            data=data,
            simulate=simulate,
            config=config,
            duration=duration,
            host=SystemClock(),
            ticks=monotonic,
            random=SystemRandom(),
        )
        return run(whole.run, drain_timeout=settings.drain_timeout)


def _service(name: str, text: str) -> click.Command:
    @click.command(name=name, help=text)
    @_config
    def command(config: Path | None) -> int:
        settings = load_settings(config, os.environ, require=REQUIRED[name])

        async def main(stop: asyncio.Event) -> None:
            await serving.serve(
                name,
                settings,
                stop,
                config=config,
                host=SystemClock(),
                ticks=monotonic,
                random=SystemRandom(),
            )

        return _run(name, settings, main)

    return command


REQUIRED = {
    "catcher": {"database.url", "bus.url", "clouds"},
    "processor": {"database.url", "bus.url"},
    "refresher": {"database.url", "bus.url", "clouds"},
}

catcher = _service("catcher", "Read the clouds' notifications and publish them as events.")
processor = _service("processor", "Write the timeline, keep the dead letters.")
refresher = _service("refresher", "Keep the inventory fresh.")


@click.command()
@_config
@click.option(
    "--clouds-yaml",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("clouds.yaml"),
    show_default=True,
    help="Where to write the clouds.yaml with which the simulated cloud is found.",
)
@click.option("--cloud", default=CLOUD, show_default=True, help="What it is called in there.")
def simulator(config: Path | None, clouds_yaml: Path, cloud: str) -> int:
    """Run a simulated cloud: Keystone, Nova, Neutron, Cinder, Glance, Panko, notifications."""
    settings = load_settings(config, os.environ)

    async def main(stop: asyncio.Event) -> None:
        await serving.simulate(
            settings, clouds_yaml, cloud, stop, clock=SystemClock(), random=SystemRandom()
        )

    return _run("simulator", settings, main)


@click.command()
@_config
def migrate(config: Path | None) -> None:
    """Bring the database to this version; without effect when it is."""
    settings = load_settings(config, os.environ, require={"database.url"})
    assert settings.database.url is not None, "required above"
    applied = asyncio.run(migrate_database(settings.database.url.reveal()))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is at this version already")


def _run(name: str, settings: Settings, main: Main) -> int:
    configure_logs(
        level=settings.log.level,
        as_json=settings.log.format == "json",
        service=name,
        instance=f"{socket.gethostname()}-{os.getpid()}",
    )
    return run(main, drain_timeout=settings.drain_timeout)
