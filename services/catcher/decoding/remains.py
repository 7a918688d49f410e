"""What is kept of a message that cannot be read: everything but the secrets in it. Pure.

It goes to the dead letters, so that somebody can find out what was wrong with it. What is JSON
loses its secrets as any payload does, also where JSON is a text within JSON, as in an envelope. In
what is none, secrets are found by how JSON writes them: a value that is a text is replaced; where
something else begins under the name of a secret, nobody can tell where it ends, and the rest goes.
"""

import re
from typing import Any

import orjson

from services.catcher.decoding.envelope import decompressed_by_magic
from services.catcher.decoding.json_text import check_depth
from shared.errors import UnreadableNotification
from shared.redaction import MARKER, names_a_secret, redact

_DEEPEST = 4
"""JSON within JSON within JSON: no service goes deeper."""
_NAMED = re.compile(
    rb"""(?P<quote>\\*["'])(?P<key>[A-Za-z0-9_.\- ]{1,100})(?P=quote)\s*:\s*"""
    rb"""(?:(?P<nothing>null|None|true|false|True|False|(?P=quote){2})"""
    rb"""|(?P=quote)(?P<text>.*?)(?<!\\)(?P=quote)(?=\s*[,}\]]))?""",
    re.DOTALL,
)
"""A key as JSON or Python writes it, quoted at any depth of quoting, and its value when that is a
text or nothing."""
_REST = f" {MARKER}: what followed may have been a secret".encode()


def remains_of(body: bytes) -> bytes:
    """Return `body` without secrets; unpacked when it was compressed."""
    plain = decompressed_by_magic(body)
    try:
        value = orjson.loads(plain)
        check_depth(value, plain)
    except (orjson.JSONDecodeError, UnreadableNotification):
        return _without_secrets(plain)
    clean = _clean(value, _DEEPEST)
    return body if clean == value else orjson.dumps(clean)


def harmless(text: str) -> str:
    """Return a reason without secrets that it may quote."""
    return _without_secrets(text.encode(errors="replace")).decode(errors="replace")


def _clean(value: Any, depth: int) -> Any:
    """Return a JSON value without secrets, also in texts that are JSON themselves."""
    clean = redact(value)
    if type(clean) is dict:
        return {key: _clean_text(item, depth) for key, item in clean.items()}
    return _clean_text(clean, depth)


def _clean_text(value: Any, depth: int) -> Any:
    if type(value) is not str or depth == 0 or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        inner = orjson.loads(value)
        check_depth(inner, value.encode())
    except (orjson.JSONDecodeError, UnreadableNotification):
        return _without_secrets(value.encode(errors="replace")).decode(errors="replace")
    clean = _clean(inner, depth - 1)
    return value if clean == inner else orjson.dumps(clean).decode()


def _without_secrets(text: bytes) -> bytes:
    kept: list[bytes] = []
    at = 0
    for found in _NAMED.finditer(text):
        if not names_a_secret(found["key"].decode()) or found["nothing"] is not None:
            continue
        if found["text"] is None:
            return b"".join([*kept, text[at : found.end()], _REST])
        kept += [text[at : found.start("text")], MARKER.encode()]
        at = found.end("text")
    return b"".join([*kept, text[at:]]) if kept else text
