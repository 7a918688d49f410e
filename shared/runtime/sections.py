"""The sections of the configuration file: every setting with its type, unit, default and reason.

Only shape and single values are checked here; where a value stood in the file, and how to say so,
is `shared.runtime.settings`'s business.
"""

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from shared.runtime.values import (
    Binding,
    BusURL,
    DatabaseURL,
    Duration,
    History,
    Pattern,
    Port,
    PositiveDuration,
    Size,
    TransportURL,
)

Count = Annotated[int, Field(gt=0)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]

Strings = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]
"""Several texts, or one that stands alone."""

DEFAULT_PORTS = {"up": 8700, "catcher": 8701, "processor": 8702, "refresher": 8703}
"""Different ones, so that all services can run side by side on one machine."""


class Section(BaseModel):
    """Frozen; a key it does not know is an error, because it is a typing error."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class DatabaseSettings(Section):
    """PostgreSQL, the only state osevents has."""

    url: DatabaseURL | None = None
    """Absent with `osevents up`: an embedded PostgreSQL under --data."""
    connections: Count = 8
    """Of one process at most; PostgreSQL's own limit is 100 by default, for all copies together."""


class BusSettings(Section):
    """RabbitMQ, where the services meet."""

    url: BusURL | None = None
    """Absent with `osevents up`: a bus within the process."""


class AMQPSettings(Section):
    """How the notifications are taken from OpenStack's own RabbitMQ."""

    transports: tuple[TransportURL, ...] = ()
    """One for each broker or vhost: cells and per-service vhosts have their own."""
    exchanges: Names = (
        "nova", "neutron", "cinder", "openstack", "glance", "keystone", "heat", "ironic",
        "octavia", "manila", "designate", "dns", "magnum", "trove", "swift", "aodh", "watcher",
        "masakari", "sahara", "ceilometer",
    )  # fmt: skip
    """The `control_exchange` of every service; those that do not exist (yet) are passed over."""
    topics: Names = ("notifications", "versioned_notifications", "ironic_versioned_notifications")
    """The services' `[oslo_messaging_notifications] topics`."""
    priorities: Names = ("info", "warn", "error", "critical", "audit")
    """`debug` and `sample` are left to those who meter."""
    queue: str | None = None
    """The name of our own queue; `osevents.<cloud>` when absent."""
    queue_length: Count = 500_000
    """Messages that may wait while we are away; then the oldest go, and a full pass repairs."""
    queue_bytes: Count | None = None
    """The same limit in bytes, for brokers with little disk; absent: only the length counts."""
    queue_ttl: PositiveDuration | None = None
    """The broker drops messages that waited longer; absent: only length, bytes and expiry count."""
    queue_type: Literal["classic", "quorum"] = "classic"
    """quorum: survives the loss of a node of the cluster, for three times the disk."""
    queue_expires: PositiveDuration = timedelta(days=7)
    """The broker removes our queue when nobody read it for so long."""
    bindings: tuple[Binding, ...] = (("ceilometer", "event.sample"),)
    """Further `<exchange>/<routing key>`; the default is where Ceilometer's `notifier://` sends."""
    fail_back_interval: PositiveDuration = timedelta(seconds=60)
    """How often to look, while at a host that is not the first, whether the first is well again."""
    rebind_interval: PositiveDuration = timedelta(seconds=30)
    """How soon an exchange that appears later is noticed; one round trip for each exchange."""
    prefetch: Count = 2000
    """Messages under way to one copy; two batches keep it busy while one is confirmed."""


class WebhookSettings(Section):
    """Where and how Ceilometer posts the cloud's events (`source: webhook`)."""

    path: Annotated[str, Field(pattern=r"^/[^?# ]*$")] | None = None
    """Behind the listener's address; `/<cloud>` when absent."""
    user: str | None = None
    """With the password: HTTP Basic, as in the publisher's URL."""
    password: SecretStr | None = None
    """Absent: a client certificate is wanted, see `webhook.client_ca`."""


class FilterSettings(Section):
    """Which event types of the cloud are not wanted; what is dropped is counted, never silent.

    `*` stands for any characters, dots too. Errors, refused logins included, are never dropped, and
    neither is what alone tells of a change unless it is named without a `*`; see
    `services.catcher.filters`.
    """

    drop: tuple[Pattern, ...] = (
        "identity.authenticate", "scheduler.*", "*.exists", "capacity.*", "image.send",
        "objectstore.http.request", "audit.http.*",
    )  # fmt: skip
    """Floods that change nothing: logins, audits, statistics, one for every HTTP request."""
    keep: tuple[Pattern, ...] = ()
    """Wanted although a pattern of `drop` matches."""


class RefreshSettings(Section):
    """How the inventory is kept fresh, and how much OpenStack's APIs are asked for it."""

    full_pass_interval: PositiveDuration = timedelta(hours=6)
    """Between two listings of everything, the repair of what events missed."""
    merge_window: Duration = timedelta(milliseconds=250)
    """Events about one object within it cost one read; what must be read comes as much later.
    Short, since what is ready goes along with others at no call of its own."""
    batch_window: Duration = timedelta(seconds=2)
    """How much longer a read may wait for others of its kind, to be one API call with them. So
    long that rows are still right within three seconds of their event."""
    create_delay: Duration = timedelta()
    """Wait before reading a new object: what is deleted within it is never read at all."""
    concurrency: Count = 8
    """Reads at once, for each service of the cloud."""
    calls_per_second: Annotated[float, Field(gt=0)] | None = None
    """Of each service of the cloud at most; absent: as fast as it answers."""
    history: bool = False
    """Whether loaded history asks for refreshes, too; the first full pass has seen it all."""
    synthetic: bool = False
    """Whether events that `osevents publish` made are believed: for a cloud of your own to test."""
    sees_all_projects: bool = False
    """Whether the credentials are shown the objects of all projects although they lack the role
    admin. Without either, a 404 deletes only what belongs to their own project."""
    breaker_failures: Count = 10
    """Failures of a service in a row, retries included, that have it left alone for a while."""
    breaker_pause: PositiveDuration = timedelta(seconds=5)
    """For how long at first; each failed look at it doubles the pause, up to a minute."""
    second_look: PositiveDuration = timedelta(seconds=5)
    """When to read again what agents change without an event, such as the status of a new port."""


