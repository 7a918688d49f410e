"""The real Cinder API with some of everything, as a process; `make openstack` installs it."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from shared.resource import Kind
from tests.support.openstack.asking import NOWHERE, Api, authentication
from tests.support.openstack.processes import python_of, running
from tests.support.openstack.real import Keystone, real_keystone
from tests.support.openstack.service import ROOT
from tests.support.openstack.services.cinder import SERVICE

KINDS = (Kind.VOLUME_TYPE, Kind.VOLUME, Kind.SNAPSHOT, Kind.BACKUP, Kind.ATTACHMENT)
MADE = 5
"""How many there are of each kind."""
ELSEWHERE = "11111111111141118111111111111111"
"""A project that is not ours."""
_TABLES = {Kind.VOLUME: "volumes", Kind.SNAPSHOT: "snapshots", Kind.BACKUP: "backups"}


@dataclass(slots=True)
class Cinder:
    """A Cinder, its Keystone, and what it has instead of a scheduler and storage."""

    keystone: Keystone
    api: Api
    home: Path
    numbers: Iterator[int] = field(default_factory=count)
    made: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def ours(self) -> list[str]:
        """Volumes of our project."""
        return self.made[Kind.VOLUME][: MADE - 1]

    @property
    def theirs(self) -> str:
        """The volume of another project."""
        return self.made[Kind.VOLUME][MADE - 1]

    def make(self, kind: str, *, of: str | None = None) -> str:
        """Make one, of a volume or one of the first volumes where it needs one; return its id."""
        number = next(self.numbers)
        body: dict[str, Any] = {"name": f"{kind}-{number}"}
        if kind == Kind.VOLUME:
            body |= {"size": 1, "volume_type": self.made[Kind.VOLUME_TYPE][0]}
        elif kind == Kind.VOLUME_TYPE:
            body |= {"os-volume-type-access:is_public": number % 2 == 0}
        else:
            volume = of or self.made[Kind.VOLUME][number % 2]
            self._offer(volume)
            body |= {"volume_id": volume, "force": True}
            if kind == Kind.ATTACHMENT:
                server = f"{number:08x}{NOWHERE[8:]}"
                body = {"volume_uuid": volume, "instance_uuid": server}
        item = str(kind)
        id_ = str(self.api.call(_path(kind), {item: body})[item]["id"])
        self.made[kind].append(id_)
        return id_

    def remove(self, kind: str, id_: str) -> None:
        """Delete one, as the storage that it would be on does in the end."""
        if kind in (Kind.SNAPSHOT, Kind.BACKUP):
            deleted = "deleted = 1, status = 'deleted', deleted_at = CURRENT_TIMESTAMP"
            self.sql(f"UPDATE {_TABLES[Kind(kind)]} SET {deleted} WHERE id = ?", id_)
        else:
            self.sql("UPDATE volumes SET host = NULL WHERE id = ?", id_)
            self.api.call(f"{_path(kind)}/{id_}", method="DELETE")
        self.made[kind].remove(id_)

    def fill(self) -> None:
        """Make some of everything."""
        for kind in KINDS:
            for _ in range(MADE):
                self.make(kind)
        self.sql("UPDATE volumes SET project_id = ? WHERE id = ?", ELSEWHERE, self.theirs)

    def attach(self, attachment: str) -> None:
        """Let an attachment work, as the storage would."""
        self.sql(
            "UPDATE volume_attachment SET attach_status = 'attached', attach_mode = 'rw', "
            "attach_time = '2026-11-24 10:00:00.000000' WHERE id = ?",
            attachment,
        )

    def notify(self, event: str, volume: str) -> dict[str, Any]:
        """Let Cinder itself make a notification of a volume, as its storage would; return it."""
        lines = self.home.parent / "notified.jsonl"
        module = ["-m", "tests.support.openstack.cinder_notifying"]
        config = str(self.home / SERVICE.file)
        command = [python_of("openstack"), *module, config, str(lines), event, volume]
        environment = os.environ | {"PYTHONWARNINGS": "ignore"}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
        return dict(json.loads(lines.read_text().splitlines()[-1]))

    @property
    def notifications(self) -> Path:
        """The file of all that the API has sent."""
        return self.home.with_suffix(".jsonl")

    def sql(self, statement: str, *values: str) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.home / "cinder.db")) as connection, connection:
            connection.execute(statement, values)

    def _offer(self, volume: str) -> None:
        """Have a volume made, as scheduler and storage would."""
        self.sql(
            "UPDATE volumes SET host = 'storage@lvm#pool', status = 'available' WHERE id = ?",
            volume,
        )


def _path(kind: str) -> str:
    return "types" if kind == Kind.VOLUME_TYPE else f"{kind}s"


@contextmanager
def real_cinder(directory: Path, *, filters: bool = True) -> Iterator[Cinder]:
    """Run a Cinder with some of everything, beside a Keystone that has a `member`, too.

    Without its `resource_filters.json` members may filter by nothing; many lack it.
    """
    with real_keystone(directory) as keystone:
        sections = {"keystone_authtoken": authentication(keystone)}
        if not filters:
            sections["DEFAULT"] = {"resource_query_filters_file": str(directory / "none.json")}
        with running(SERVICE, directory, sections) as url:
            keystone.offer("block-storage", f"{url}/v3")
            keystone.add_member("member")
            api = Api(f"{url}/v3/{keystone.project_id()}", keystone.token, "volume 3.65")
            cinder = Cinder(keystone, api, directory / "cinder")
            cinder.fill()
            yield cinder
