"""The `simulator:` section of the configuration: which cloud, and how it misbehaves."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.simulator.api.event_release import EventRelease

Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Service = Literal[
    "identity",
    "compute",
    "network",
    "volume",
    "image",
    "event",
    "orchestration",
    "baremetal",
    "load-balancer",
    "share",
    "object-store",
]
CLASSIC: tuple[Service, ...] = (
    "identity",
    "compute",
    "network",
    "volume",
    "image",
    "event",
    "orchestration",
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class APIMisbehaviour(_Section):
    """How one service's API misbehaves."""

    delay: Seconds = 0
    """Every answer waits this long, in seconds."""
    failing: Probability = 0
    """The share of requests that fail."""
    status: Literal[429, 500, 502, 503] = 503
    """With which status they fail."""
    retry_after: int | None = Field(default=None, ge=0)
    """The Retry-After header of those answers, in seconds; absent by default."""


class NotificationMisbehaviour(_Section):
    """How the way from the services to the consumers misbehaves."""

    lost: Probability = 0
    """The share of notifications that never arrive: oslo.messaging is at-most-once."""
    duplicated: Probability = 0
    """The share that arrives twice, byte for byte."""
    late: Probability = 0
    """The share that arrives `late_by` late."""
    late_by: Seconds = 5
    """How late, in seconds."""
    reordered: Probability = 0
    """The share that arrives after the one sent next."""


class EventMisbehaviour(_Section):
    """How Panko misbehaves: an event recorded late appears before a poller's cursor."""

    recorded_late: Probability = 0
    """The share of events that is recorded `late_by` late."""
    late_by: Seconds = 5
    """How late, in seconds."""


class Misbehaviour(_Section):
    """Everything that can go wrong on purpose; nothing does by default."""

    apis: dict[Service, APIMisbehaviour] = Field(default_factory=dict)
    notifications: NotificationMisbehaviour = NotificationMisbehaviour()
    events: EventMisbehaviour = EventMisbehaviour()


class SimulatorSettings(_Section):
    """A simulated cloud."""

    host: str = "127.0.0.1"
    """Where all APIs listen."""
    port: int = Field(default=0, ge=0, le=65535)
    """One port for all APIs, told apart by the path; 0 takes a free one."""
    seed: int | None = None
    """The same seed gives the same ids and the same life; absent: no two clouds are alike."""
    services: tuple[Service, ...] = CLASSIC
    """Which services the cloud has; identity, compute, network, volume and image always, since life
    needs them. Without `event` there is no Panko."""
    servers: int = Field(default=50, ge=0, le=200_000)
    """Servers to begin with; everything else is in proportion. A cloud that goes on has its own."""
    ports_per_server: int = Field(default=1, ge=0, le=16)
    """Ports that each of those servers has."""
    volumes_per_server: float = Field(default=0.4, ge=0, le=16)
    """Volumes that each of them has, on average."""
    rate: float = Field(default=2, ge=0)
    """Operations per second (boot a server, attach a volume, ...); 0 is a cloud at rest."""
    pace: float = Field(default=1, ge=0)
    """Multiplies how long operations take; 0 makes them instantaneous."""
    notification_format: Literal["unversioned", "versioned", "both"] = "unversioned"
    """Nova's `notification_format`; `unversioned` is its default since Train."""
    envelope: Literal["messagingv2", "messaging"] = "messagingv2"
    """The oslo.messaging driver: v2 wraps the message in an envelope."""
    cinder_exchange: str = "openstack"
    """Cinder's `control_exchange`; a Cinder that never sets it was seen to use this one."""
    amqp_durable_queues: bool = False
    """Exchanges and queues that the publishers declare are durable (not the default of oslo)."""
    gives_up_after: dict[str, Seconds] = Field(default={"neutron": 12, "glance": 6})
    """By exchange, for how many seconds a service tries to reach a broker that is away before the
    notification is lost, as Neutron and Glance were seen to do; others try until it is back."""
    transport_url: SecretStr | None = None
    """OpenStack's RabbitMQ, `amqp://user:password@host:port/vhost`; absent: only Panko has them."""
    password: SecretStr = SecretStr("simulated")
    """The password of the users `admin` and `demo`, and the secret of their credentials."""
    region: str = "RegionOne"
    """The region of every endpoint in the catalogue."""
    token_life: float = Field(default=3600, gt=0)
    """How long a token is valid, in seconds."""
    store_raw: bool = False
    """Panko's events hold the whole notification (Ceilometer's `store_raw`)."""
    events_release: EventRelease = "panko"
    """Which Events API there is: Panko 10 (or 4.0.0, or 3), or Ceilometer's of an older release."""
    page_limit: int = Field(default=1000, ge=1, le=1000)
    """The most objects in a page of the lists that link to the next one, whatever is asked for
    (Nova's and Cinder's `osapi_max_limit`, Neutron's `pagination_max_limit`)."""
    events_kept: int = Field(default=200_000, ge=1)
    """How many events Panko keeps; older ones expire."""
    misbehaviour: Misbehaviour = Misbehaviour()
