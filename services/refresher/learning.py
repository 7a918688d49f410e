"""What a cloud's APIs taught us about how to ask them: how long a query may be, what lists show.

Of one copy, and forgotten with it: learning again costs a few calls.
"""

from collections import defaultdict
from dataclasses import dataclass

FIRST_KEYS = 50
FIRST_QUERY = 3000
"""Bytes; uWSGI's default buffer holds 4096 for the request line and all headers."""
MOST_KEYS = 400
LONGEST_QUERY = 24_000
"""Bytes; beyond the longest that common proxies take."""
_GROWTH = 2
_WORTH_GROWING = 0.9
_BELOW_FAILURE = 0.75
_AFTER_FAILURE = 0.6
_SHORTEST_QUERY = 1000
_NEWEST_COUNTS = 0.2
_OBJECTS_LIKE_A_CALL = 100
# Not less, so that a list is tried again for many objects after a time that showed few.
_LEAST_SHOWN = 0.3


class Room:
    """How much one service takes in a query: more while it works, less when it does not."""

    def __init__(self) -> None:
        self.keys = FIRST_KEYS
        self.query_bytes = FIRST_QUERY
        self._longest = LONGEST_QUERY

    def fits(self, keys: int, query_bytes: int) -> bool:
        """Whether so many keys, in a query that long, may go in one call."""
        return keys <= self.keys and query_bytes <= self.query_bytes

    def worked(self, keys: int, query_bytes: int) -> None:
        """Note that a call was answered; one that filled the room lets it grow."""
        if keys >= self.keys * _WORTH_GROWING:
            self.keys = min(self.keys * _GROWTH, MOST_KEYS)
        if query_bytes >= self.query_bytes * _WORTH_GROWING:
            self.query_bytes = max(self.query_bytes, min(self.query_bytes * _GROWTH, self._longest))

    def failed(self, query_bytes: int) -> None:
        """Note that a query was too long for somebody on the way; it is not forgotten."""
        self._longest = min(self._longest, int(query_bytes * _BELOW_FAILURE))
        shorter = max(_SHORTEST_QUERY, int(query_bytes * _AFTER_FAILURE))
        self.query_bytes = min(self.query_bytes, shorter)


@dataclass(frozen=True, slots=True)
class Size:
    """How long the list of everything of a kind was, the last time it was read to its end."""

    pages: int
    objects: int

    @property
    def cost(self) -> float:
        """What reading it costs the cloud, in reads of single objects: a guess, on its side."""
        return self.pages + self.objects / _OBJECTS_LIKE_A_CALL


class Lessons:
    """Everything learnt about one cloud."""

    def __init__(self) -> None:
        self.rooms: defaultdict[str, Room] = defaultdict(Room)
        """By service type."""
        self.no_id_lists: set[str] = set()
        """Kinds whose list cannot be asked for ids here."""
        self.no_filters: set[tuple[str, str]] = set()
        """Kinds and fields by which their list cannot be asked for here."""
        self.sizes: dict[str, Size] = {}
        """By kind."""
        self._shown: defaultdict[str, float] = defaultdict(lambda: 1.0)

    def shown(self, kind: str) -> float:
        """Return the share of wanted objects that lists of changes hold, between 0 and 1."""
        return max(_LEAST_SHOWN, self._shown[kind])

    def saw(self, kind: str, *, wanted: int, shown: int) -> None:
        """Note how many of the wanted objects a list of changes held; the latest count most."""
        share = shown / wanted
        self._shown[kind] += (share - self._shown[kind]) * _NEWEST_COUNTS
