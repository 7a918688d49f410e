"""Which cloud to talk to: an entry of clouds.yaml, found and read by openstacksdk.

Reading files and environment only; nothing here talks to the network. Tokens and endpoints are
`shared.openstack.session`'s.
"""

import os
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path

from keystoneauth1.exceptions import ClientException
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.config.loader import CONFIG_FILES
from openstack.exceptions import ConfigException
from openstack.warnings import RemovedInSDK60Warning

from shared.errors import Misconfigured, Problem

DEFAULT_DEADLINE_SECONDS = 30.0
"""For one request, where clouds.yaml says no `api_timeout`."""


_UNUSABLE = (
    ConfigException,
    ClientException,
    # What openstacksdk makes of a file that is YAML, and of another shape than it expects.
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class CloudConfig:
    """One cloud and region as configured; `region` holds credentials and does not print them."""

    name: str
    region: CloudRegion

    @property
    def region_name(self) -> str | None:
        """The region to use of the service catalogue; None takes the first match."""
        return self.region.get_region_name() or None

    @property
    def deadline_seconds(self) -> float:
        """How long one request may take."""
        configured = self.region.config.get("api_timeout")
        return float(configured) if configured else DEFAULT_DEADLINE_SECONDS

    def interfaces(self, service_type: str) -> list[str]:
        """Return public, internal, admin in the order of preference for this service."""
        configured = self.region.get_interface(service_type) or "public"
        return [configured] if isinstance(configured, str) else configured

    def ssl_context(self) -> ssl.SSLContext:
        """Return what `verify`, `cacert`, `insecure`, `cert` and `key` ask for; reads the files.

        Raises Misconfigured when a certificate file cannot be read.
        """
        verify, cert = self.region.get_requests_verify_args()
        try:
            context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
            if isinstance(cert, str):
                context.load_cert_chain(cert)
            elif cert is not None:
                context.load_cert_chain(*cert)
        except OSError as error:
            message = f"cannot read its certificates (cacert {verify!r}, cert {cert!r}): {error}"
            raise Misconfigured([Problem(f"clouds.yaml, cloud {self.name}", message)]) from error
        if verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def load_cloud(name: str) -> CloudConfig:
    """Return the cloud called `name` from clouds.yaml, secure.yaml and the OS_ variables.

    Raises Misconfigured, naming the clouds there are and the files searched.
    """
    place = f"clouds.yaml, cloud {name}"
    try:
        found = OpenStackConfig()
        # openstacksdk makes up `defaults` when it finds nothing.
        names = sorted({name for name in found.get_cloud_names() if name} - {"defaults"})
    except _UNUSABLE as error:
        raise Misconfigured([Problem(place, f"cannot be read: {_told(error)}")]) from error
    if name not in names:
        there = ", ".join(names) or "none"
        message = (
            f"there is no such cloud; found: {there}. Add it to one of {_searched()} (what is not "
            "valid YAML is skipped), or name the file in OS_CLIENT_CONFIG_FILE"
        )
        raise Misconfigured([Problem(place, message)])
    try:
        with warnings.catch_warnings():
            # About InfluxDB settings that openstacksdk fills in by itself.
            warnings.simplefilter("ignore", RemovedInSDK60Warning)
            config = CloudConfig(name, found.get_one(cloud=name))
        _ = config.deadline_seconds  # now, not with the first call, if it is no number
    except _UNUSABLE as error:
        message = f"cannot be used: {_told(error)}. See `auth` and `auth_type` of this entry"
        raise Misconfigured([Problem(place, message)]) from error
    return config


def _told(error: Exception) -> str:
    """Return the words of openstacksdk; of Python's own errors the kind says more than the text."""
    told = isinstance(error, ConfigException | ClientException)
    return str(error) if told else f"{type(error).__name__}: {error}"


def _searched() -> str:
    override = os.environ.get("OS_CLIENT_CONFIG_FILE")
    files = [file for file in CONFIG_FILES if file.endswith(".yaml") and file != override]
    if override:
        files.insert(
            0, override if Path(override).is_file() else f"{override} (which is not there)"
        )
    return ", ".join(dict.fromkeys(files))
