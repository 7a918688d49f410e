"""`osevents dead`: look at dead letters, send them back to where they died, or drop them.

Sending back is a wish in the database, which a processor fulfils, or the `osevents up` that runs
there: only they have the bus.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click
import orjson

from services.cli.output import Format, print_json, print_rows
from services.cli.parameters import DurationType, MomentType
from services.cli.stored import looking, time_of
from shared.clock import Clock
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters, KeptLetter, LetterFilter

LIST_COLUMNS = ("number", "origin", "cloud", "first", "last", "tries", "asked_for", "reason")
DONE_COLUMNS = ("number", "result")
PAGE = 500
LOOK_EVERY = timedelta(milliseconds=200)

_Function = TypeVar("_Function", bound=Callable[..., Any])

_FILTERS = (
    click.option("--origin", help="Who gave up: catcher, bus, processor, refresher, action."),
    click.option("--cloud", help="Only of this cloud."),
    click.option(
        "--since", type=MomentType(), help="Died not before this time (UTC), or this long ago: 2h."
    ),
    click.option("--reason", metavar="TEXT", help="With this text in the reason."),
)
_NUMBERS = (
    click.argument("numbers", nargs=-1, type=int, metavar="[NUMBER]..."),
    click.option("--all", "all_", is_flag=True, help="All letters that the filters let through."),
)


def _with(*options: Callable[..., Any]) -> Callable[[_Function], _Function]:
    def add(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@click.group()
def dead() -> None:
    """Dead letters: what could not be handled. List, show, retry, drop."""


@looking
@_with(*_FILTERS)
@click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Rows at most."
)
@click.option("--before", type=int, metavar="NUMBER", help="Go on below this number.")
async def list_(
    database: Database, format_: Format, most: int, before: int | None, **which: Any
) -> None:
    """List dead letters, the latest first."""
    found = await DeadLetters(database).find(LetterFilter(**which), most=most, before=before)
    print_rows([list_row(kept) for kept in found], LIST_COLUMNS, format_)


@looking
@click.argument("numbers", nargs=-1, type=int, required=True, metavar="NUMBER...")
async def show(database: Database, format_: Format, numbers: Sequence[int]) -> None:
    """Show dead letters whole, the message as it came."""
    found = await _get(DeadLetters(database), numbers)
    if format_ is not Format.TABLE:
        print_json([{**list_row(kept), **message_of(kept)} for kept in found])
        return
    for kept in found:
        for name, value in list_row(kept).items():
            click.echo(f"{name.replace('_', ' '):<10} {value}")
        click.echo(f"\n{_readable(kept.letter.body)}\n")


@looking
@_with(*_NUMBERS, *_FILTERS)
@click.option(
    "--wait",
    type=DurationType(),
    default=timedelta(seconds=10),
    show_default="10s",
    help="How long to wait for what comes of it; 0 does not.",
)
async def retry(
    database: Database,
    format_: Format,
    numbers: Sequence[int],
    wait: timedelta,
    *,
    all_: bool,
    **which: Any,
) -> None:
    """Send letters back to where they died.

    An event goes to the consumer that gave it up, a target to the refresher, an action to its
    receiver under the same idempotency key; a notification is read again.
    """
    letters, clock = DeadLetters(database), await time_of(database)
    asked: dict[int, datetime] = {}
    async for page in _wanted(letters, numbers, which, all_=all_):
        await letters.ask([kept.number for kept in page], now=clock.now())
        asked |= {kept.number: kept.letter.at for kept in page}
    results = await _results(letters, asked, clock, until=clock.now() + wait)
    rows = [{"number": number, "result": results[number]} for number in asked]
    print_rows(rows, DONE_COLUMNS, format_)


@looking
@_with(*_NUMBERS, *_FILTERS)
async def drop(
    database: Database, format_: Format, numbers: Sequence[int], *, all_: bool, **which: Any
) -> None:
    """Forget letters for good."""
    letters = DeadLetters(database)
    rows: list[dict[str, Any]] = []
    async for page in _wanted(letters, numbers, which, all_=all_):
        await letters.drop([kept.number for kept in page])
        rows += [{"number": kept.number, "result": "dropped"} for kept in page]
    print_rows(rows, DONE_COLUMNS, format_)


for command in (list_, show, retry, drop):
    dead.add_command(command)


def list_row(kept: KeptLetter) -> dict[str, Any]:
    """Return a letter as it is listed."""
    letter = kept.letter
    return {
        "number": kept.number,
        "origin": letter.origin,
        "cloud": letter.cloud,
        "first": letter.first_at or letter.at,
        "last": letter.at,
        "tries": letter.tries,
        "asked_for": "yes" if kept.asked_for else "",
        "reason": letter.reason,
    }


def message_of(kept: KeptLetter) -> dict[str, Any]:
    """Return a letter's message for programs: as JSON, else as text, else in hexadecimal."""
    form, value = _read(kept.letter.body)
    return {form: value}


def _read(body: bytes) -> tuple[str, Any]:
    """Return what a message is (message, text, hex), and it as that."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "hex", body.hex()
    try:
        return "message", orjson.loads(text)
    except orjson.JSONDecodeError:
        return "text", text


def _readable(body: bytes) -> str:
    form, value = _read(body)
    if form == "message":
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    text = body.decode(errors="backslashreplace")
    harmless = (c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return "".join(harmless)


async def _get(letters: DeadLetters, numbers: Sequence[int]) -> list[KeptLetter]:
    """Return the letters with these numbers; a call that names one that is not there is wrong."""
    found = await letters.get(numbers)
    missing = sorted(set(numbers) - {kept.number for kept in found})
    if missing:
        told = ", ".join(map(str, missing))
        raise click.UsageError(f"there is no dead letter {told}; `osevents dead list` has them")
    return found


async def _wanted(
    letters: DeadLetters, numbers: Sequence[int], which: dict[str, Any], *, all_: bool
) -> AsyncIterator[list[KeptLetter]]:
    """Yield the letters that a call names, page by page."""
    if all_ == bool(numbers):
        raise click.UsageError("give the NUMBERs of letters, or --all with or without filters")
    if numbers:
        if any(value is not None for value in which.values()):
            raise click.UsageError("filters go with --all, not with NUMBERs")
        yield await _get(letters, numbers)
        return
    before: int | None = None
    while page := await letters.find(LetterFilter(**which), most=PAGE, before=before):
        before = page[-1].number
        yield page


async def _results(
    letters: DeadLetters, asked: dict[int, datetime], clock: Clock, *, until: datetime
) -> dict[int, str]:
    """Return what came of letters, waiting for it until a moment."""
    results: dict[int, str] = {}
    while True:
        open_ = [number for number in asked if number not in results]
        held = {kept.number: kept for kept in await letters.get(open_)}
        for number in open_:
            kept = held.get(number)
            if kept is None:
                results[number] = "sent back"
            elif not kept.asked_for and kept.letter.at > asked[number]:
                results[number] = f"died again: {kept.letter.reason}"
        if len(results) == len(asked):
            return results
        if clock.now() >= until:
            break
        await asyncio.sleep(LOOK_EVERY.total_seconds())
    waiting = "asked for; a running processor (or `osevents up` on this data) sends it back"
    return {number: results.get(number, waiting) for number in asked}
