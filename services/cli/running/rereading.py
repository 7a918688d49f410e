"""Reads again what no catcher could read, for dead letters that are sent back."""

from collections.abc import Sequence

import orjson

from services.catcher.decoding.envelope import from_panko, open_envelope, unpack
from services.catcher.decoding.normalise import normalise
from services.catcher.decoding.notification import Notification
from services.processor.way_back import Reread
from shared.catalogue.catalogue import Catalogue
from shared.dead_letter import DeadLetter
from shared.errors import UnreadableNotification
from shared.event import Event

_MAGIC = {b"BZh": "bz2", b"\x1f\x8b": "zlib", b"\x78\x01": "zlib", b"\x78\x9c": "zlib",
          b"\x78\xda": "zlib"}  # fmt: skip
"""How compressed bodies begin: a letter has the bytes of a message, not its headers."""


def rereading(catalogue: Catalogue) -> Reread:
    """Return what reads a letter again as the catcher would, and raises Permanent as it would."""

    def reread(letter: DeadLetter) -> Sequence[Event]:
        if letter.cloud is None:
            raise UnreadableNotification("the letter does not say which cloud it came from")
        received_at = letter.first_at or letter.at
        return [
            normalise(found, cloud=letter.cloud, received_at=received_at, catalogue=catalogue)
            for found in notifications_in(letter.body)
        ]

    return reread


def notifications_in(body: bytes) -> tuple[Notification, ...]:
    """Return the notifications in what a source of any protocol handed over.

    Raises UnreadableNotification as that protocol would.
    """
    compression = next((name for start, name in _MAGIC.items() if body.startswith(start)), None)
    try:
        return unpack(open_envelope(body, compression=compression))
    except UnreadableNotification:
        item = _object(body)
        if item is None or "traits" not in item:
            raise
        return (from_panko(item),)


def _object(body: bytes) -> dict[str, object] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
