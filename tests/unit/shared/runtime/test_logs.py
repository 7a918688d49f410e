"""Logs are events with fields, in one form, and hold no secrets."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from shared.runtime.logs import configure_logs

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(output: io.StringIO) -> Lines:
    configure_logs(level="info", as_json=True, service="catcher", instance="c-1", stream=output)
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


def test_an_event_is_one_json_object_that_says_who_speaks(lines: Lines) -> None:
    structlog.get_logger("shared.x").info("gap_found", cloud="prod", lost=3)
    [line] = lines()
    assert line.pop("timestamp")
    assert line == {
        "event": "gap_found",
        "level": "info",
        "service": "catcher",
        "instance": "c-1",
        "cloud": "prod",
        "lost": 3,
    }


def test_what_libraries_log_has_the_same_form(lines: Lines) -> None:
    logging.getLogger("asyncio").warning("slow: %s", "callback")
    [line] = lines()
    assert (line["event"], line["level"], line["service"]) == (
        "slow: callback",
        "warning",
        "catcher",
    )


def test_below_the_level_nothing_is_written(lines: Lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("x").debug("detail")
    assert lines() == []


@pytest.mark.parametrize("name", ["aiormq.connection", "keystoneauth.identity.generic.base"])
def test_drivers_that_tell_every_failed_try_are_silent(lines: Lines, name: str) -> None:
    logging.getLogger(name).error("Unexpected connection close")
    assert lines() == []


def test_configuring_again_replaces_and_does_not_double(lines: Lines, output: io.StringIO) -> None:
    configure_logs(level="info", as_json=True, service="up", instance="u", stream=output)
    structlog.get_logger().info("once")
    assert [line["service"] for line in lines()] == ["up"]


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "console"])
def test_no_secret_gets_out(output: io.StringIO, *, as_json: bool) -> None:
    configure_logs(level="info", as_json=as_json, service="s", instance="i", stream=output)
    url = "amqp://user:hush@host/v"
    error = ConnectionError(f"cannot reach {url}, giving up")
    structlog.get_logger().error("failed", exc_info=error, url=url, admin_password="hush", tokens=3)
    logging.getLogger("x").error("at %s", url, exc_info=error)
    text = output.getvalue()
    assert "hush" not in text
    assert "amqp://user:***@host/v" in text
    assert "ConnectionError" in text


def test_values_that_json_lacks_are_written_as_text(lines: Lines) -> None:
    structlog.get_logger().info("odd", path=ValueError("x"), table={1: 2})
    [line] = lines()
    assert (line["path"], line["table"]) == ("x", {"1": 2})
