"""Events in: they become tombstones, merged rows and targets; no API is called here.

What they say is gone is buried, what they tell is merged into the rows, what else they touched is
to be read. The bus is told "done" (by `shared.bus.consuming`) after all is committed; doing it
twice is harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from services.refresher.attaching import AttachmentIntake, Attachments, attachments_told
from services.refresher.burying import Burial, asks_below
from services.refresher.default_groups import DefaultGroups
from services.refresher.metrics import RefresherMetrics
from services.refresher.network_info import NOVA_LEARNS, NetworkInfo, told_by_neutron
from services.refresher.other_projects import OtherProjects
from services.refresher.resources.model import Resource
from services.refresher.telling import FRESH, Need, Told, told
from services.refresher.writing import Writer
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.targets import deletions, targets
from shared.clock import Clock
from shared.errors import Permanent
from shared.event import Action, Event, Occasion
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind
from shared.store.inventory import Inventory
from shared.store.targets import TargetQueue
from shared.target import BY_ID, Target

_TAKEN_AGAIN = "its id may have been taken again"
# What pure code raises on a payload that nobody foresaw.
_NOT_FORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long the targets of one cloud wait."""

    merge: timedelta = timedelta(milliseconds=250)
    """Until an object that an event touched may be read."""
    batch: timedelta = timedelta(seconds=2)
    """How much longer it waits for others, to share their call."""
    create: timedelta = timedelta()
    """How long what was created is left alone; what does not live so long costs nothing."""
    second_look: timedelta = timedelta(seconds=5)
    """Until what was about to change without any event is read again."""
    passing: timedelta = timedelta(seconds=8)
    """How long an object in the middle of something is left to the event that ends it."""
    history: bool = False
    """Whether events of loaded history ask for anything."""
    synthetic: bool = False
    """Whether synthetic events are believed and asked about."""


@dataclass(slots=True)
class _Effects:
    """What a batch of events amounts to."""

    gone: dict[ResourceRef, str] = field(default_factory=dict)
    """With the event that said so."""
    told: list[tuple[Told, str]] = field(default_factory=list)
    """With the event that told it."""
    asked: list[tuple[Target, Event]] = field(default_factory=list)
    attachments: dict[str, Attachments] = field(default_factory=dict)
    """By the event that told them."""


