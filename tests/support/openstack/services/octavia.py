"""The real Octavia, with a provider that does nothing: statuses are the tests' to settle."""

from pathlib import Path

from tests.support.openstack.service import Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {"log_file": f"{home}/octavia.out", "transport_url": "fake://"},
        "api_settings": {
            "enabled_provider_drivers": "noop_driver:does nothing",
            "default_provider_driver": "noop_driver",
        },
        "controller_worker": {"network_driver": "network_noop_driver"},
        "database": {"connection": f"sqlite:///{home}/octavia.db"},
    }


SERVICE = Service(
    name="octavia",
    application="tests.support.openstack.octavia_application",
    config=_config,
    file="octavia.conf",
    environment={},
    arguments=("--config-file", "{file}"),
    preparation=(
        ("python", "-m", "tests.support.openstack.octavia_tables", "sqlite:///{home}/octavia.db"),
    ),
)
