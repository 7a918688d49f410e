"""Key pairs are their users': who may not list users is shown their own, and no others are gone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from shared.event import Event
from shared.openstack.cloud import CloudConfig
from shared.resource import ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.passes import PassState
from tests.support.clocks import FixedClock
from tests.support.events import event
from tests.support.fake_cloud import FakeCloud, client_of
from tests.support.refreshing import Setting

USERS, KEY_PAIRS = "/identity/v3/users", "/compute/v2.1/os-keypairs"
OURS, THEIRS = "u1", "another-user"
FORBIDDEN = {"error": {"code": 403, "message": "You are not authorized: identity:list_users."}}


class KeyPairs:
    """Nova's key pairs, by user."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.names = {OURS: ["mine"], THEIRS: ["theirs"]}
        self.asked: list[str] = []
        cloud.answers[KEY_PAIRS] = self.list
        for name in ("mine", "gone"):
            cloud.answers[f"{KEY_PAIRS}/{name}"] = self.show

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Answer as Nova does to whom it lets see this user."""
        user = request.query["user_id"]
        self.asked.append(user)
        found = [{"keypair": {"name": name}} for name in self.names[user]]
        return web.json_response({"keypairs": found})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Answer for one, by its name and its user."""
        user, name = request.query["user_id"], request.path.rpartition("/")[2]
        self.asked.append(f"{user}/{name}")
        if name not in self.names[user]:
            message = f"Keypair {name} not found for user {user}"
            return web.json_response({"itemNotFound": {"message": message}}, status=404)
        return web.json_response({"keypair": {"name": name, "user_id": user}})


@pytest.fixture
def key_pairs(cloud: FakeCloud) -> KeyPairs:
    cloud.services.add("identity")
    return KeyPairs(cloud)


@pytest.fixture
async def as_member(
    cloud: FakeCloud, key_pairs: KeyPairs, config: CloudConfig, database: Database
) -> AsyncIterator[Setting]:
    """A refresher of a member, in whose inventory are key pairs of two users."""
    cloud.roles = ["member"]
    cloud.answer(USERS, FORBIDDEN, status=403)
    async with client_of(config) as client:
        setting = Setting(database, client, FixedClock())
        at = setting.clock.now() - timedelta(hours=1)
        known = [
            Snapshot(ResourceRef("prod", "keypair", id_), None, None, None, {"name": id_}, at)
            for id_ in (f"{OURS}/gone", *(f"{THEIRS}/{name}" for name in key_pairs.names[THEIRS]))
        ]
        await setting.inventory.write(known, Cause(CauseKind.EVENT, "e0"))
        setting.only("keypair")
        yield setting


def key_pair_event(user: str) -> Event:
    """Make Nova tell of a new key pair."""
    key_pair = ResourceRef("prod", "keypair", f"{user}/new")
    return event(f"e-{user}", type="keypair.create.end", subjects=(key_pair,), payload={})


async def test_a_member_is_shown_their_own_and_no_others_are_gone(
    as_member: Setting, key_pairs: KeyPairs
) -> None:
    await as_member.make_passes()
    await as_member.work_off()

    assert await as_member.living("keypair") == [f"{THEIRS}/theirs", f"{OURS}/mine"]
    (done,) = await as_member.full_passes.latest()
    assert (done.state, done.figures.vanished) == (PassState.DONE, 1)
    assert key_pairs.asked == [OURS, f"{OURS}/gone"]
    assert as_member.worker.reader.objects.scope.narrow == {"keypair"}


async def test_events_of_others_ask_for_nothing_then(as_member: Setting) -> None:
    await as_member.make_passes()
    await as_member.work_off()

    await as_member.intake.handle([key_pair_event(THEIRS)])

    assert await as_member.waiting() == 0
    named = {"cloud": "prod", "kind": "keypair"}
    assert as_member.counted("targets_of_other_projects_total", **named) == 1
    await as_member.intake.handle([key_pair_event(OURS)])
    assert await as_member.waiting() == 1


async def test_who_lists_users_is_shown_all(
    cloud: FakeCloud, as_member: Setting, key_pairs: KeyPairs
) -> None:
    await as_member.make_passes()
    cloud.answer(USERS, {"users": [{"id": OURS}, {"id": THEIRS}]})
    as_member.clock.advance(timedelta(hours=7))

    await as_member.make_passes()

    assert key_pairs.asked[-2:] == [OURS, THEIRS]
    assert "keypair" not in as_member.worker.reader.objects.scope.narrow


async def test_other_failures_of_the_list_of_users_are_failures(
    cloud: FakeCloud, as_member: Setting, key_pairs: KeyPairs
) -> None:
    cloud.answer(USERS, {}, status=404)

    await as_member.make_passes()

    (failed,) = await as_member.full_passes.latest()
    assert (failed.state, key_pairs.asked) == (PassState.FAILED, [])
