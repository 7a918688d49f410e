"""Which resources of a kind are wanted: the same rule for rows in SQL and for rows in hand."""

import re
from dataclasses import dataclass

from shared.store.resource_row import ResourceRow
from shared.store.timeline_reading import like


@dataclass(frozen=True, slots=True)
class ResourceFilter:
    """What a resource must have; None means anything."""

    project: str | None = None
    """The id of it."""
    status: str | None = None
    """Whatever its case: services differ."""
    name: str | None = None
    """`*` stands for any text."""

    @property
    def parameters(self) -> tuple[str | None, str | None, str | None]:
        """The last parameters of the statement `find`."""
        return self.project, self.status, None if self.name is None else like(self.name)

    def wants(self, row: ResourceRow) -> bool:
        """Whether `row` is one of them."""
        status = None if row.status is None else row.status.lower()
        return (
            (self.project is None or row.project == self.project)
            and (self.status is None or status == self.status.lower())
            and (self.name is None or _matches(self.name, row.name))
        )


def _matches(pattern: str, name: str | None) -> bool:
    regex = ".*".join(map(re.escape, pattern.split("*")))
    return name is not None and re.fullmatch(regex, name, re.DOTALL) is not None
