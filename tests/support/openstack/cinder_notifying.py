"""Makes one notification of a volume by Cinder's own code: for the Python of .deps.

Called with the file of its configuration, the file that the notification goes to, what happened
(`attach.end`) and the volume.
"""

import logging
import sys

from cinder import context, objects, rpc
from cinder.common import config
from cinder.volume import volume_utils


def main(file: str, notifications: str, event: str, volume: str) -> None:
    """Make it."""
    config.CONF(["--config-file", file], project="cinder")
    objects.register_all()
    rpc.init(config.CONF)
    sent = logging.getLogger("oslo.messaging.notification")
    sent.addHandler(logging.FileHandler(notifications))
    sent.setLevel(logging.INFO)
    admin = context.get_admin_context()
    one = objects.Volume.get_by_id(admin, volume)
    volume_utils.notify_about_volume_usage(admin, one, event, host="storage@lvm")


if __name__ == "__main__":
    main(*sys.argv[1:])
