"""OpenStack's own way to name a RabbitMQ: oslo.messaging's `transport_url`.

`rabbit://user:password@host:port[,user:password@host:port...]/vhost?option=value`. Operators copy
it from nova.conf, so everything oslo.messaging accepts there is accepted here. Parsing is pure;
only `Transport.address` touches files, those that the TLS options name.

Source of the rules: oslo_messaging/transport.py (TransportURL.parse) and
oslo_messaging/_drivers/impl_rabbit.py (the options). An option that is in neither is an error: a
typing error in `ssl_ca_file` would switch the check of certificates off without a word.
"""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from yarl import URL

from shared.amqp.address import PORTS, Address
from shared.secret import mask

_SCHEMES = ("rabbit", "kombu", "amqp", "amqps")
"""`kombu` is oslo.messaging's alias of `rabbit`; the other two are RabbitMQ's own spelling."""
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
_HOST_AND_PORT = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]\s]+))(:(?P<port>\d*))?")
_LOGINS = ("PLAIN", "AMQPLAIN", "EXTERNAL")
HEEDED = frozenset(
    (
        "heartbeat_timeout_threshold", "rabbit_login_method", "ssl", "ssl_ca_file",
        "ssl_cert_file", "ssl_enforce_hostname_verification", "ssl_key_file",
    )
)  # fmt: skip
"""Options that say something to us."""
MEANINGLESS = frozenset(
    (
        "amqp_auto_delete", "amqp_durable_queues", "conn_pool_min_size", "conn_pool_ttl",
        "direct_mandatory_flag", "enable_cancel_on_failover", "heartbeat_in_pthread",
        "heartbeat_rate", "hostname", "kombu_compression", "kombu_failover_strategy",
        "kombu_missing_consumer_retry_timeout", "kombu_reconnect_delay", "kombu_reconnect_splay",
        "processname", "rabbit_ha_queues", "rabbit_interval_max", "rabbit_qos_prefetch_count",
        "rabbit_quorum_delivery_limit", "rabbit_quorum_max_memory_bytes",
        "rabbit_quorum_max_memory_length", "rabbit_quorum_queue", "rabbit_retry_backoff",
        "rabbit_retry_interval", "rabbit_stream_fanout", "rabbit_transient_queues_ttl",
        "rabbit_transient_quorum_queue", "rpc_conn_pool_size", "ssl_enforce_fips_mode",
        "ssl_version", "use_queue_manager",
    )
)  # fmt: skip
"""Options of publishers, of RPC and of oslo's own reconnecting: accepted, without effect here."""
_OLD_NAMES = {
    "kombu_ssl_ca_certs": "ssl_ca_file",
    "kombu_ssl_certfile": "ssl_cert_file",
    "kombu_ssl_keyfile": "ssl_key_file",
    "kombu_ssl_version": "ssl_version",
    "rabbit_use_ssl": "ssl",
}
"""As they were called until Pike."""
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Host:
    """One broker of a cluster."""

    name: str
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TLS:
    """How to be sure of the broker, and it of us."""

    ca_file: Path | None = None
    """Absent: the broker's certificate is not checked, as oslo.messaging does it."""
    certificate_file: Path | None = None
    key_file: Path | None = None
    check_host_name: bool = True
    """Only where there is a `ca_file`."""

    def context(self) -> ssl.SSLContext:
        """Return these options as the driver wants them; OSError when a file cannot be used."""
        if self.ca_file is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.check_hostname = self.check_host_name
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context


@dataclass(frozen=True, slots=True)
class Transport:
    """One broker or cluster and the virtual host in it."""

    hosts: tuple[Host, ...]
    virtual_host: str
    tls: TLS | None = None
    heartbeat_seconds: int | None = None
    """None: ours, also for oslo.messaging's 0 (none at all): a half-open socket must show."""
    external: bool = False
    """Log in by the client certificate alone (`rabbit_login_method=EXTERNAL`)."""

    def __str__(self) -> str:
        """Return the first host and the virtual host, which tell transports apart."""
        first = self.hosts[0]
        return f"{first.name}:{first.port}/{self.virtual_host.removeprefix('/')}"

    def address(self) -> Address:
        """Return where `shared.amqp` connects to; OSError when a TLS file cannot be used."""
        query = {"heartbeat": str(self.heartbeat_seconds)} if self.heartbeat_seconds else {}
        if self.external:
            query["auth"] = "external"
        urls = tuple(
            URL.build(
                scheme="amqp" if self.tls is None else "amqps",
                user=host.user,
                password=host.password,
                host=host.name,
                port=host.port,
                path=f"/{self.virtual_host}",
                query=query,
            )
            for host in self.hosts
        )
        return Address(urls, None if self.tls is None else self.tls.context())


