"""Of which kinds a cloud shows our credentials all projects, as one copy learnt it.

Some services ignore to members that a list is asked for in all projects, others refuse it: those
(`Resource.wider`) tell by their answer what we are shown, of the others our roles tell it. What is
learnt is looked at again, since roles and policies change while we run.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from services.refresher.refusals import refuses_params
from services.refresher.resources.model import Object, Resource, text_of
from shared.clock import Clock
from shared.errors import CloudRefused
from shared.openstack.client import CloudClient

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(minutes=10)
"""After so long a list that was refused widely is asked for widely again."""
_ADMIN = "admin"
"""The role to which the default policies of all services show everything but Heat's stacks."""


class Scope:
    """What one cloud shows us of other projects; `client` tells who we are there."""

    def __init__(
        self, client: CloudClient, *, clock: Clock, sees_all_projects: bool = False
    ) -> None:
        self.narrow: set[str] = set()
        """Kinds of which we are shown our own project alone, or our own user of what users have."""
        self._client = client
        self._clock = clock
        self._sees_all_projects = sees_all_projects
        self._asked: set[str] = set()
        self._shows_others: set[str] = set()
        self._ask_again: dict[str, datetime] = {}

    @property
    def everywhere(self) -> bool:
        """Whether our role is one that is shown the objects of all projects."""
        return self._sees_all_projects or _ADMIN in self._client.roles

    def sees_all(self, resource: Resource) -> bool:
        """Whether we are shown the objects of all projects, so that a 404 says that one is gone.

        To others Nova, Cinder and Glance answer for an object of another project just what they
        answer for one that does not exist. Below a parent the parent tells.
        """
        if resource.below is not None:
            return True
        return self.everywhere and resource.kind not in self.narrow

    def is_known(self, resource: Resource) -> bool:
        """Whether `sees_all` can be relied on before a list was asked for."""
        tells = resource.wider and not resource.wider_ignored
        return not (tells and self.everywhere) or resource.kind in self._asked

    def asks_widely(self, resource: Resource) -> bool:
        """Whether the next list is to be asked for in all projects, by `Resource.wider`."""
        again = self._ask_again.get(resource.kind)
        return bool(resource.wider) and (again is None or self._clock.now() >= again)

    def refuses(self, resource: Resource, error: CloudRefused) -> bool:
        """Whether a list is refused because it was asked for widely; notes it."""
        if not refuses_params(error, resource.wider):
            return False
        self._asked.add(resource.kind)
        self._ask_again[resource.kind] = self._clock.now() + ASK_AGAIN
        self._note_narrow(resource)
        return True

    def listed(self, resource: Resource, *, widely: bool) -> None:
        """Note what a list tells of what we are shown: whether what it lacks may be another's."""
        if widely:
            self._asked.add(resource.kind)
            self._ask_again.pop(resource.kind, None)
        elif resource.wider:
            return
        if self.everywhere or (widely and not resource.wider_ignored):
            self.narrow.discard(resource.kind)
        else:
            self._note_narrow(resource)

    def listed_ours(self, resource: Resource) -> None:
        """Note that of what users have we are shown our own alone."""
        self._add_narrow(resource)

    def listed_all(self, resource: Resource) -> None:
        """Note that we are shown what all users have."""
        self.narrow.discard(resource.kind)

    def showed(self, resource: Resource, items: Iterable[Object]) -> None:
        """Note what a list showed: where one thing is another project's, others may be, too."""
        if resource.private and resource.project_field is not None:
            projects = {text_of(item, resource.project_field) for item in items}
            if projects - {self._client.project_id, None}:
                self._shows_others.add(resource.kind)

    def only_project(self, resource: Resource) -> str | None:
        """Return the one project of whose objects of the kind we are shown any.

        None where we may be shown those of more, also for as long as no list has told.
        """
        alone = resource.kind in self.narrow and resource.kind not in self._shows_others
        hides_others = resource.private and alone and not self.everywhere
        return self._client.project_id if hides_others else None

    def conceals(self, resource: Resource, id_: str) -> bool:
        """Whether an object is never shown to us, as its id tells: it is another user's."""
        below = resource.below
        if below is None or not below.of_users or resource.kind not in self.narrow:
            return False
        return id_.partition("/")[0] != self._client.user_id

    def _note_narrow(self, resource: Resource) -> None:
        if resource.project_field is not None:
            self._add_narrow(resource)

    def _add_narrow(self, resource: Resource) -> None:
        if resource.kind not in self.narrow:
            log.warning("own_project_only", cloud=self._client.name, kind=resource.kind)
            self.narrow.add(resource.kind)
