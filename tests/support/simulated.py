"""The simulator's own calls, under /_simulator, from outside its process."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

from services.refresher.resources import ALL

_CONFLICT = 409
_CLASSIC = {"identity", "compute", "network", "block-storage", "image", "orchestration"}
SERVED = tuple(kind for kind, resource in ALL.items() if resource.service_type in _CLASSIC)
"""The kinds that a simulated cloud has, unless it is told to run further services."""


@dataclass(frozen=True, slots=True)
class SimulatorCalls:
    """What a test asks of a running simulator."""

    url: str

    def life(self, **order: Any) -> dict[str, Any]:
        """Give the life an order, or just look at it."""
        return dict(self._call("/_simulator/life", order or None))

    def begin(self, operation: str) -> bool:
        """Begin one operation of this name; False when there is nothing to do it to now."""
        try:
            self.life(begin=[operation])
        except HTTPError as error:
            if error.code == _CONFLICT:
                return False
            raise
        return True

    def truth(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return every living object of a kind by id."""
        return dict(self._call(f"/_simulator/truth/{kind}"))

    def calls(self) -> dict[str, Any]:
        """Return the API calls and tokens counted so far."""
        return dict(self._call("/_simulator/calls"))

    def lost(self) -> list[dict[str, Any]]:
        """Return the notifications that were lost on purpose, as they would have arrived."""
        return list(self._call("/_simulator/lost")["lost"])

    def misbehaviour(self) -> dict[str, Any]:
        """Return how the cloud misbehaves, and what came of it."""
        return dict(self._call("/_simulator/misbehaviour"))

    def misbehave(self, **how: Any) -> None:
        """Misbehave from now on."""
        self._call("/_simulator/misbehaviour", how)

    def _call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path, data=None if body is None else json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
