"""What docs/how-to/run-actions.md and docs/reference/actions.md show works."""

import base64
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from services.processor.actions.kinds import BUILTIN, check_actions
from services.processor.actions.signing import secret_bytes, signature_headers
from services.processor.actions.templates import FILTERS, NAMES
from shared.firing import ActionSpec
from shared.runtime.sections import ActionSettings

DOCS = Path(__file__).parents[3] / "docs"
HOW_TO = (DOCS / "how-to" / "run-actions.md").read_text()
REFERENCE = (DOCS / "reference" / "actions.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_every_action_of_the_examples_is_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("my_actions")
    monkeypatch.setattr(module, "page", print, raising=False)
    monkeypatch.setitem(sys.modules, "my_actions", module)
    rules = [
        rule
        for block in blocks(HOW_TO, "yaml")
        for rule in (yaml.safe_load(block) or {}).get("rules", [])
    ]
    actions = [
        ActionSpec(kind, settings)
        for rule in rules
        for action in rule["actions"]
        for kind, settings in action.items()
    ]

    assert len(actions) >= 6
    assert check_actions(BUILTIN, actions, "the page") == []


def test_the_receivers_verification_takes_what_we_sign_and_nothing_else() -> None:
    [code] = [block for block in blocks(HOW_TO, "python") if "def verify" in block]
    scope: dict[str, Any] = {}
    exec(code, scope)
    verify: Callable[[dict[str, str], bytes, str], bool] = scope["verify"]
    secret = "whsec_" + base64.b64encode(b"s" * 32).decode()

    def signed(age: float = 0) -> dict[str, str]:
        keys = [b"o" * 32, secret_bytes(secret)]
        now = int(time.time() - age)
        return signature_headers(keys, message_id="key-0", timestamp=now, body=b"body")

    assert verify(signed(), b"body", secret)
    assert not verify(signed(), b"other", secret)
    assert not verify(signed(age=600), b"body", secret)
    assert not verify({**signed(), "webhook-id": "key-1"}, b"body", secret)


def test_the_reference_has_every_kind_every_name_and_every_filter() -> None:
    assert set(re.findall(r"^### (\w+)$", REFERENCE, re.MULTILINE)) == set(BUILTIN)
    for word in (*NAMES, *(name for name in FILTERS if name not in ("d", "count"))):
        assert f"`{word}`" in REFERENCE, word


def test_the_reference_shows_the_defaults_of_the_processors_settings() -> None:
    [block] = [text for text in blocks(REFERENCE, "yaml") if "retry_for" in text]

    assert ActionSettings.model_validate(yaml.safe_load(block)["actions"]) == ActionSettings()
