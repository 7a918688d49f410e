"""osevents as its users run it: real processes, one configuration file, a broker and a database."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError

import yaml

from tests.support.ports import free_port
from tests.support.waiting import eventually

STOP_SECONDS = 60
_RUN_SECONDS = 600
_ANSWER_SECONDS = 30
_LAST_LINES = 15


@dataclass(slots=True)
class Service:
    """One process of ours, that a test may stop, kill and start again."""

    name: str
    environment: Mapping[str, str]
    log: Path
    arguments: Sequence[str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; `ready` tells when it works."""
        assert not self.running, f"{self.name} runs"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.cli.main", *self.arguments],
                env={**os.environ, **self.environment, "OSEVENTS_HTTP__PORT": str(self.port)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it as an empty machine would: at once."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop, as Kubernetes does; return the exit code."""
        self._signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.returncode

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of one of its own HTTP endpoints; (0, reason) when it is away."""
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError) as error:
            return 0, str(error)

    async def ready(self) -> None:
        """Return when it says that it is ready."""

        async def is_ready() -> bool:
            status, _ = await asyncio.to_thread(self.get, "/readyz")
            return status == 200

        await eventually(is_ready, what=f"{self.name} is ready; see {self.log}", seconds=60)

    def _signal(self, how: signal.Signals) -> None:
        if self.process is None or not self.running:
            return
        self.process.send_signal(how)
        self.process.wait(STOP_SECONDS)


@dataclass(slots=True)
class Deployment:
    """A directory with a configuration, and the services started with it."""

    directory: Path
    configuration: dict[str, Any]
    services: list[Service] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / "osevents.yaml"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of ours gets."""
        return {
            "OS_CLIENT_CONFIG_FILE": str(self.directory / "clouds.yaml"),
            "OSEVENTS_LOG__FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }

    def write(self) -> None:
        """Write the configuration file."""
        self.write_text(yaml.safe_dump(self.configuration))

    def write_text(self, text: str) -> None:
        """Write the configuration file at once: a service may be just reading it."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.config)

    def add(self, command: str, *options: str) -> Service:
        """Make a service that runs `osevents <command> <options>`; start it with `start`."""
        number = len(self.services)
        service = Service(
            name=f"{command}-{number}",
            environment=self.environment,
            log=self.directory / f"{command}-{number}.log",
            arguments=(command, "--config", str(self.config), *options),
        )
        self.services.append(service)
        return service

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "services.cli.main", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a looking command and return its rows."""
        done = self.run(*arguments, "--config", str(self.config), "--format", "json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self) -> None:
        """End every process that still runs."""
        for service in self.services:
            service.kill()

    def tell(self) -> None:
        """Print what each process logged last; pytest shows it of a test that failed."""
        for service in self.services:
            lines = service.log.read_text().splitlines() if service.log.exists() else ["no log"]
            print(f"--- {service.name}:", *lines[-_LAST_LINES:], sep="\n")
