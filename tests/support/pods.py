"""What a pod of a rendered manifest gives its process: arguments, environment, files."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.dockerfile import environment_of_the_image
from tests.support.kustomize import Manifest, containers

IMAGE = "osevents"


@dataclass(frozen=True, slots=True)
class Process:
    """One container of our image, as its process sees the world."""

    workload: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    """The image's own variables too, as far as they are ours."""
    files: dict[str, str]
    """Texts by absolute path, from ConfigMaps and Secrets."""
    container: dict[str, Any]
    pod: dict[str, Any]

    def below(self, directory: Path) -> "Process":
        """Return the same with its files written below `directory`, and every path led there."""
        moved = {}
        for path, text in self.files.items():
            there = directory / path.removeprefix("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_text(text)
            moved[path] = str(there)
        return replace(
            self,
            arguments=tuple(moved.get(each, each) for each in self.arguments),
            environment={name: moved.get(value, value) for name, value in self.environment.items()},
            files={moved[path]: text for path, text in self.files.items()},
        )


def processes(manifests: Sequence[Manifest]) -> Iterator[Process]:
    """Yield every process of our image in `manifests`."""
    for manifest in manifests:
        for container in containers(manifest):
            name = container["image"].rpartition(":")[0].rpartition("/")[2]
            if name == IMAGE:
                pod = manifest["spec"]["template"]["spec"]
                yield Process(
                    manifest["metadata"]["name"],
                    tuple(container["args"]),
                    environment_of_the_image()
                    | {one["name"]: one["value"] for one in container.get("env", ())},
                    dict(_files(container, pod, manifests)),
                    container,
                    pod,
                )


def _files(
    container: dict[str, Any], pod: dict[str, Any], manifests: Sequence[Manifest]
) -> Iterator[tuple[str, str]]:
    volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
    for mount in container.get("volumeMounts", ()):
        volume = volumes[mount["name"]]
        for key, text in _texts(volume, manifests).items():
            yield f"{mount['mountPath']}/{key}", text


def _texts(volume: dict[str, Any], manifests: Sequence[Manifest]) -> dict[str, str]:
    """Return what a volume holds, by file; only Secrets that `manifests` bring can be known."""
    if "configMap" in volume:
        [data] = _data(manifests, "ConfigMap", volume["configMap"]["name"])
        return data
    if "secret" not in volume:
        return {}
    found = _data(manifests, "Secret", volume["secret"]["secretName"])
    texts = {key: base64.b64decode(text).decode() for data in found for key, text in data.items()}
    items = volume["secret"].get("items")
    if items is None or not texts:
        return texts
    return {item["path"]: texts[item["key"]] for item in items}


def _data(manifests: Sequence[Manifest], kind: str, name: str) -> list[dict[str, str]]:
    return [
        one["data"] for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name
    ]
