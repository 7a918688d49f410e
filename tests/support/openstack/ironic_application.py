"""The real Ironic API, and `/filling/KIND` to enrol (POST) and remove: for the Python of .deps.

Through the API a node would need a conductor that has its driver.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# First of Ironic's, since it chooses how it is threaded.
from ironic.wsgi import application as ironic

# isort: split
from ironic.common import context
from ironic.objects import node, port

Start = Callable[[str, list[tuple[str, str]]], object]
MADE_BY: Mapping[str, type[Any]] = {"nodes": node.Node, "ports": port.Port}


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer as Ironic, or in place of its conductor."""
    match environ["PATH_INFO"].strip("/").split("/"):
        case ["filling", kind]:
            length = int(environ["CONTENT_LENGTH"])
            fields = json.loads(environ["wsgi.input"].read(length))
            admin = context.get_admin_context()
            if environ["REQUEST_METHOD"] == "DELETE":
                MADE_BY[kind].get_by_uuid(admin, fields["uuid"]).destroy()
            else:
                MADE_BY[kind](admin, **fields).create()
            start("200 OK", [("Content-Type", "application/json")])
            return [b"{}"]
        case _:
            answered: Iterable[bytes] = ironic(environ, start)
            return answered
