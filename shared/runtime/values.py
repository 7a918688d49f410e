"""The types of single settings: durations, secret URLs, times, ports."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, PlainValidator

from shared.amqp.transport_url import parse_transport_url
from shared.runtime.durations import parse_duration
from shared.secret import SecretURL, mask

_LAST_PORT = 65535


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str | int) and not isinstance(value, bool):
        return parse_duration(str(value))
    raise ValueError(f"{value!r} is no duration; write for example 500ms, 20s, 1m30s, 6h or 180d")


def _longer_than_nothing(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("0 is not possible here; write for example 20s")
    return value


Duration = Annotated[timedelta, PlainValidator(_duration)]
"""Zero or more, in files as `20s`, `6h`, `1m30s`, `500ms`, `180d`."""
PositiveDuration = Annotated[Duration, AfterValidator(_longer_than_nothing)]
"""More than zero."""


def _text(value: object, example: str) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"this is no text; write {example}")


_SIZES = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_SIZE = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_SIZES)})")


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value).strip())
    size = int(float(match[1]) * _SIZES[match[2]]) if match else 0
    if size < 1:
        raise ValueError(f"{value!r} is no size; write for example 500MB, 50GB or 2TiB")
    return size


Size = Annotated[int, PlainValidator(_size)]
"""Bytes, in files as `500MB`, `50GB`, `2TiB`."""


def _url(value: object, *schemes: str) -> SecretURL:
    if isinstance(value, SecretURL):
        return value
    example = f"{schemes[0]}://user:password@host/name"
    text = _text(value, example)
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in schemes:
        raise ValueError(f"{mask(text)} does not begin with {schemes[0]}://; write {example}")
    return SecretURL(text)


def _transport(value: object) -> SecretURL:
    if isinstance(value, SecretURL):
        return value
    text = _text(value, "rabbit://user:password@host:5672/vhost")
    parse_transport_url(text)
    return SecretURL(text)


DatabaseURL = Annotated[
    SecretURL, PlainValidator(lambda value: _url(value, "postgresql", "postgres"))
]
"""A PostgreSQL, as libpq and asyncpg read it."""
BusURL = Annotated[SecretURL, PlainValidator(lambda value: _url(value, "amqp", "amqps"))]
"""A RabbitMQ, `amqp://user:password@host:port/vhost`."""
TransportURL = Annotated[SecretURL, PlainValidator(_transport)]
"""OpenStack's RabbitMQ, in the syntax of oslo.messaging's transport_url."""


def _history(value: object) -> datetime | str:
    if value in ("skip", "all"):
        return str(value)
    moment = _moment(value)
    if moment is None:
        raise ValueError(f"{value!r} is neither skip, nor all, nor a time as 2026-01-31T08:00:00Z")
    if moment.tzinfo is None:
        raise ValueError(f"the time {value} has no zone; write 2026-01-31T08:00:00Z for UTC")
    return moment.astimezone(UTC)


def _moment(value: object) -> datetime | None:
    """Return the time that `value` is; YAML has read most of them already. A day begins in UTC."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


History = Annotated[Literal["skip", "all"] | datetime, PlainValidator(_history)]
"""How far back to read when there is no checkpoint: not at all, everything, or since a time."""


def _port(value: object) -> int | str:
    if value is False or value == "off":  # YAML reads a bare `off` as false
        return "off"
    if value == "auto":
        return "auto"
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_PORT:
        return value
    raise ValueError(f"{value!r} is neither a port (0 takes a free one), nor auto, nor off")


Port = Annotated[Literal["auto", "off"] | int, PlainValidator(_port)]
"""`auto` is the service's own port, 0 any free one, `off` none."""


def _pattern(value: object) -> str:
    if isinstance(value, str) and _PATTERN.fullmatch(value) and value.strip("*."):
        return value
    raise ValueError(
        f"{value!r} is no pattern of event types; write for example capacity.* or *.exists"
    )


_PATTERN = re.compile(r"[\w.:/*-]+")
Pattern = Annotated[str, PlainValidator(_pattern)]
"""Event types: a name, in which `*` stands for any characters."""


def _binding(value: object) -> tuple[str, str]:
    if isinstance(value, tuple):
        return value
    exchange, separator, key = str(value).partition("/")
    if not separator or not exchange or not key:
        raise ValueError(
            f"{value!r} is no binding; write <exchange>/<routing key>, as ceilometer/event.sample"
        )
    return exchange, key


Binding = Annotated[tuple[str, str], PlainValidator(_binding)]
"""An exchange and a routing key, written `<exchange>/<routing key>`."""