def _usable_in_routing_keys(name: str) -> str:
    if not name or any(letter in ".*#" or letter.isspace() for letter in name):
        raise ValueError(
            f"{name!r} cannot name a cloud: it is the first word of routing keys, which ends at a"
            " dot; use letters, digits, - and _"
        )
    return name


class CloudSettings(Section):
    """One OpenStack deployment and region."""

    name: Annotated[str, AfterValidator(_usable_in_routing_keys)]
    """Its entry in clouds.yaml, which openstacksdk finds; also its name everywhere in osevents."""
    source: Literal["auto", "amqp", "panko", "ceilometer", "webhook"] = "auto"
    """Where its notifications come from; auto: the best that works, see `choose-a-source`."""
    history: History = "all"
    """What to load of what the Events API held at the first start: skip, all, since an ISO time."""
    poll_interval: PositiveDuration = timedelta(seconds=20)
    """Between two questions to an Events API; down to 1 s while there is much to read."""
    amqp: AMQPSettings = AMQPSettings()
    webhook: WebhookSettings = WebhookSettings()
    filters: FilterSettings = FilterSettings()
    refresh: RefreshSettings = RefreshSettings()

    @property
    def queue_name(self) -> str:
        """The name of our queue on the cloud's broker."""
        return self.amqp.queue or f"osevents.{self.name}"

    @property
    def webhook_path(self) -> str:
        """The path that Ceilometer posts to."""
        return self.webhook.path or f"/{self.name}"


class OwnSettings(Section):
    """How to tell what we caused ourselves: rules do not fire on it, or they could go round."""

    users: Strings = ()
    """Ids of the OpenStack users that our actions, and what they start, act as."""
    requests: Strings = ()
    """Request ids that they send; `*` is any text."""


def _networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            ip_network(text)
        except ValueError as error:
            raise ValueError(f"{error}; write for example 10.0.0.0/8") from error
    return texts


class ActionSettings(Section):
    """How the actions of rules are run; what they do stands in the rules."""

    retry_for: PositiveDuration = timedelta(hours=24)
    """For how long a failing action is tried; then it is a dead letter."""
    retry_first: PositiveDuration = timedelta(seconds=5)
    """At most so long after the first failure; each further wait is up to three times longer."""
    retry_longest: PositiveDuration = timedelta(hours=4)
    """Between two tries, at most."""
    at_once: Count = 100
    """Actions in hand in one copy of the processor."""
    per_receiver: Count = 8
    """Of them for one receiver; one that failed three times in a row gets one, until it works."""
    allow_networks: Annotated[tuple[str, ...], AfterValidator(_networks)] = ()
    """Private networks that webhooks may reach without `allow_private` in the rule."""


class RetentionSettings(Section):
    """How long rows are kept; whole partitions are dropped after that."""

    events: PositiveDuration = timedelta(days=180)
    """The timeline."""
    changes: PositiveDuration = timedelta(days=90)
    """The inventory's history and its tombstones: a large cloud's objects change far more often
    than anybody looks back."""
    categories: dict[str, PositiveDuration] = Field(default_factory=dict)
    """Of one category less than of the rest, as in `network: 30d`: a few make most of the rows."""
    size: Size | None = None
    """Of the timeline on disk, as in 50GB; above it the oldest weeks go. Absent: no limit."""


class HTTPSettings(Section):
    """Where /healthz, /readyz and /metrics are served."""

    host: str = "127.0.0.1"
    """Loopback, because it is served without a password; containers set 0.0.0.0."""
    port: Port = "auto"
    """auto: 8700 `up`, 8701 catcher, 8702 processor, 8703 refresher; 0: a free one; off: none."""

    def port_of(self, service: str) -> int | None:
        """Return the port for `service` (0: any free one), None when it shall serve nothing."""
        if self.port == "off":
            return None
        return DEFAULT_PORTS.get(service, 0) if self.port == "auto" else self.port


class ListenerSettings(Section):
    """The HTTP listener that Ceilometer posts to, for all clouds with `source: webhook`."""

    host: str = "127.0.0.1"
    """Loopback until told otherwise: who can reach it can try passwords."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8704
    """0 takes a free one."""
    certificate: str | None = None
    """A PEM file with the server's certificate and chain: HTTPS. Absent: plain HTTP."""
    key: str | None = None
    """A PEM file with its key; absent: the key is in the same file."""
    client_ca: str | None = None
    """A PEM file: client certificates issued by this authority may post."""
    body_bytes: Count = 16 * 2**20
    """Of one request; a batch of Ceilometer's has some hundred kilobytes at most."""
    room_bytes: Count = 64 * 2**20
    """Of a cloud's requests that the bus has not confirmed; then 503, and a gap."""
    requests: Count = 64
    """At once, of all clouds; a notification agent has a few workers."""
    answer_within: PositiveDuration = timedelta(seconds=4)
    """Ceilometer gives up after 5 s; what the bus has not confirmed by then is answered 503."""


class LogSettings(Section):
    """What goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """At info only changes of state are told."""
    format: Literal["console", "json"] = "console"
    """json: one object a line, for machines."""
