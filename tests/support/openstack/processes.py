"""The real services as processes; `make openstack` installs them."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.openstack.service import DEPS, PREPARED, ROOT, Sections, Service

_LAST_WORDS = 2000
_STOP_SECONDS = 60


def python_of(name: str) -> str:
    """Return the Python of an environment below .deps."""
    path = DEPS / name / "bin/python"
    assert path.exists(), f"the tests need the real {name}; install it with: make openstack"
    return str(path)


@contextmanager
def process(command: Sequence[str], log: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a server that prints its port; yield its address."""
    with log.open("w") as errors:
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=ROOT
        )
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert port.isdecimal(), (
                f"it did not start, and said {port!r}; see {log}: {log.read_text()[-_LAST_WORDS:]}"
            )
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(_STOP_SECONDS)
            if server.stdout is not None:
                server.stdout.close()


@contextmanager
def running(service: Service, directory: Path, *config: Sections) -> Iterator[str]:
    """Run a service on a copy of its prepared home, `directory/NAME`; yield its address.

    Its notifications are in `directory/NAME.jsonl` if its configuration has the driver `log`.
    """
    home = directory / service.name
    shutil.copytree(PREPARED / service.name, home)
    service.write_config(home, *config)
    command = [
        python_of("openstack"),
        "-m",
        "tests.support.openstack.serving",
        service.application,
        str(directory / f"{service.name}.jsonl"),
        *service.arguments_at(home),
    ]
    log = directory / f"{service.name}.log"
    with process(command, log, service.environment_at(home)) as url:
        yield url
