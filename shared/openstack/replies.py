"""What an HTTP reply means: JSON, a refusal, or "come back later"; pure, no I/O."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

_RETRIED = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_LONGEST_DETAIL = 300
_LONGEST_WAIT_SECONDS = 86_400.0


def is_transient(status: int, *, told_to_wait: bool) -> bool:
    """Whether the same request may be answered later.

    413 with a Retry-After is the rate limit of older services; without one the request is too long.
    """
    return status in _RETRIED or (status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and told_to_wait)


def retry_after_seconds(value: str | None, *, now: datetime) -> float | None:
    """Return for how long a `Retry-After` header asks to wait: a number, or an HTTP date.

    A day at most: one that asks for more is mistaken, and no time may be that far away.
    """
    if value is None:
        return None
    try:
        seconds: float | None = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS)


def _seconds_until(http_date: str, now: datetime) -> float | None:
    """Return how far away an HTTP date is, None when it is no date."""
    try:
        then = parsedate_to_datetime(http_date)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return (then - now).total_seconds()


def detail_of(body: bytes) -> str:
    """Return OpenStack's own message from an error reply, short and on one line.

    Every service has another shape: Nova and Cinder `{<fault>: {message}}`, Keystone
    `{error: {message}}`, Neutron `{NeutronError: {message}}` (or a string), Heat
    `{explanation, error: {message}}`, Octavia `{faultstring}`, and `{code, title, description}` of
    what the path goes through, Ironic `{error_message}` with such a JSON as a text, Glance an HTML
    page.
    """
    try:
        text = _message_in(orjson.loads(body)) or ""
    except orjson.JSONDecodeError:
        text = body[: 10 * _LONGEST_DETAIL].decode(errors="replace")
    return one_line(text)


def one_line(text: str) -> str:
    """Return a foreign message as we can log and store it.

    Short, without NUL characters and half surrogates.
    """
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_DETAIL else text[:_LONGEST_DETAIL] + "..."


def _message_in(value: Any) -> str | None:
    if isinstance(value, str):
        return _unwrapped(value)
    if isinstance(value, dict):
        for key in ("message", "faultstring", "error_message", "description"):
            if isinstance(value.get(key), str):
                return _unwrapped(value[key])
        # Heat has a general explanation beside the fault, which alone names the object.
        inner = sorted(value.values(), key=lambda one: not isinstance(one, dict))
        return next(filter(None, map(_message_in, inner)), None)
    return None


def _unwrapped(text: str) -> str:
    """Return the message in a text that is JSON itself; any other text is the message."""
    if not text.startswith("{"):
        return text
    try:
        return _message_in(orjson.loads(text)) or text
    except orjson.JSONDecodeError:
        return text
