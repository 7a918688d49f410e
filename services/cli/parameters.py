"""What options take: durations, moments, objects, and positions on the timeline."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import orjson

from shared.clock import SystemClock
from shared.runtime.durations import parse_duration
from shared.store.timeline_rows import Position


class DurationType(click.ParamType[timedelta]):
    """`30s`, `5m`, `1h30m`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the duration; fails with a sentence that says how to write one."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class MomentType(click.ParamType[datetime]):
    """A time (`2026-11-23`, `2026-11-23T18:00`, UTC without a zone), or how long ago (`2h`)."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment, in UTC; fails with a sentence that says how to write one."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return self._ago(text, param, ctx)
        try:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:
            self.fail(f"{text!r} is no time that UTC has", param, ctx)

    def _ago(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return SystemClock().now() - parse_duration(text)
        except (ValueError, OverflowError):
            message = (
                f"{text!r} is neither a time, as 2026-11-23T18:00, nor how long ago, as 2h or 7d"
            )
            self.fail(message, param, ctx)


class ObjectType(click.ParamType[tuple[str, str]]):
    """`KIND/ID`, as in `server/5f3c...`."""

    name = "object"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return kind and id."""
        if isinstance(value, tuple):
            return value
        kind, slash, id_ = str(value).partition("/")
        if not (kind and slash and id_):
            self.fail(f"takes KIND/ID, as in server/5f3c..., not {value!r}", param, ctx)
        return kind, id_


class PositionType(click.ParamType[Position]):
    """A place on the timeline, as a page before told it."""

    name = "cursor"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Position:
        """Return the position; fails for what no page ever told."""
        if isinstance(value, Position):
            return value
        try:
            padded = str(value) + "=" * (-len(str(value)) % 4)
            time, id_, cloud = orjson.loads(base64.urlsafe_b64decode(padded))
            return Position(datetime.fromisoformat(time).astimezone(UTC), str(id_), str(cloud))
        except (ValueError, TypeError, OverflowError):
            self.fail(f"{value!r} is no cursor; take the one that a page ends with", param, ctx)


def cursor_of(position: Position) -> str:
    """Return a position as `--after` takes it."""
    text = orjson.dumps([position.time.isoformat(), position.id, position.cloud])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
