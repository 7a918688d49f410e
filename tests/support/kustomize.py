"""Renders our own kustomizations, without kubectl: as much of kustomize as they use, no more.

What it does not know it refuses, so that nothing is left out of a test in silence. Where there is a
kubectl, `tests/unit/deploy/test_kustomize.py` holds the two against each other. One thing differs:
generated names have no hash at their end.
"""

import base64
import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

_KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "components", "labels", "images", "patches",
    "configMapGenerator", "secretGenerator",
}  # fmt: skip
_CLUSTER_WIDE = {"Namespace"}


def render(directory: Path) -> list[Manifest]:
    """Return what `kubectl kustomize <directory>` would print."""
    return apply(directory, [])


def documents(path: Path) -> list[Manifest]:
    """Return the documents of one YAML file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one is not None]


def kustomization_of(directory: Path) -> dict[str, Any]:
    """Return a folder's kustomization."""
    [value] = documents(directory / "kustomization.yaml")
    return value


def apply(directory: Path, given: list[Manifest]) -> list[Manifest]:
    """Return `given` with what a kustomization adds to it and does to all of it."""
    wanted = kustomization_of(directory)
    if unknown := set(wanted) - _KNOWN:
        message = f"{directory}: this renderer does not know {sorted(unknown)}"
        raise ValueError(message)
    found = [*given, *_resources(directory, wanted.get("resources", ()))]
    for kind in ("ConfigMap", "Secret"):
        for generator in wanted.get(f"{kind[0].lower()}{kind[1:]}Generator", ()):
            _generate(found, kind, generator, directory)
    for name in wanted.get("components", ()):
        found = apply(directory / name, found)
    for patch in wanted.get("patches", ()):
        _patch(found, patch, directory)
    for labels in wanted.get("labels", ()):
        _label(found, labels)
    for image in wanted.get("images", ()):
        _rename(found, image)
    if "namespace" in wanted:
        _place(found, wanted["namespace"])
    return found


def _resources(directory: Path, names: Iterable[str]) -> Iterator[Manifest]:
    for place in (directory / name for name in names):
        yield from render(place) if place.is_dir() else documents(place)


def _place(found: Iterable[Manifest], namespace: str) -> None:
    for manifest in found:
        if manifest["kind"] not in _CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = namespace


def _generate(
    found: list[Manifest], kind: str, generator: Mapping[str, Any], directory: Path
) -> None:
    data = {}
    for entry in generator.get("files", ()):
        key, equals, name = entry.partition("=")
        data[key if equals else Path(entry).name] = (directory / (name or entry)).read_text()
    data |= dict(literal.split("=", 1) for literal in generator.get("literals", ()))
    if kind == "Secret":
        data = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    named = [
        one for one in found if one["kind"] == kind and one["metadata"]["name"] == generator["name"]
    ]
    if generator.get("behavior", "create") == "replace":
        [replaced] = named
        replaced["data"] = data
        return
    assert not named, f"{kind} {generator['name']} is there already"
    made = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": generator["name"]},
        "data": data,
    }
    found.append(made | ({"type": "Opaque"} if kind == "Secret" else {}))


def _patch(found: list[Manifest], patch: Mapping[str, Any], directory: Path) -> None:
    text = (directory / patch["path"]).read_text() if "path" in patch else patch["patch"]
    targets = list(select(found, patch["target"]))
    assert targets, f"{directory}: nothing is patched by {patch}"
    for target in targets:
        for operation in yaml.safe_load(text):
            _operate(target, operation)


def select(found: Iterable[Manifest], target: Mapping[str, str]) -> Iterator[Manifest]:
    """Yield what a patch is for: kind and name are whole regular expressions."""
    for manifest in found:
        metadata = manifest["metadata"]
        key, _, value = target.get("labelSelector", "").partition("=")
        if (
            re.fullmatch(target.get("kind", ".*"), manifest["kind"])
            and re.fullmatch(target.get("name", ".*"), metadata["name"])
            and (not key or metadata.get("labels", {}).get(key) == value)
        ):
            yield manifest


def _operate(target: Any, operation: Mapping[str, Any]) -> None:
    """Do one operation of a JSON patch (RFC 6902)."""
    *way, last = operation["path"].removeprefix("/").split("/")
    for part in way:
        target = target[int(part)] if isinstance(target, list) else target[part]
    match operation["op"], target:
        case "add", list():
            target.insert(
                len(target) if last == "-" else int(last), copy.deepcopy(operation["value"])
            )
        case "add", dict():
            target[last] = copy.deepcopy(operation["value"])
        case "remove", dict():
            del target[last]
        case op, _:
            message = f"this renderer does not know how to {op} at {operation['path']}"
            raise ValueError(message)


def _label(found: Iterable[Manifest], labels: Mapping[str, Any]) -> None:
    assert not labels.get("includeSelectors"), "selectors are written out"
    for manifest in found:
        places = [manifest]
        if labels.get("includeTemplates") and "template" in manifest.get("spec", {}):
            places.append(manifest["spec"]["template"])
        for place in places:
            metadata = place.setdefault("metadata", {})
            metadata["labels"] = {**metadata.get("labels", {}), **labels["pairs"]}


def _rename(found: Iterable[Manifest], image: Mapping[str, str]) -> None:
    for container in (each for manifest in found for each in containers(manifest)):
        name, _, tag = container["image"].partition(":")
        if name == image["name"]:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the containers of a workload; none of anything else."""
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    return list(pod.get("containers", ()))