class _Wait(NamedTuple):
    """How long targets of a cloud wait; see `TargetQueue.ask`."""

    cloud: str
    merge: timedelta
    hold: timedelta = timedelta()
    release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes events in for the clouds that have windows."""

    catalogue: Catalogue
    resources: Mapping[str, Resource]
    windows: Mapping[str, Windows]
    targets: TargetQueue
    inventory: Inventory
    network_info: NetworkInfo
    default_groups: DefaultGroups
    other_projects: OtherProjects
    writer: Writer
    clock: Clock
    metrics: RefresherMetrics

    async def handle(self, events: Sequence[Event]) -> None:
        """Commit the effects of `events`; raises StoreUnavailable, and Permanent for a poison."""
        concerning = [event for event in events if self._concerns_us(event)]
        effects = self._effects(concerning)
        attachments = AttachmentIntake(self.inventory, self.writer, self.metrics)
        await attachments.take(list(effects.attachments.values()))
        await self._bury(effects.gone)
        left = await self.network_info.left_behind(effects.told)
        await self._ask_for_unnamed(left, extra=NOVA_LEARNS)
        needs = await self._tell(effects)
        await self._ask(effects, needs)
        unnamed = await self.default_groups.missing(concerning, now=self.clock.now())
        await self._ask_for_unnamed(unnamed)

    def _concerns_us(self, event: Event) -> bool:
        """Tell whether to react to an event; those left out are counted."""
        windows = self.windows.get(event.cloud)
        if windows is None:
            self.metrics.unasked.foreign.labels(event.cloud).inc()
            return False
        if event.occasion is Occasion.HISTORY and not windows.history:
            # Long past: what it touched is in the first full pass, and what it says is gone may
            # have come back since.
            self.metrics.unasked.history.labels(event.cloud).inc()
            return False
        if event.synthetic and not windows.synthetic:
            # Somebody made it up: a delete of what exists must not bury it, and the cloud should
            # not be asked a thousand times for what never was.
            self.metrics.unasked.synthetic.labels(event.cloud).inc()
            return False
        return True

    def _effects(self, events: Sequence[Event]) -> _Effects:
        effects = _Effects()
        now = self.clock.now()
        for event in events:
            try:
                gone = [
                    ref for ref in deletions(event, self.catalogue) if ref.kind in self.resources
                ]
                effects.gone |= dict.fromkeys(gone, event.id)
                effects.asked += [(item, event) for item in targets(event, self.catalogue)]
                effects.asked += [
                    (Target(*ref[:2], BY_ID, ref.id, event.id, _TAKEN_AGAIN), event)
                    for ref in gone
                    if self.resources[ref.kind].ids_return
                ]
                effects.told += [
                    (item, event.id)
                    for item in told(event, self.catalogue, self.resources, now=now)
                ]
                attachments = attachments_told(event, now=now, fresh=FRESH)
                if attachments is not None:
                    effects.attachments[event.id] = attachments
            except _NOT_FORESEEN as error:
                message = f"event {event.id} ({event.type}) cannot be understood: {error!r}"
                raise Permanent(message) from error
        return effects

    async def _bury(self, gone: Mapping[ResourceRef, str]) -> None:
        """Bury what is gone, and ask for what pointed at it."""
        burial = Burial(self.inventory, self.targets, self.metrics)
        now = self.clock.now()
        await burial.bury(gone, now=now)
        for cloud in {ref.cloud for ref in gone}:
            await burial.ask_for_pointing(
                {ref: event_id for ref, event_id in gone.items() if ref.cloud == cloud},
                now=now,
                merge_window=self.windows[cloud].merge,
                batch_window=self.windows[cloud].batch,
            )

    async def _tell(self, effects: _Effects) -> dict[tuple[ResourceRef, str], Need]:
        """Merge what events tell; return what each of them leaves to read of its objects."""
        needs: dict[tuple[ResourceRef, str], Need] = {}
        by_kind: dict[tuple[str, str], list[tuple[Told, str]]] = {}
        for item, event_id in sorted(effects.told, key=lambda one: one[0].order):
            by_kind.setdefault((item.ref.cloud, item.ref.kind), []).append((item, event_id))
        for (cloud, kind), some in by_kind.items():
            result = await self.writer.write(
                [item.snapshot for item, _ in some],
                {item.ref: Cause(CauseKind.EVENT, event_id) for item, event_id in some},
            )
            self.metrics.inventory.told.labels(cloud, kind).inc(len(some))
            for item, event_id in some:
                need = item.need
                if need is Need.UNLESS_READ:
                    need = Need.READ if item.ref in result.incomplete else Need.NOTHING
                needs[item.ref, event_id] = need
        return needs

    async def _ask(self, effects: _Effects, needs: Mapping[tuple[ResourceRef, str], Need]) -> None:
        shown = await self.network_info.up_to_date(
            target.ref for target, event in effects.asked if told_by_neutron(target, event)
        )
        hidden = await self.other_projects.hidden(effects.asked)
        groups: dict[_Wait, list[Target]] = {}
        for target, event in effects.asked:
            if not self._is_needless(target, event, effects, shown):
                need = _need(target, event, needs)
                if need is Need.NOTHING:
                    continue
                if target in hidden:
                    self.metrics.targets.others.labels(target.cloud, target.kind).inc()
                    continue
                self.metrics.targets.asked.labels(target.cloud, target.kind).inc()
                groups.setdefault(self._wait(target, event, need), []).append(target)
        for wait, some in groups.items():
            await self.targets.ask(
                some,
                now=self.clock.now(),
                merge_window=wait.merge,
                batch_window=self.windows[wait.cloud].batch,
                hold=wait.hold,
                release=wait.release,
            )

    def _is_needless(
        self,
        target: Target,
        event: Event,
        effects: _Effects,
        shown: frozenset[ResourceRef],
    ) -> bool:
        """Tell whether nothing has to be read for a target, whatever its object was told to be."""
        if target.kind not in self.resources:
            self.metrics.targets.unreadable.labels(target.cloud, target.kind).inc()
            return True
        if target.kind == Kind.ATTACHMENT and event.id in effects.attachments:
            return True
        if asks_below(target, effects.gone):
            return True
        if told_by_neutron(target, event) and target.ref in shown:
            return True
        gone = target.by == BY_ID and target.ref in effects.gone
        return gone and not self.resources[target.kind].ids_return

    async def _ask_for_unnamed(
        self, targets: Sequence[Target], *, extra: timedelta = timedelta(0)
    ) -> None:
        """Ask for what no event names, `extra` later than for what one does."""
        for cloud in {target.cloud for target in targets}:
            windows = self.windows[cloud]
            await self.targets.ask(
                [target for target in targets if target.cloud == cloud],
                now=self.clock.now(),
                merge_window=windows.merge + extra,
                batch_window=windows.batch,
            )

    def _wait(self, target: Target, event: Event, need: Need | None) -> _Wait:
        cloud, windows = target.cloud, self.windows[target.cloud]
        if windows.create and _creates(event, target):
            return _Wait(cloud, windows.merge, windows.create)
        if need is Need.LATER:
            return _Wait(cloud, windows.merge, windows.passing)
        if told_by_neutron(target, event):
            return _Wait(cloud, windows.merge + NOVA_LEARNS)
        # What was in the middle of something is no more. A hold for being new must not end so.
        return _Wait(cloud, windows.merge, release=need is Need.READ and not windows.create)


def _need(
    target: Target, event: Event, needs: Mapping[tuple[ResourceRef, str], Need]
) -> Need | None:
    """Return what an event left to read of an object; None where it told nothing of it."""
    return needs.get((target.ref, event.id)) if target.by == BY_ID else None


def _creates(event: Event, target: Target) -> bool:
    return event.action is Action.CREATE and target.ref in event.subjects
