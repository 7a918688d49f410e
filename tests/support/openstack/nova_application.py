"""The real Nova API, and beside it what it needs of others: for the Python of .deps.

Below `/network` an empty Neutron, below `/placement` an empty Placement; a POST to `/filling/NAME`
does a deed of `nova_filling`, with the body as its arguments.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from nova.wsgi.osapi_compute import application as nova

from tests.support.openstack.nova_filling import DEEDS

Start = Callable[[str, list[tuple[str, str]]], object]
_PLACEMENT = {
    "versions": [
        {
            "id": "v1.0",
            "min_version": "1.0",
            "max_version": "1.39",
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
    ]
}


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer as Nova, or in place of another."""
    match environ["PATH_INFO"].strip("/").split("/"):
        case ["filling", deed]:
            length = int(environ["CONTENT_LENGTH"])
            made = DEEDS[deed](**json.loads(environ["wsgi.input"].read(length)))
            return _answer(start, {"made": made})
        case ["placement"]:
            return _answer(start, _PLACEMENT)
        case ["placement", *_] if environ["REQUEST_METHOD"] == "DELETE":
            start("204 No Content", [])
            return []
        case ["network", *_, collection]:
            return _answer(start, {collection.replace("-", "_"): []})
        case _:
            answered: Iterable[bytes] = nova(environ, start)
            return answered


def _answer(start: Start, body: object) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
