"""Makes the real OpenStack services available to the tests: `make openstack`.

Those of today share one virtual environment, `.deps/openstack`, since they are released together;
Panko, of 2021, has its own, with the oslo.policy of its time (Wallaby): with a present one, which
always checks scopes, it knows no administrator. Each holds exactly what its lock file pins, put
there by the uv of .venv. Some packages come as sources only; all of them are built with Python
alone. Then every service's home is prepared, two at a time. Nothing is done when nothing changed.
"""

import hashlib
import inspect
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.setup_venv import environment_for_uv
from tests.support.openstack.service import DEPS, ENVIRONMENT, PREPARED, Service
from tests.support.openstack.services import (
    cinder,
    glance,
    heat,
    ironic,
    keystone,
    manila,
    neutron,
    nova,
    octavia,
)

HERE = Path(__file__).parent
NAMES = ("openstack", "panko")
SERVICES = (
    nova.SERVICE,
    neutron.SERVICE,
    glance.SERVICE,
    cinder.SERVICE,
    heat.SERVICE,
    ironic.SERVICE,
    manila.SERVICE,
    octavia.SERVICE,
    keystone.SERVICE,
)


def main() -> int:
    """Install and prepare what is missing; return the exit code."""
    return 0 if all(_install(name) for name in NAMES) and _prepare_all() else 1


def _install(name: str) -> bool:
    lock, place = HERE / f"{name}.lock", DEPS / name
    wanted = hashlib.sha256(f"{place}\n{sys.version}\n".encode() + lock.read_bytes())
    stamp = place / ".made-from"
    if stamp.is_file() and stamp.read_text() == wanted.hexdigest():
        return True
    sys.stderr.write(f"installing real OpenStack for the tests into .deps/{name} (once)\n")
    # SQLAlchemy 1.3 would build its optional C parts, which wants a compiler and Python's headers.
    environment = environment_for_uv() | {"DISABLE_SQLALCHEMY_CEXT": "1"}
    uv, python = str(Path(sys.executable).parent / "uv"), str(place / "bin/python")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
        [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)],
    ):
        if subprocess.run(command, env=environment, check=False).returncode != 0:
            sys.stderr.write(f".deps/{name}, which the tests need, cannot be installed\n")
            return False
    stamp.write_text(wanted.hexdigest())
    return True


def _prepare_all() -> bool:
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return all([*pool.map(_prepare, SERVICES)])


def _prepare(service: Service) -> bool:
    """Prepare one service's home, unless that is done."""
    sources = [Path(inspect.getfile(service.config)), *sorted(HERE.glob(f"{service.name}_*.py"))]
    description = b"".join(source.read_bytes() for source in sources)
    wanted = hashlib.sha256((ENVIRONMENT / ".made-from").read_bytes() + description).hexdigest()
    stamp = PREPARED / f"{service.name}.made-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return True
    stamp.unlink(missing_ok=True)
    shutil.rmtree(PREPARED / service.name, ignore_errors=True)
    sys.stderr.write(f"preparing a database for the real {service.name.title()} (once)\n")
    try:
        service.prepare()
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"that did not work: {error}\n{error.stderr[-3000:]}\n")
        return False
    stamp.write_text(wanted)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
