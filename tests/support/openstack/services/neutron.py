"""The real Neutron: ML2 without any agent, with routers, trunks, QoS policies and segments."""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "log_file": f"{home}/neutron.out",
            "state_path": str(home),
            "api_paste_config": f"{ENVIRONMENT}/etc/neutron/api-paste.ini",
            "core_plugin": "ml2",
            "service_plugins": "router,qos,trunk,segments",
            "transport_url": "fake://",
        },
        "database": {"connection": f"sqlite:///{home}/neutron.db"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
        "ml2": {
            "type_drivers": "flat,vlan,vxlan",
            "tenant_network_types": "vxlan",
            "mechanism_drivers": "openvswitch",
            "extension_drivers": "port_security,qos",
        },
        "ml2_type_flat": {"flat_networks": "*"},
        "ml2_type_vlan": {"network_vlan_ranges": "physnet1:100:199"},
        "ml2_type_vxlan": {"vni_ranges": "1:1000"},
    }


SERVICE = Service(
    name="neutron",
    application="neutron.wsgi.api",
    config=_config,
    file="neutron.conf",
    environment={"OS_NEUTRON_CONFIG_DIR": "{home}", "OS_NEUTRON_CONFIG_FILES": "neutron.conf"},
    preparation=(
        ("python", "-m", "tests.support.openstack.neutron_tables", "sqlite:///{home}/neutron.db"),
    ),
)
