"""Microversions, as Nova and Cinder negotiate them."""

from dataclasses import dataclass

from aiohttp import web

from services.simulator.api.answer import Refused


@dataclass(frozen=True, slots=True)
class Microversions:
    """The range a service speaks, all of one major version."""

    service: str
    """The name in the header: `compute` or `volume`."""
    fault: str
    major: int
    lowest: int
    highest: int
    header: str = ""
    """Another header of the service's own, which has the version alone."""

    def asked(self, request: web.Request) -> int:
        """Return the minor version a request asks for; without a header the lowest.

        Refuses with 406 what is out of range, with 400 what is no version.
        """
        text = self._header(request)
        if text is None:
            return self.lowest
        if text == "latest":
            return self.highest
        major, _, minor = text.partition(".")
        if not (major.isdecimal() and minor.isdecimal()):
            raise self._refused(400, f"API Version String {text} is of invalid format.")
        if int(major) != self.major or not self.lowest <= int(minor) <= self.highest:
            message = (
                f"Version {text} is not supported by the API. Minimum is "
                f"{self.major}.{self.lowest} and maximum is {self.major}.{self.highest}."
            )
            raise self._refused(406, message)
        return int(minor)

    def headers(self, minor: int) -> dict[str, str]:
        """Return the headers that say which version was spoken."""
        return {
            "OpenStack-API-Version": f"{self.service} {self.major}.{minor}",
            "Vary": "OpenStack-API-Version",
        }

    def _header(self, request: web.Request) -> str | None:
        for part in request.headers.get("OpenStack-API-Version", "").split(","):
            service, _, version = part.strip().partition(" ")
            if service == self.service and version:
                return version.strip()
        return request.headers.get(self.header) if self.header else None

    def _refused(self, status: int, message: str) -> Refused:
        return Refused(status, {self.fault: {"code": status, "message": message}})


COMPUTE = Microversions("compute", "computeFault", 2, 1, 95, header="X-OpenStack-Nova-API-Version")
"""2.95 is what 2023.1 and 2023.2 speak."""
VOLUME = Microversions("volume", "badRequest", 3, 0, 70)
"""3.70 is what 2023.1 and 2023.2 speak."""
BAREMETAL = Microversions(
    "baremetal", "error_message", 1, 1, 82, header="X-OpenStack-Ironic-API-Version"
)
"""1.82 is what 2023.1 speaks."""
SHARES = Microversions(
    "shared-file-system", "badRequest", 2, 0, 82, header="X-OpenStack-Manila-API-Version"
)
"""2.82 is what 2023.2 speaks."""
