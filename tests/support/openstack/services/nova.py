"""The real Nova API: a cell of servers, one more that tests can take down, and no computes.

Where a server runs and what it is, a test says (`nova_filling`). For what Nova asks of Neutron and
Placement while it shows or deletes a server, a stand-in answers that they hold nothing.
"""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": "fake://",
            "state_path": str(home),
            "log_file": f"{home}/nova.out",
            "host": "controller",
            # No service sends heartbeats here.
            "service_down_time": "1000000",
        },
        "database": {"connection": f"sqlite:///{home}/main.db"},
        "api_database": {"connection": f"sqlite:///{home}/api.db"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
        "notifications": {
            "notification_format": "both",
            "notify_on_state_change": "vm_and_task_state",
        },
        "oslo_messaging_notifications": {"driver": "log"},
    }


SERVICE = Service(
    name="nova",
    application="tests.support.openstack.nova_application",
    config=_config,
    file="nova.conf",
    environment={
        "OS_NOVA_CONFIG_FILES": f"{ENVIRONMENT}/etc/nova/api-paste.ini;{{file}}",
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",
    },
    preparation=(("python", "-m", "tests.support.openstack.nova_databases", "{file}"),),
)
