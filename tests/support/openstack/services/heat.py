"""The real Heat: its API, and in the same process its engine, which makes what needs no cloud."""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            # Within one process: the API's calls reach the engine.
            "transport_url": "fake://",
            "log_file": f"{home}/heat.out",
            "host": "controller",
            "auth_encryption_key": "0123456789abcdef0123456789abcdef",
        },
        "paste_deploy": {"api_paste_config": f"{ENVIRONMENT}/etc/heat/api-paste.ini"},
        "database": {"connection": f"sqlite:///{home}/heat.db"},
        "oslo_messaging_notifications": {"driver": "log"},
    }


SERVICE = Service(
    name="heat",
    application="tests.support.openstack.heat_application",
    config=_config,
    file="heat.conf",
    environment={},
    arguments=("--config-file", "{file}"),
    preparation=(("heat-manage", "--config-file", "{file}", "db_sync"),),
)
