"""Logs: an event name and fields, to stderr, readable or as JSON, without secrets.

Modules say `log = structlog.get_logger(__name__)`; the composition root calls `configure_logs`
once. What libraries log through the standard library comes out in the same form.
"""

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.redaction import MARKER, names_a_secret
from shared.secret import mask_all

_QUIET = ("aio_pika", "aiormq", "keystoneauth")
"""They log each failed try, some several times with tracebacks; we tell it once, in our words."""


def configure_logs(
    *, level: str, as_json: bool, service: str, instance: str, stream: TextIO | None = None
) -> None:
    """Send all logs of this process of `level` or above to `stream` (stderr when absent)."""
    output = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Identity(service, instance),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _json() if as_json else _console(output),
            ],
        )
    )
    _take_over_root(handler, level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _take_over_root(handler: logging.Handler, level: str) -> None:
    """Replace the handler of an earlier call, and nobody else's."""
    root = logging.getLogger()
    for other in list(root.handlers):
        if isinstance(other.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level)


def _json() -> Processor:
    return structlog.processors.JSONRenderer(
        serializer=lambda event, **_: orjson.dumps(
            event, default=str, option=orjson.OPT_NON_STR_KEYS
        ).decode()
    )


def _console(output: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=output.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class _Identity:
    """Says in every line which service and which copy of it speaks."""

    def __init__(self, service: str, instance: str) -> None:
        self._names = {"service": service, "instance": instance}

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for name, value in self._names.items():
            event.setdefault(name, value)
        return event


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask passwords in URLs wherever they stand, tracebacks included, and fields named secret."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value  # numbers, such as tokens_fetched, tell no secret
    return MARKER if value and names_a_secret(name) else mask_all(value)
