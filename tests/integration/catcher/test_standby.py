"""A copy of the catcher that stands by knows what the one that reads has heard."""

from dataclasses import dataclass
from datetime import timedelta

from services.catcher.cloud import WatchedCloud
from services.catcher.listening import Listener, saved_of
from services.catcher.rhythm import Rhythm
from services.catcher.watch import CloudWatch, Patience
from shared.store.database import Database
from tests.support.catching import Taken, desk_of
from tests.support.events import NOON, numbered

MINUTE = timedelta(minutes=1)


@dataclass
class Reader:
    """As much of a reader as tells whether another copy reads."""

    standby: bool
    trouble: str | None = None


def watch(database: Database, *, standby: bool) -> tuple[CloudWatch, Listener]:
    """Return a copy's watch over the cloud `prod`, and its ears."""
    made = CloudWatch(WatchedCloud.reading("prod", "panko"), desk_of(Taken(), database), Patience())
    made.listener = ears = Listener("prod", Rhythm(NOON))
    made.readers = [Reader(standby)]  # type: ignore[list-item]
    return made, ears


async def test_it_follows_what_the_reading_copy_hears_and_writes_nothing_over_it(
    database: Database,
) -> None:
    reading, ears = watch(database, standby=False)
    waiting, other_ears = watch(database, standby=True)
    ears.heard("panko", numbered(1), NOON + MINUTE)
    ears.missed(NOON + 2 * MINUTE)

    await waiting.remember()
    assert other_ears.last is None, "nothing is known yet"

    await reading.remember()
    await waiting.remember()

    assert other_ears.last == NOON + MINUTE
    assert other_ears.missed_since == ears.missed_since
    saved = await saved_of(database, "prod")
    assert saved is not None
    assert saved["last_by_way"] == {"panko": (NOON + MINUTE).isoformat()}
