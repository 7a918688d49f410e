"""What users do to images. Glance sends no context: neither user nor request."""

from services.simulator.notification import Deed, Json, Notification, Operation, Pause
from services.simulator.objects import Image
from services.simulator.payloads.glance import PUBLISHER, image_payload
from services.simulator.world import World

EXCHANGE = "glance"


def make_image(world: World, project_id: str, name: str, *, public: bool = False) -> Image:
    """Add an image that has no data yet; says nothing."""
    return world.images.add(
        Image(
            id=world.uuid(),
            number=world.number("images"),
            name=name,
            project_id=project_id,
            created_at=world.now,
            updated_at=world.now,
            visibility="public" if public else "shared",
        )
    )


def fill(world: World, image: Image) -> None:
    """Give an image its data; says nothing."""
    image.size_bytes = world.random.randrange(10_000_000, 2_000_000_000)
    image.checksum = world.hex_id()


def create_image(world: World, project_id: str, name: str) -> Deed[Image]:
    """Create and upload an image.

    At `image.upload` and `image.activate` the payload says `active` and the API still `saving`;
    only the `image.update` that follows is safe.
    """
    image = make_image(world, project_id, name)
    yield _say(world, "create", image_payload(image))
    yield Pause(0.1)
    image.status = "saving"
    stores: Json = {"os_glance_importing_to_stores": [], "os_glance_failed_import": []}
    prepare = image_payload(image) | stores | {"backend": "ceph"}
    yield _say(world, "prepare", prepare)
    yield Pause(0.4)
    fill(world, image)
    upload = image_payload(image, status="active") | stores | {"backend": "ceph"}
    yield _say(world, "upload", upload)
    yield _say(world, "activate", image_payload(image, status="active"))
    yield Pause(0.2)
    image.status = "active"
    image.updated_at = world.now
    yield _say(world, "update", image_payload(image))
    return image


def rename_image(world: World, image: Image, name: str) -> Operation:
    """Give an image another name."""
    image.name, image.updated_at = name, world.now
    yield _say(world, "update", image_payload(image))


def delete_image(world: World, image: Image) -> Operation:
    """Delete an image; v2 never shows it again."""
    world.images.remove(image.id)
    image.status, image.deleted_at = "deleted", world.now
    image.updated_at = world.now
    yield _say(world, "delete", image_payload(image))


def _say(world: World, action: str, payload: Json) -> Notification:
    return world.notification(EXCHANGE, PUBLISHER, f"image.{action}", payload, {})
