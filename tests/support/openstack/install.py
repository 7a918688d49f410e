"""Makes the real Keystone and the real Panko available to the tests: `make openstack`.

Each gets a virtual environment of its own below .deps, since they cannot live with our versions of
their libraries, with exactly what its lock file pins. Run as a module by the Python of .venv, whose
uv installs them; nothing is done when nothing changed. Some packages come as sources only (Panko
itself is of 2021); all of them are built with Python alone. Panko is pinned with the oslo.policy of
its time (Wallaby): with a present one, which always checks scopes, it knows no administrator.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from deploy.setup_venv import environment_for_uv

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
DEPS = ROOT / ".deps"
NAMES = ("keystone", "panko")


def main() -> int:
    """Install what is missing; return the exit code."""
    # SQLAlchemy 1.3 would build its optional C parts, which wants a compiler and Python's headers.
    environment = environment_for_uv() | {"DISABLE_SQLALCHEMY_CEXT": "1"}
    uv = str(Path(sys.executable).parent / "uv")
    for name in NAMES:
        lock, place = HERE / f"{name}.lock", DEPS / name
        wanted = hashlib.sha256(f"{place}\n{sys.version}\n".encode() + lock.read_bytes())
        stamp = place / ".made-from"
        if stamp.is_file() and stamp.read_text() == wanted.hexdigest():
            continue
        sys.stderr.write(f"installing the real {name.title()} into .deps/{name} (once)\n")
        python = str(place / "bin/python")
        for command in (
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
            [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)],
        ):
            if subprocess.run(command, env=environment, check=False).returncode != 0:
                sys.stderr.write(f"{name.title()}, which the tests need, cannot be installed\n")
                return 1
        if name == "keystone":
            _prepare(place)
        stamp.write_text(wanted.hexdigest())
    return 0


def _prepare(place: Path) -> None:
    """Make a Keystone with an administrator `admin` in project `admin`, to be copied by tests."""
    prepared = place / "prepared"
    (prepared / "keys").mkdir(parents=True, exist_ok=True)
    config = place / "prepare.conf"
    keys = "".join(
        f"[{section}]\nkey_repository = {prepared}/keys\n"
        for section in ("fernet_tokens", "fernet_receipts", "credential")
    )
    database = f"[database]\nconnection = sqlite:///{prepared}/keystone.db\n"
    config.write_text(f"{database}{keys}[cache]\nenabled = false\n")
    whose = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
    bootstrap = ["bootstrap", "--bootstrap-password", "secret", "--bootstrap-region-id"]
    for order in (["db_sync"], ["fernet_setup", *whose], [*bootstrap, "RegionOne"]):
        subprocess.run(
            [place / "bin/keystone-manage", "--config-file", config, *order],
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            capture_output=True,
            check=True,
        )


if __name__ == "__main__":
    raise SystemExit(main())
