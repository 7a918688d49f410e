"""The broker that comes with the simulated cloud bounds the queues that nobody reads."""

import json
import re
from pathlib import Path

SIMULATED = Path(__file__).parents[3] / "deploy" / "kubernetes" / "overlays" / "simulated"
DEFINITIONS = json.loads((SIMULATED / "rabbitmq" / "definitions.json").read_text())


def test_only_the_queues_of_the_simulated_services_are_bounded() -> None:
    [policy] = DEFINITIONS["policies"]

    assert re.search(policy["pattern"], "notifications.info")
    assert re.search(policy["pattern"], "versioned_notifications.error")
    for ours in ("osevents.processor", "osevents.refresher", "osevents.dead", "osevents.simulated"):
        assert not re.search(policy["pattern"], ours)
    assert policy["definition"]["max-length"] > 0


def test_the_user_of_the_addresses_may_do_everything() -> None:
    [user] = DEFINITIONS["users"]
    [permission] = DEFINITIONS["permissions"]
    address = f"{user['name']}:{user['password']}@rabbitmq"

    assert address in (SIMULATED / "osevents.yaml").read_text()
    assert address in (SIMULATED / "kustomization.yaml").read_text()
    assert {permission[what] for what in ("configure", "write", "read")} == {".*"}
    assert permission["user"] == user["name"]
