import pytest
from yarl import URL

from shared.openstack.call import Call, microversion_headers, redirected


def test_the_microversions_of_manila_and_ironic_go_by_their_own_headers_too() -> None:
    for service, header in (
        ("baremetal", "X-OpenStack-Ironic-API-Version"),
        ("shared-file-system", "X-OpenStack-Manila-API-Version"),
    ):
        assert microversion_headers(service, "1.72") == {
            "OpenStack-API-Version": f"{service} 1.72",
            header: "1.72",
        }


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/ports", "http://cloud:8774/v2/ports"),
        ("https://elsewhere/v2/ports?limit=1", "http://cloud:8774/v2/ports?limit=1"),
        ("ports?limit=1", "http://cloud:8774/v2/ports?limit=1"),
        (".elsewhere/ports", "http://cloud:8774/v2/.elsewhere/ports"),
        ("//elsewhere/ports", "http://cloud:8774/ports"),
        ("http://[", None),
        ("mailto:operator@cloud", None),
        ("\udcff\udcfe", None),
        (None, None),
    ],
)
def test_a_redirect_is_followed_on_the_host_that_was_asked(
    location: str | None, url: str | None
) -> None:
    call = Call("network", "servers", URL("http://cloud:8774/v2/servers"), {}, follow=True)

    elsewhere = redirected(call, 302, location)

    assert (elsewhere and str(elsewhere.url)) == url
