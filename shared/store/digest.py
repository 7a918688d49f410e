"""Tells whether a listed object is what the inventory holds, without fetching it: pure."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from shared.errors import Unstorable
from shared.links import VERSION
from shared.resource import ResourceRef

_BYTES = 16


def as_json(ref: ResourceRef, value: object) -> str:
    """Return a part of the object of `ref` as JSON; raises Unstorable when it is none."""
    return _dumped(ref, value, 0).decode()


def digest_of(
    ref: ResourceRef,
    name: str | None,
    project: str | None,
    status: str | None,
    object_: Mapping[str, Any] | None,
) -> bytes:
    """Return 16 bytes that differ when any of the parts does; the order of keys is no difference.

    The rules of links are such a part, since a row's links are written with it.

    Raises Unstorable when the object is not JSON.
    """
    whole = _dumped(ref, [name, project, status, object_, VERSION], orjson.OPT_SORT_KEYS)
    return blake2b(whole, digest_size=_BYTES).digest()


def _dumped(ref: ResourceRef, value: object, option: int) -> bytes:
    try:
        return orjson.dumps(value, default=dict, option=option)
    except TypeError as error:
        raise Unstorable(f"the object of {ref} is not JSON: {error}") from error
