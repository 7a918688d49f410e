"""The composition of the simulator: a world, its life, its APIs, its notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import yaml
from aiohttp import web

from services.simulator.amqp import AMQPNotifier
from services.simulator.api.application import application
from services.simulator.api.identity import application_credential_id
from services.simulator.dialect import Dialect
from services.simulator.events import EventStore
from services.simulator.life.life import Life, Rate
from services.simulator.notification import Json
from services.simulator.notifiers import FanOut, MisbehavingNotifier, Notifier
from services.simulator.panko import PankoNotifier
from services.simulator.population import Equipment, populate
from services.simulator.runner import Runner
from services.simulator.saved import Saved, StateFile
from services.simulator.settings import SimulatorSettings
from services.simulator.state import State
from services.simulator.tokens import Tokens
from services.simulator.truth import truth
from services.simulator.world import World
from shared.clock import Clock

_STOP_SECONDS = 2.0


class Simulator:
    """A running simulated cloud."""

    def __init__(self, state: State, url: str, *, goes_on: bool) -> None:
        self.state = state
        self.url = url
        """Where all APIs are, such as `http://127.0.0.1:35357`."""
        self.goes_on = goes_on
        """Whether this is the cloud that was saved; otherwise it is a new one."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: SimulatorSettings,
        *,
        clock: Clock,
        random: Random,
        notifier: Notifier | None = None,
        state_file: StateFile | None = None,
    ) -> AsyncIterator["Simulator"]:
        """Run a cloud until the block is left.

        Notifications go to the simulator's own Panko, to `transport_url` where one is set, and to
        `notifier`. `random` is for misbehaviour, tokens and reconnecting; the world and its life
        depend on `settings.seed` alone. With a `state_file` the cloud saved there goes on, and is
        saved there at the end.
        """
        saved = state_file.load() if state_file is not None else None
        state, runner = _compose(settings, clock, random, saved)
        async with AsyncExitStack() as stack:
            if state_file is not None:
                stack.callback(_save, state_file, state, runner)
            ways: list[Notifier] = [PankoNotifier(state.events, clock)]
            if settings.transport_url is not None:
                ways.append(
                    await stack.enter_async_context(
                        AMQPNotifier.open(
                            settings.transport_url.get_secret_value(),
                            random,
                            envelope=settings.envelope,
                            durable=settings.amqp_durable_queues,
                            gives_up_after=settings.gives_up_after,
                        )
                    )
                )
            if notifier is not None:
                ways.append(notifier)
            state.notifier.target = FanOut(ways)
            await stack.enter_async_context(state.notifier)
            url = await _serve(stack, state)
            if state_file is not None:
                state_file.forget()
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            life = tasks.create_task(runner.run(), name="simulated-life")
            stack.push_async_callback(_end, life, runner)
            yield cls(state, url, goes_on=saved is not None)

    def truth(self, kind: str) -> dict[str, Json]:
        """Return the living objects of a kind by id; see `services.simulator.truth`."""
        return truth(self.state.world, kind)

    def write_clouds_yaml(
        self,
        path: Path,
        name: str,
        *,
        user: str = "admin",
        application_credential: bool = False,
    ) -> None:
        """Write a clouds.yaml with one cloud, this one, seen as `user` (`admin` or `demo`)."""
        settings, world = self.state.settings, self.state.world
        who = next(each for each in world.users if each.name == user)
        secret = settings.password.get_secret_value()
        auth: Json = {"auth_url": f"{self.url}/identity"}
        if application_credential:
            auth["application_credential_id"] = application_credential_id(who)
            auth["application_credential_secret"] = secret
        else:
            auth |= {
                "username": who.name,
                "password": secret,
                "project_name": world.projects[who.project_id].name,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            }
        cloud: Json = {"auth": auth, "region_name": settings.region, "identity_api_version": "3"}
        if application_credential:
            cloud["auth_type"] = "v3applicationcredential"
        path.write_text(yaml.safe_dump({"clouds": {name: cloud}}), encoding="utf-8")
        path.chmod(0o600)


async def _end(life: asyncio.Task[None], runner: Runner) -> None:
    """Let the life come to its end; a broker that takes nothing does not hold it up for ever."""
    runner.stop()
    await asyncio.wait({life}, timeout=_STOP_SECONDS)
    life.cancel()


def _save(state_file: StateFile, state: State, runner: Runner) -> None:
    """Save a cloud that is at rest. One that was cut off is half of something: it is not saved."""
    if runner.ended and not state.life.in_flight:
        state_file.save(Saved(state.life, tuple(state.events.all())))


def _life(settings: SimulatorSettings, now: datetime, random: Random, saved: Saved | None) -> Life:
    """Return the life that was saved, or that of a new cloud, as the settings want it."""
    wanted = settings.notification_format
    dialect = Dialect(
        legacy=wanted in {"unversioned", "both"},
        versioned=wanted in {"versioned", "both"},
        cinder_exchange=settings.cinder_exchange,
    )
    if saved is not None:
        life = saved.life
        life.world.dialect, life.pace = dialect, settings.pace
        life.world.offered = frozenset(settings.services)
        life.rest(now)
        return life
    seed = random.getrandbits(64) if settings.seed is None else settings.seed
    world = World(Random(seed), now, dialect)  # noqa: S311 -- repeatable, not secret
    each = Equipment(settings.ports_per_server, settings.volumes_per_server)
    world.offered = frozenset(settings.services)
    populate(world, settings.servers, each)
    return Life(world, origin=now, pace=settings.pace)


def _compose(
    settings: SimulatorSettings, clock: Clock, random: Random, saved: Saved | None
) -> tuple[State, Runner]:
    life = _life(settings, clock.now(), random, saved)
    life.start(Rate(operations=settings.rate))
    events = EventStore(random, store_raw=settings.store_raw, kept=settings.events_kept)
    if saved is not None:
        events.restore(saved.events)
    notifier = MisbehavingNotifier(FanOut(()), random)
    runner = Runner(life, notifier, clock)
    state = State(
        settings=settings,
        clock=clock,
        random=random,
        world=life.world,
        life=life,
        events=events,
        tokens=Tokens(random, life=timedelta(seconds=settings.token_life)),
        notifier=notifier,
        misbehaviour=settings.misbehaviour,
        wake=runner.wake,
    )
    state.misbehave(settings.misbehaviour)
    return state, runner


async def _serve(stack: AsyncExitStack, state: State) -> str:
    """Listen, and return the address; requests in flight get some seconds at the end."""
    settings = state.settings
    runner = web.AppRunner(application(state), access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    host, port, *_ = runner.addresses[0]
    return f"http://{host}:{port}"
