"""The composition of the simulator: a world, its life, its APIs, its notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
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
from services.simulator.population import populate
from services.simulator.runner import Runner
from services.simulator.settings import SimulatorSettings
from services.simulator.state import State
from services.simulator.tokens import Tokens
from services.simulator.truth import truth
from services.simulator.world import World
from shared.clock import Clock

_STOP_SECONDS = 2.0


class Simulator:
    """A running simulated cloud."""

    def __init__(self, state: State, url: str) -> None:
        self.state = state
        self.url = url
        """Where all APIs are, such as `http://127.0.0.1:35357`."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: SimulatorSettings,
        *,
        clock: Clock,
        random: Random,
        notifier: Notifier | None = None,
    ) -> AsyncIterator["Simulator"]:
        """Run a cloud until the block is left.

        Notifications go to the simulator's own Panko, to `transport_url` where one is set, and to
        `notifier`. `random` is for misbehaviour, tokens and reconnecting; the world and its life
        depend on `settings.seed` alone.
        """
        state, runner = _compose(settings, clock, random)
        async with AsyncExitStack() as stack:
            ways: list[Notifier] = [PankoNotifier(state.events, clock)]
            if settings.transport_url is not None:
                ways.append(
                    await stack.enter_async_context(
                        AMQPNotifier.open(
                            settings.transport_url.get_secret_value(),
                            random,
                            envelope=settings.envelope,
                            durable=settings.amqp_durable_queues,
                        )
                    )
                )
            if notifier is not None:
                ways.append(notifier)
            state.notifier.target = FanOut(ways)
            await stack.enter_async_context(state.notifier)
            url = await _serve(stack, state)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            life = tasks.create_task(runner.run(), name="simulated-life")
            stack.callback(life.cancel)
            yield cls(state, url)

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


def _compose(settings: SimulatorSettings, clock: Clock, random: Random) -> tuple[State, Runner]:
    now = clock.now()
    wanted = settings.notification_format
    dialect = Dialect(
        legacy=wanted in {"unversioned", "both"},
        versioned=wanted in {"versioned", "both"},
        cinder_exchange=settings.cinder_exchange,
    )
    world = World(Random(settings.seed), now, dialect)  # noqa: S311 -- repeatable, not secret
    populate(world, settings.servers)
    life = Life(world, origin=now, pace=settings.pace)
    life.start(Rate(operations=settings.rate))
    notifier = MisbehavingNotifier(FanOut(()), random)
    runner = Runner(life, notifier, clock)
    state = State(
        settings=settings,
        clock=clock,
        random=random,
        world=world,
        life=life,
        events=EventStore(random, store_raw=settings.store_raw, kept=settings.events_kept),
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
