from shared.openstack.call import microversion_headers


def test_the_microversions_of_manila_and_ironic_go_by_their_own_headers_too() -> None:
    for service, header in (
        ("baremetal", "X-OpenStack-Ironic-API-Version"),
        ("shared-file-system", "X-OpenStack-Manila-API-Version"),
    ):
        assert microversion_headers(service, "1.72") == {
            "OpenStack-API-Version": f"{service} 1.72",
            header: "1.72",
        }