def parse_transport_url(text: str) -> Transport:
    """Return what `text` names; ValueError says what is wrong with it, without its passwords."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ValueError("it has no scheme; write rabbit://user:password@host:5672/vhost")
    if scheme not in _SCHEMES:
        raise ValueError(f"the driver {scheme!r} is not supported; rabbit:// is")
    rest, _, query = rest.partition("?")
    hosts, _, virtual_host = rest.partition("/")
    options = _options(query)
    tls = _tls(options, wanted=scheme == "amqps")
    return Transport(
        hosts=_hosts(hosts, PORTS["amqp" if tls is None else "amqps"], shown=mask(text)),
        # Nothing after the slash is the broker's default, which RabbitMQ calls "/".
        virtual_host=unquote(virtual_host) or "/",
        tls=tls,
        heartbeat_seconds=_seconds(options, "heartbeat_timeout_threshold"),
        external=_login(options) == "EXTERNAL",
    )


def _options(query: str) -> dict[str, str]:
    """Return the options by their present names; ValueError when one is unknown."""
    options = {
        _OLD_NAMES.get(name, name): value
        for name, value in parse_qsl(query, keep_blank_values=True)
    }
    unknown = sorted(set(options) - HEEDED - MEANINGLESS)
    if unknown:
        raise ValueError(
            f"unknown option {', '.join(unknown)}; heeded: {', '.join(sorted(HEEDED))};"
            f" accepted without effect: {', '.join(sorted(MEANINGLESS))}"
        )
    return options


def _login(options: dict[str, str]) -> str:
    """Return how to log in; PLAIN does for AMQPLAIN: the same two words in another frame."""
    method = options.get("rabbit_login_method", "PLAIN").upper()
    if method not in _LOGINS:
        raise ValueError(f"rabbit_login_method={method} is not supported; {', '.join(_LOGINS)} are")
    return method


def _hosts(text: str, default_port: int, *, shown: str) -> tuple[Host, ...]:
    """Return the hosts; one without credentials takes those of the host before it.

    oslo.messaging demands them for all hosts or none; the short form is unmistakable and common.
    """
    hosts: list[Host] = []
    user, password = "guest", "guest"
    for entry in text.split(","):
        credentials, at, place = entry.rpartition("@")
        if at:
            user, _, password = (unquote(part) for part in credentials.partition(":"))
        found = _HOST_AND_PORT.fullmatch(place)
        if found is None:
            raise ValueError(
                f"{shown} has a host that cannot be read; percent-encode special characters in"
                " user and password (@ is %40, / is %2F, : is %3A, a comma is %2C)"
                if place
                else f"{shown} names no host; write rabbit://user:password@host:5672/vhost"
            )
        port = int(found["port"] or default_port)
        if not 0 < port <= _LAST_PORT:
            raise ValueError(f"{shown}: {port} is no port; ports go from 1 to {_LAST_PORT}")
        hosts.append(Host(found["v6"] or unquote(found["name"]), port, user, password))
    return tuple(hosts)


def _tls(options: dict[str, str], *, wanted: bool) -> TLS | None:
    if not _truth(options, "ssl", default=wanted):
        return None

    def path(name: str) -> Path | None:
        return Path(options[name]) if options.get(name) else None

    return TLS(
        ca_file=path("ssl_ca_file"),
        certificate_file=path("ssl_cert_file"),
        key_file=path("ssl_key_file"),
        check_host_name=_truth(options, "ssl_enforce_hostname_verification", default=True),
    )


def _truth(options: dict[str, str], name: str, *, default: bool) -> bool:
    """Read a boolean as oslo.config does."""
    value = options.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ValueError(f"the option {name}={value} is neither true nor false")


def _seconds(options: dict[str, str], name: str) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not value.isdecimal():
        raise ValueError(f"the option {name}={value} is no whole number of seconds")
    return int(value)
