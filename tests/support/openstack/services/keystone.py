"""The real Keystone: an administrator `admin` in project `admin`."""

import os
from pathlib import Path

from tests.support.openstack.service import Sections, Service


def _config(home: Path) -> Sections:
    keys = {"key_repository": f"{home}/keys"}
    return {
        "DEFAULT": {"log_file": f"{home}/keystone.out"},
        "database": {"connection": f"sqlite:///{home}/keystone.db"},
        "fernet_tokens": keys,
        "fernet_receipts": keys,
        "credential": keys,
        # Without one, Keystone reads a token's roles from the database four times a request.
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
    }


_MANAGE = ("keystone-manage", "--config-file", "{file}")
_OWNER = ("--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
_BOOTSTRAP = ("--bootstrap-password", "secret", "--bootstrap-region-id", "RegionOne")

SERVICE = Service(
    name="keystone",
    application="keystone.wsgi.api",
    config=_config,
    file="keystone.conf",
    environment={"OS_KEYSTONE_CONFIG_DIR": "{home}"},
    preparation=(
        (*_MANAGE, "db_sync"),
        (*_MANAGE, "fernet_setup", *_OWNER),
        (*_MANAGE, "bootstrap", *_BOOTSTRAP),
    ),
)
