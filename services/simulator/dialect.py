"""How the operator of a cloud configured its notifications."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this cloud's operator configured its notifications."""

    legacy: bool = True
    """Nova sends the unversioned format."""
    versioned: bool = False
    """Nova sends the versioned format."""
    cinder_exchange: str = "openstack"
    """Where Cinder never sets `control_exchange` it is oslo.messaging's default, `openstack`."""
