"""Keystone's tokens: who they stand for, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from services.simulator.notification import Actor

_SWEEP_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Token:
    """A project-scoped token."""

    id: str
    actor: Actor
    issued_at: datetime
    expires_at: datetime
    methods: tuple[str, ...]


class Tokens:
    """The tokens issued; an expired one is as unknown as one that never was."""

    def __init__(self, random: Random, *, life: timedelta) -> None:
        self.issued = 0
        self._random = random
        self._life = life
        self._tokens: dict[str, Token] = {}

    def issue(self, actor: Actor, now: datetime, *, method: str) -> Token:
        """Return a new token for `actor`."""
        self.issued += 1
        if self.issued % _SWEEP_EVERY == 0:
            self._tokens = {id_: t for id_, t in self._tokens.items() if t.expires_at > now}
        id_ = f"gAAAAAB{self._random.getrandbits(512):0128x}"
        token = Token(id_, actor, now, now + self._life, (method,))
        self._tokens[id_] = token
        return token

    def get(self, id_: str, now: datetime) -> Token | None:
        """Return a token that is valid now."""
        token = self._tokens.get(id_)
        return token if token is not None and token.expires_at > now else None

    def revoke_all(self) -> None:
        """Make every token invalid, as a Keystone does that lost its keys."""
        self._tokens.clear()
