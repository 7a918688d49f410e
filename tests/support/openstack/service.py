"""What a real service needs to be run by a test: its configuration, and a database made once.

One file in `services` describes each. Everything of a service is below one directory, its home:
`make openstack` prepares one, tests run on copies.
"""

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from configparser import RawConfigParser
from dataclasses import dataclass
from pathlib import Path

Sections = Mapping[str, Mapping[str, str]]
"""A configuration file, by section and option."""

ROOT = Path(__file__).resolve().parents[3]
DEPS = ROOT / ".deps"
ENVIRONMENT = DEPS / "openstack"
PREPARED = ENVIRONMENT / "prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, of those that share the environment `.deps/openstack`."""

    name: str
    application: str
    """The module that has the WSGI application, as the service ships it."""
    config: Callable[[Path], Sections]
    """What its configuration says when this is its home."""
    file: str
    """The name of its configuration file, in its home."""
    environment: Mapping[str, str]
    """What tells it where that is, besides `arguments`; `{home}` and `{file}` are put in."""
    arguments: tuple[str, ...] = ()
    """What its command line is to say, likewise."""
    preparation: tuple[tuple[str, ...], ...] = ()
    """Commands of the environment that make its database, likewise."""

    def write_config(self, home: Path, *more: Sections) -> None:
        """Write the configuration, with more sections and options; later ones win."""
        parser = RawConfigParser(default_section="")
        parser.optionxform = str  # type: ignore[assignment,method-assign] # the documented way
        for sections in (self.config(home), *more):
            for section, options in sections.items():
                if not parser.has_section(section):
                    parser.add_section(section)
                for option, value in options.items():
                    parser.set(section, option, value)
        with (home / self.file).open("w") as file:
            parser.write(file)

    def arguments_at(self, home: Path) -> list[str]:
        """Return its command line."""
        return self._at(home, self.arguments)

    def environment_at(self, home: Path) -> dict[str, str]:
        """Return the environment variables for any of its processes."""
        named = zip(self.environment, self._at(home, self.environment.values()), strict=True)
        return os.environ | {"PYTHONWARNINGS": "ignore"} | dict(named)

    def prepare(self) -> None:
        """Make the home that tests copy; raises CalledProcessError."""
        home = PREPARED / self.name
        home.mkdir(parents=True)
        self.write_config(home)
        for command in self.preparation:
            program, *arguments = self._at(home, command)
            subprocess.run(
                [ENVIRONMENT / "bin" / program, *arguments],
                env=self.environment_at(home),
                cwd=ROOT,
                capture_output=True,
                check=True,
                text=True,
            )

    def _at(self, home: Path, texts: Iterable[str]) -> list[str]:
        return [text.format(home=home, file=home / self.file) for text in texts]
