"""Signatures of webhooks as Standard Webhooks has them (https://www.standardwebhooks.com); pure.

A receiver computes the same over what it got, with any library of the scheme, and so knows who sent
it and that it is not an old one sent again.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable

_PREFIX = "whsec_"
_SHORTEST_SECRET = 24
_LONGEST_SECRET = 64
"""Bytes; the specification's bounds."""


def secret_bytes(text: str) -> bytes:
    """Return the key in a secret (`whsec_` and base64); ValueError when it is none, never shown."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a secret is {_PREFIX} and base64") from error
    if not _SHORTEST_SECRET <= len(key) <= _LONGEST_SECRET:
        raise ValueError(
            f"a secret holds {_SHORTEST_SECRET} to {_LONGEST_SECRET} bytes, this one {len(key)}"
        )
    return key


def signature_headers(
    keys: Iterable[bytes], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """Return the headers of one try: one signature for each key, so that secrets can be changed.

    `timestamp` is when this try is made, in seconds since 1970.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys
    ]
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    return {**headers, "webhook-signature": " ".join(signatures)} if signatures else headers
