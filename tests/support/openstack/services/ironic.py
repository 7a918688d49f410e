"""The real Ironic API without any conductor: what they would enrol, `ironic_application` does."""

from pathlib import Path

from tests.support.openstack.service import Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": "fake://",
            "log_file": f"{home}/ironic.out",
            "host": "controller",
            "auth_strategy": "keystone",
        },
        "database": {"connection": f"sqlite:///{home}/ironic.db"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
    }


SERVICE = Service(
    name="ironic",
    application="tests.support.openstack.ironic_application",
    config=_config,
    file="ironic.conf",
    environment={},
    arguments=("--config-file", "{file}"),
    preparation=(("ironic-dbsync", "--config-file", "{file}", "create_schema"),),
)
