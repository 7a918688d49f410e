"""The kustomizations render, alike here and with kubectl, and leave no file out."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.kustomize import kustomization_of, render

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
ROOTS = ("base", "overlays/simulated", "overlays/example")
HASH = re.compile(r"^((?:osevents|rabbitmq)-(?:config|urls|clouds|transports))-[a-z0-9]{10}$")


def without_hashes(value: Any) -> Any:
    """Return manifests with the names that our own renderer gives."""
    if isinstance(value, dict):
        return {key: without_hashes(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_hashes(one) for one in value]
    return HASH.sub(r"\1", value) if isinstance(value, str) else value


def by_name(manifests: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    found = {(one["kind"], one["metadata"]["name"]): one for one in manifests}
    assert len(found) == len(manifests), "no object is there twice"
    for (kind, _), one in found.items():
        if kind == "Secret":  # kubectl folds long values
            one["data"] = {key: "".join(text.split()) for key, text in one["data"].items()}
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_our_renderer_and_kubectl_agree(root: str) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("there is no kubectl to compare with")
    done = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES / root)], capture_output=True, text=True, check=True
    )

    theirs = without_hashes(list(yaml.safe_load_all(done.stdout)))

    assert by_name(render(KUBERNETES / root)) == by_name(theirs)


def test_every_manifest_is_in_a_kustomization() -> None:
    for place in KUBERNETES.rglob("kustomization.yaml"):
        wanted = kustomization_of(place.parent)
        named = {*wanted.get("resources", ())}
        named |= {patch["path"] for patch in wanted.get("patches", ()) if "path" in patch}
        for generator in (
            *wanted.get("configMapGenerator", ()),
            *wanted.get("secretGenerator", ()),
        ):
            named |= {entry.rpartition("=")[2] for entry in generator.get("files", ())}
        files = {
            str(path.relative_to(place.parent))
            for path in place.parent.rglob("*")
            if path.is_file() and path != place
        }

        assert files == {name for name in named if not name.startswith("..")}, place
