"""Links stand and fall with the rows that tell them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from shared.links import Link, links_of
from shared.resource import Kind, ResourceRef
from shared.snapshot import Cause, CauseKind, Snapshot
from shared.store.database import Database
from shared.store.inventory import Inventory
from shared.store.links import Links, Neighbour
from shared.store.listed import ListedPages

CAUSE = Cause(CauseKind.EVENT, "e")
START = datetime(2026, 11, 24, tzinfo=UTC)


def snapshot(
    kind: str, id_: str, at: int = 0, *, name: str | None = None, **fields: object
) -> Snapshot:
    item = {"id": id_, "name": name, **fields}
    ref = ResourceRef("prod", kind, id_)
    return Snapshot(ref, name, None, None, item, START + timedelta(seconds=at))


def neighbour(name: str, kind: str, id_: str, *, outward: bool) -> Neighbour:
    return Neighbour(name=name, outward=outward, kind=kind, id=id_)


async def recomputed(inventory: Inventory) -> set[tuple[ResourceRef, Link]]:
    """Return the links of everything that lives, from the objects alone."""
    return {
        (row.ref, link)
        for kind in Kind
        for row in await inventory.find(kind, most=10_000)
        for link in links_of(kind, row.object or {})
    }


async def test_a_port_is_found_from_its_server_and_its_network(database: Database) -> None:
    inventory, links = Inventory(database), Links(database)
    port = snapshot(
        "port", "p", network_id="n", device_id="s", device_owner="compute:nova", fixed_ips=[]
    )
    await inventory.write([port], CAUSE)
    assert await links.around(ResourceRef("prod", "server", "s")) == [
        neighbour("device", "port", "p", outward=False)
    ]
    assert await links.around(port.ref) == [
        neighbour("device", "server", "s", outward=True),
        neighbour("network", "network", "n", outward=True),
    ]


async def test_a_link_by_name_leads_to_what_has_that_name(database: Database) -> None:
    inventory, links = Inventory(database), Links(database)
    server = snapshot("server", "s", flavor={"original_name": "m1.small"})
    await inventory.write([server], CAUSE)
    assert await links.around(server.ref) == []
    flavor = snapshot("flavor", "7", name="m1.small")
    await inventory.write([flavor], CAUSE)
    assert await links.around(server.ref) == [neighbour("flavor", "flavor", "7", outward=True)]
    assert await links.around(flavor.ref) == [neighbour("flavor", "server", "s", outward=False)]


async def test_a_tombstone_has_no_links_and_a_restored_object_has_them_again(
    database: Database,
) -> None:
    inventory, links = Inventory(database), Links(database)
    port = snapshot("port", "p", network_id="n")
    await inventory.write([port], CAUSE)
    await inventory.delete({port.ref: START + timedelta(seconds=1)}, CAUSE)
    assert await links.all("prod") == set()
    await inventory.write([replace(port, observed_at=START + timedelta(seconds=2))], CAUSE)
    assert await links.all("prod") == {(port.ref, Link("network", "network", "id", "n"))}


async def test_rows_from_before_the_links_get_theirs_when_they_are_next_seen(
    database: Database,
) -> None:
    inventory, links = Inventory(database), Links(database)
    pages = ListedPages(database)
    port = snapshot("port", "p", network_id="n")
    await pages.write([port], CAUSE)
    await database.execute("delete from links")
    await database.execute("update resources set digest = 'another version'")
    await pages.write([replace(port, observed_at=START + timedelta(seconds=2))], CAUSE)
    assert await links.all("prod") == await recomputed(inventory)
    assert await links.all("prod")


def fates(random: Random) -> Iterator[tuple[str, Snapshot]]:
    """Yield what happens to a few ports and volumes: written, listed, deleted, in any order."""
    for step in range(60):
        kind = random.choice(("port", "volume"))
        fields: dict[str, Any] = {
            "network_id": random.choice(("n1", "n2", None)),
            "device_id": random.choice(("s1", "s2", "")),
            "device_owner": random.choice(("compute:nova", "network:router_interface", "")),
            "security_groups": random.sample(("g1", "g2", "g3"), random.randrange(3)),
            "attachments": [{"server_id": random.choice(("s1", "s2"))}] * random.randrange(2),
        }
        at = step + random.randrange(-5, 5)
        yield (
            random.choice(("write", "list", "delete")),
            snapshot(kind, f"{kind}-{random.randrange(4)}", at, **fields),
        )


@pytest.mark.parametrize("seed", range(6))
async def test_links_equal_a_recomputation_from_all_objects_whatever_happened(
    database: Database, seed: int
) -> None:
    inventory, links, pages = Inventory(database), Links(database), ListedPages(database)
    for what, item in fates(Random(seed)):
        if what == "write":
            await inventory.write([item], CAUSE)
        elif what == "list":
            await pages.write([item], CAUSE)
        else:
            await inventory.delete({item.ref: item.observed_at}, CAUSE)
        assert await links.all("prod") == await recomputed(inventory)
