"""oslo.messaging's transport_url is read as oslo.messaging reads it."""

import importlib.util
import re
from pathlib import Path

import pytest

from shared.amqp.transport_url import HEEDED, MEANINGLESS, TLS, Host, Transport, parse_transport_url

_GUEST = ("guest", "guest")


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("rabbit://a:b@one:5673/", [Host("one", 5673, "a", "b")]),
        ("rabbit://a:b@one/", [Host("one", 5672, "a", "b")]),
        ("kombu://a:b@one/", [Host("one", 5672, "a", "b")]),
        ("amqp://a:b@one", [Host("one", 5672, "a", "b")]),
        ("rabbit://one:5672/", [Host("one", 5672, *_GUEST)]),
        ("rabbit://a:b@one,c:d@two:1/", [Host("one", 5672, "a", "b"), Host("two", 1, "c", "d")]),
        ("rabbit://a:b@one:1,two:2/", [Host("one", 1, "a", "b"), Host("two", 2, "a", "b")]),
        ("rabbit://a%40x:b%2F%3A%2C@one/", [Host("one", 5672, "a@x", "b/:,")]),
        ("rabbit://a:b@[fd00::1]:5673/", [Host("fd00::1", 5673, "a", "b")]),
        ("rabbit://a:b@[fd00::1]/", [Host("fd00::1", 5672, "a", "b")]),
        ("rabbit://a:b@one/?ssl=1", [Host("one", 5671, "a", "b")]),
    ],
)
def test_hosts_and_credentials_are_read(url: str, hosts: list[Host]) -> None:
    assert list(parse_transport_url(url).hosts) == hosts


@pytest.mark.parametrize(
    ("path", "virtual_host"),
    [("", "/"), ("/", "/"), ("//", "/"), ("/%2F", "/"), ("/nova", "nova"), ("/a%20b", "a b")],
)
def test_the_virtual_host_is_what_follows_the_first_slash(path: str, virtual_host: str) -> None:
    assert parse_transport_url(f"rabbit://a:b@one:5672{path}").virtual_host == virtual_host


@pytest.mark.parametrize(
    ("query", "tls"),
    [
        ("", None),
        ("?ssl=0", None),
        ("?ssl_ca_file=/ca.pem", None),
        ("?ssl=1", TLS()),
        ("?ssl=True&ssl_version=TLSv1_2", TLS()),
        ("?ssl=1&ssl_ca_file=/ca.pem", TLS(ca_file=Path("/ca.pem"))),
        (
            "?ssl=1&ssl_ca_file=/a&ssl_enforce_hostname_verification=false",
            TLS(ca_file=Path("/a"), check_host_name=False),
        ),
        (
            "?ssl=1&ssl_cert_file=/c&ssl_key_file=/k",
            TLS(certificate_file=Path("/c"), key_file=Path("/k")),
        ),
    ],
)
def test_tls_is_an_option_of_the_query(query: str, tls: TLS | None) -> None:
    assert parse_transport_url(f"rabbit://a:b@one/v{query}").tls == tls


def test_options_that_are_not_ours_are_passed_over() -> None:
    url = "rabbit://a:b@one/v?heartbeat_timeout_threshold=30&rabbit_qos_prefetch_count=10"
    hosts = (Host("one", 5672, "a", "b"),)
    assert parse_transport_url(url) == Transport(hosts, "v", None, heartbeat_seconds=30)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("one:5672", "it has no scheme; write rabbit://"),
        ("kafka://one:9092/", "the driver 'kafka' is not supported"),
        ("fake://", "the driver 'fake' is not supported"),
        ("rabbit:///nova", "names no host"),
        ("rabbit://a:b@one,/nova", "names no host"),
        ("rabbit://a:b/c@one/nova", "percent-encode"),
        ("rabbit://a:b@one:70000/", "70000 is no port"),
        ("rabbit://a:b@one:0/", "0 is no port"),
        ("rabbit://a:b@one/?ssl_cafile=/x", "unknown option ssl_cafile; heeded: heartbeat_timeout"),
        ("rabbit://a:b@one/?rabbit_login_method=GSSAPI", "GSSAPI is not supported; PLAIN,"),
        ("rabbit://a:b@one/?ssl=perhaps", "ssl=perhaps is neither true nor false"),
        ("rabbit://a:b@one/?heartbeat_timeout_threshold=x", "no whole number of seconds"),
    ],
)
def test_a_complaint_says_what_is_wrong(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_transport_url(url)


@pytest.mark.parametrize("url", ["rabbit://a:hush@/v", "rabbit://a:hush@one:0/", "rabbit://a:hush"])
def test_a_complaint_shows_no_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^((?!hush).)+$"):
        parse_transport_url(url)


def test_the_driver_is_given_one_url_for_each_host_with_everything_encoded() -> None:
    address = parse_transport_url(
        "rabbit://a:b%2F@one,two/?heartbeat_timeout_threshold=9"
    ).address()
    assert [str(url) for url in address.urls] == [
        "amqp://a:b%2F@one:5672//?heartbeat=9",
        "amqp://a:b%2F@two:5672//?heartbeat=9",
    ]
    assert address.tls is None


def test_without_a_ca_file_the_certificate_is_not_checked_as_in_oslo() -> None:
    address = parse_transport_url("rabbit://a:b@one/v?ssl=1").address()
    assert str(address.urls[0]) == "amqps://a:b@one:5671/v"
    assert address.tls is not None
    assert not address.tls.check_hostname


def test_the_login_is_plain_unless_the_certificate_says_who_we_are() -> None:
    def query(method: str) -> str:
        url = f"rabbit://a:b@one/v?rabbit_login_method={method}"
        return parse_transport_url(url).address().urls[0].query_string

    assert [query(method) for method in ("PLAIN", "AMQPLAIN", "external")] == [
        "",
        "",
        "auth=external",
    ]


def test_a_heartbeat_of_zero_is_ours() -> None:
    address = parse_transport_url("rabbit://a:b@one/?heartbeat_timeout_threshold=0").address()
    assert "heartbeat" not in address.urls[0].query


def test_options_of_before_pike_are_understood() -> None:
    old = "rabbit://a:b@one/v?rabbit_use_ssl=1&kombu_ssl_ca_certs=/ca.pem"
    assert parse_transport_url(old).tls == TLS(ca_file=Path("/ca.pem"))


def test_every_option_of_the_installed_oslo_messaging_is_known() -> None:
    package = importlib.util.find_spec("oslo_messaging")
    assert package is not None
    assert package.origin is not None
    drivers = Path(package.origin).parent / "_drivers"  # read, not imported: it warns of eventlet
    names: set[str] = set()
    for name in ("amqp.py", "impl_rabbit.py", "pool.py"):
        names |= set(re.findall(r"cfg\.\w+Opt\(\s*'(\w+)'", (drivers / name).read_text()))

    assert "rabbit_quorum_queue" in names
    assert names <= HEEDED | MEANINGLESS
