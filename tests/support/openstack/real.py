"""The real Keystone, and what it knows of users and of other services."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from tests.support.openstack.processes import running
from tests.support.openstack.services.keystone import SERVICE

REGION, PASSWORD = "RegionOne", "secret"
_ANSWER_SECONDS = 120
"""A service that is asked for the first time loads most of itself."""


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
        with urlopen(request, timeout=_ANSWER_SECONDS) as answer:
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

    def token_of(self, user: str) -> str:
        """Log in, in the project `admin`."""
        return _token(self.url, user)

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
        with urlopen(request, timeout=_ANSWER_SECONDS) as answer:
            return str(json.loads(answer.read())[collection][0]["id"])

    def write_clouds_yaml(self, path: Path, name: str, auth_type: str, **auth: Any) -> None:
        """Write a clouds.yaml with one cloud."""
        cloud = {
            "auth_type": auth_type,
            "auth": {"auth_url": f"{self.url}/v3", **auth},
            "region_name": REGION,
            "identity_api_version": "3",
            "api_timeout": _ANSWER_SECONDS,
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
    with running(SERVICE, directory) as url:
        keystone = Keystone(url, _token(url, "admin"))
        keystone.offer("identity", f"{url}/v3")
        yield keystone


def _token(url: str, user: str) -> str:
    domain = {"id": "default"}
    who = {"name": user, "domain": domain, "password": PASSWORD}
    auth = {
        "identity": {"methods": ["password"], "password": {"user": who}},
        "scope": {"project": {"name": "admin", "domain": domain}},
    }
    request = Request(
        f"{url}/v3/auth/tokens",
        data=json.dumps({"auth": auth}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=_ANSWER_SECONDS) as answer:
        return str(answer.headers["X-Subject-Token"])
