"""Which images the manifests and the compose file name."""

import tomllib
from pathlib import Path

import yaml

from tests.support.kustomize import containers, render

ROOT = Path(__file__).parents[3]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
OFFICIAL = {"rabbitmq", "postgres"}


def images() -> set[str]:
    """Return every image that we name."""
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    found = {one["image"] for one in compose["services"].values()}
    for root in ("base", "overlays/simulated", "overlays/example"):
        for manifest in render(ROOT / "deploy" / "kubernetes" / root):
            found |= {container["image"] for container in containers(manifest)}
    return found


def test_every_image_of_ours_is_that_of_this_version() -> None:
    ours = {image.rpartition("/")[2] for image in images() if "osevents:" in image}

    assert ours == {f"osevents:{VERSION}"}


def test_no_image_comes_from_a_place_that_we_chose_for_others() -> None:
    hosts = {image.rpartition("/")[0] for image in images()}
    names = {image.rpartition("/")[2].partition(":")[0] for image in images()}

    assert hosts == {"", "registry.example.org"}
    assert names == {"osevents", *OFFICIAL}
