"""Durations as people write them: `20s`, `1m30s`, `500ms`, `6h`, `180d`."""

import re
from datetime import timedelta

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` means; ValueError names the text and shows the form."""
    plain = text.strip()
    if plain == "0":
        return timedelta()
    if not _WHOLE.fullmatch(plain):
        raise ValueError(
            f"{text!r} is no duration; write for example 500ms, 20s, 1m30s, 6h or 180d"
        )
    try:
        return sum(
            (float(number) * _UNITS[unit] for number, unit in _PART.findall(plain)),
            timedelta(),
        )
    except OverflowError:
        raise ValueError(f"{text!r} is too long; the longest duration is 999999999d") from None


def format_duration(duration: timedelta) -> str:
    """Return `duration` as `parse_duration` reads it, to the millisecond, largest unit first."""
    rest = round(duration / _UNITS["ms"])
    parts = []
    for unit, length in _UNITS.items():
        if unit == "w":
            continue  # 180d is easier to read than 25w5d
        count, rest = divmod(rest, length // _UNITS["ms"])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
