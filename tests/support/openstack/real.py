"""The real Keystone and the real Panko, as processes; `make openstack` installs them."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

HERE = Path(__file__).parent
DEPS = HERE.parents[2] / ".deps"
REGION, PASSWORD = "RegionOne", "secret"
_START_SECONDS = 60


def _python(name: str) -> str:
    path = DEPS / name / "bin/python"
    assert path.exists(), f"the tests need the real {name}; install it with: make openstack"
    return str(path)


@contextmanager
def _server(command: Sequence[str], log: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a server that prints its port; yield its address."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port.isdecimal(), (
                f"it did not start, and said {port!r}; see {log}: {log.read_text()[-2000:]}"
            )
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()


@dataclass(frozen=True)
class Keystone:
    """A Keystone of its own, with an administrator `admin` in project `admin`."""

    url: str
    token: str

    def call(self, path: str, body: dict[str, Any], *, method: str = "POST") -> dict[str, Any]:
        """Make one call as the administrator; return the body."""
        request = Request(
            f"{self.url}/v3{path}",
            data=json.dumps(body).encode(),
            headers={"X-Auth-Token": self.token, "Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=30) as answer:
            text = answer.read()
        return dict(json.loads(text)) if text else {}

    def offer(self, service_type: str, url: str) -> None:
        """Put a service into the catalogue."""
        service = self.call("/services", {"service": {"type": service_type, "name": service_type}})
        for interface in ("public", "internal"):
            endpoint = {
                "service_id": service["service"]["id"],
                "interface": interface,
                "url": url if interface == "public" else f"{url}/",
                "region_id": REGION,
            }
            self.call("/endpoints", {"endpoint": endpoint})

    def add_member(self, name: str) -> None:
        """Make a user without any role but `member` in the project `admin`."""
        user = {"name": name, "password": PASSWORD, "domain_id": "default"}
        user_id = self.call("/users", {"user": user})["user"]["id"]
        project = self._one("projects", "admin")
        role = self._one("roles", "member")
        self.call(f"/projects/{project}/users/{user_id}/roles/{role}", {}, method="PUT")

    def user_id(self, name: str) -> str:
        """Return the id of a user."""
        return self._one("users", name)

    def project_id(self) -> str:
        """Return the id of the project `admin`."""
        return self._one("projects", "admin")

    def _one(self, collection: str, name: str) -> str:
        request = Request(
            f"{self.url}/v3/{collection}?name={name}", headers={"X-Auth-Token": self.token}
        )
        with urlopen(request, timeout=30) as answer:
            return str(json.loads(answer.read())[collection][0]["id"])

    def write_clouds_yaml(self, path: Path, name: str, auth_type: str, **auth: Any) -> None:
        """Write a clouds.yaml with one cloud."""
        cloud = {
            "auth_type": auth_type,
            "auth": {"auth_url": f"{self.url}/v3", **auth},
            "region_name": REGION,
            "identity_api_version": "3",
        }
        path.write_text(yaml.safe_dump({"clouds": {name: cloud}}))


def password_of(user: str) -> dict[str, str]:
    """Return what clouds.yaml says of a user who logs in by password."""
    return {
        "username": user,
        "password": PASSWORD,
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }


@contextmanager
def real_keystone(directory: Path) -> Iterator[Keystone]:
    """Run a Keystone on a copy of the one that was prepared when it was installed."""
    python = _python("keystone")
    home = directory / "keystone"
    shutil.copytree(DEPS / "keystone/prepared", home)
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "OS_KEYSTONE_CONFIG_DIR": str(home)}
    command = [python, str(HERE / "keystone_server.py"), str(home)]
    with _server(command, directory / "keystone.log", environment) as url:
        keystone = Keystone(url, _token(url))
        keystone.offer("identity", f"{url}/v3")
        yield keystone


def _token(url: str) -> str:
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": PASSWORD}
    auth = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "admin", "domain": domain}},
    }
    request = Request(
        f"{url}/v3/auth/tokens",
        data=json.dumps({"auth": auth}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=_START_SECONDS) as answer:
        return str(answer.headers["X-Subject-Token"])


@contextmanager
def real_panko(
    directory: Path, keystone: Keystone, database_url: str, events: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """Run a Panko over a PostgreSQL database, with these events recorded; yield its address.

    An event is message_id, event_type, generated (ISO, naive), traits (name, type, value) and raw.
    """
    recorded = directory / "events.jsonl"
    recorded.write_text("".join(json.dumps(event) + "\n" for event in events))
    config = directory / "panko.conf"
    pipeline = (HERE / "api_paste.ini").read_text()
    (directory / "api_paste.ini").write_text(pipeline.replace("PANKO_CONF", str(config)))
    url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    config.write_text(
        f"""
        [DEFAULT]
        api_paste_config = {directory}/api_paste.ini
        log_file = {directory}/panko.out
        [database]
        connection = {url}
        max_retries = 0
        [keystone_authtoken]
        auth_type = password
        auth_url = {keystone.url}/v3
        www_authenticate_uri = {keystone.url}/v3
        username = admin
        password = {PASSWORD}
        project_name = admin
        user_domain_id = default
        project_domain_id = default
        """.replace("        ", "")
    )
    command = [_python("panko"), str(HERE / "panko_server.py"), str(config), str(recorded)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with _server(command, directory / "panko.log", environment) as address:
        yield address
