"""The many spellings of a time in OpenStack; all are UTC."""

from datetime import datetime


def zulu(moment: datetime) -> str:
    """`2026-01-15T10:00:00Z`: Neutron, Glance, Nova's API and versioned notifications."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def zulu_or_none(moment: datetime | None) -> str | None:
    """`zulu`, or null."""
    return None if moment is None else zulu(moment)


def micro(moment: datetime | None) -> str | None:
    """`2026-01-15T10:00:00.000000`, naive: database columns shown raw, and Cinder's API."""
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def offset(moment: datetime | None) -> str | None:
    """`2026-01-15T10:00:00+00:00`: Cinder's notifications."""
    return None if moment is None else moment.isoformat(timespec="seconds")


def blank_offset(moment: datetime) -> str:
    """`2026-01-15 10:00:00+00:00`: `created_at` of Nova's legacy notifications."""
    return moment.replace(microsecond=0).isoformat(sep=" ")


def cadf(moment: datetime) -> str:
    """`2026-01-15T10:00:00.000000+0000`: the eventTime of CADF."""
    return f"{micro(moment)}+0000"
