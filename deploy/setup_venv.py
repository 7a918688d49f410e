"""Make a virtual environment with osevents and its tools: `python3 deploy/setup_venv.py .venv`.

Needs nothing but a Python of 3.11 or later: not pip, not root. Everything is installed as pinned,
with hashes, in requirements.lock, by uv, which pip installs from that same file. Where packages
come from is the business of pip's and uv's own configuration.

Running it again does nothing when nothing changed; what was left half-made is made anew.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_LOCK = _ROOT / "requirements.lock"
_OLDEST = (3, 11)
_PIP_FOR_UV = {
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "cert": ("SSL_CERT_FILE", ""),
}
"""What uv calls pip's settings, and what it puts between several values."""


class SetupFailed(Exception):
    """One sentence for the person who ran this."""


def main(arguments: list[str]) -> int:
    """Make the environment; return the exit code."""
    if sys.version_info < _OLDEST:
        here, wanted = (".".join(map(str, v)) for v in (sys.version_info[:2], _OLDEST))
        _say(f"osevents needs Python {wanted} or later, and {sys.executable} is {here}; name")
        _say("another one, for example: make setup PYTHON=python3.13")
        return 2
    if len(arguments) != 1:
        _say("usage: python3 deploy/setup_venv.py DIRECTORY")
        return 2
    directory = Path(arguments[0]).absolute()
    try:
        _set_up(directory)
    except SetupFailed as error:
        _say(str(error))
        return 1
    return 0


def _set_up(directory: Path) -> None:
    stamp = directory / ".made-from"
    wanted = _fingerprint(directory)
    if stamp.is_file() and _runs(directory):
        if stamp.read_text() == wanted:
            return
        stamp.unlink()  # what is interrupted from here on must not look finished
    else:
        _say(f"making {directory.name} with Python {sys.version.split()[0]}")
        _make_empty(directory)
        _install_uv(directory)
    _say("installing the pinned packages")
    environment = environment_for_uv()
    uv = [str(directory / "bin/uv"), "pip"]
    options = ["--quiet", "--python", _python(directory)]
    # Compiled once here: where PYTHONDONTWRITEBYTECODE is set, every start would do it again.
    pinned = ["--require-hashes", "--compile-bytecode", str(_LOCK)]
    _run([*uv, "sync", *options, *pinned], environment)
    # The build back end is pinned, too, and installed by now: nothing else is downloaded.
    options += ["--no-deps", "--no-build-isolation"]
    _run([*uv, "install", *options, "--editable", str(_ROOT)], environment)
    stamp.write_text(wanted)


def _fingerprint(directory: Path) -> str:
    """Return what the environment depends on; its own place too, scripts have it inside."""
    digest = hashlib.sha256(f"{directory}\n{sys.version}\n".encode())
    for path in (_LOCK, _ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _runs(directory: Path) -> bool:
    """Say whether the environment has a Python like this one, and uv."""
    question = "import sys; print(sys.version)"
    try:
        answer = subprocess.run(
            [_python(directory), "-c", question], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == sys.version.strip() and (directory / "bin/uv").is_file()


def _make_empty(directory: Path) -> None:
    if directory.exists() and any(directory.iterdir()) and not _is_environment(directory):
        raise SetupFailed(f"{directory} is no virtual environment and not empty; remove it")
    venv.create(directory, clear=True, symlinks=True, with_pip=False)


def _is_environment(directory: Path) -> bool:
    return (directory / "pyvenv.cfg").is_file() or (directory / "bin/python").is_symlink()


def _install_uv(directory: Path) -> None:
    """Install uv with a pip that is borrowed, not installed."""
    pinned = re.search(r"^uv==.*?(?=^[^\s#])", _LOCK.read_text(), re.DOTALL | re.MULTILINE)
    if pinned is None:
        raise SetupFailed("requirements.lock pins no uv; pin it again with: make lock")
    with tempfile.TemporaryDirectory() as scratch:
        requirement = Path(scratch, "uv.txt")
        requirement.write_text(pinned[0])
        options = ["--quiet", "--no-deps", "--require-hashes", "--disable-pip-version-check"]
        command = [_python(directory), _find_pip(), "install", *options, "-r", requirement]
        # A user's habit of installing for himself makes no sense inside an environment.
        _run([str(part) for part in command], os.environ | {"PIP_USER": "0"})


def _find_pip() -> Path:
    """Return a pip that any Python can run as a script: a wheel or a package directory."""
    places = [Path("/usr/share/python-wheels")]
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip is not None and ensurepip.origin is not None:
        places.insert(0, Path(ensurepip.origin).parent / "_bundled")
    for place in places:
        for wheel in place.glob("pip-*.whl"):
            return wheel / "pip"
    installed = importlib.util.find_spec("pip")
    if installed is not None and installed.origin is not None:
        return Path(installed.origin).parent
    return _fetch_pip()


def _fetch_pip() -> Path:
    """Return the pip of the distribution's package; Debian keeps it out of python3."""
    deps = _ROOT / ".deps/pip"
    script = _ROOT / "deploy/unpack_packages.sh"
    if not (deps / "ready").exists():
        _say("this Python has no pip: fetching one into .deps/pip")
        subprocess.run(["bash", script, deps, "python3-pip-whl"], check=False)
    for wheel in deps.glob("root/usr/share/python-wheels/pip-*.whl"):
        return wheel / "pip"
    raise SetupFailed("pip is needed; install the package python3-venv (Debian, Ubuntu) or pip")


def environment_for_uv() -> dict[str, str]:
    """Return the environment, with pip's configuration translated where uv has none of its own."""
    environment = dict(os.environ)
    environment.setdefault("UV_LINK_MODE", "copy")  # links fail across file systems, with noise
    if not os.access(Path.home(), os.W_OK):
        environment.setdefault("UV_NO_CACHE", "1")
    if not _uv_is_configured(environment):
        # To pip all indexes are equal. The hashes say what is ours, so no stranger can slip in.
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
        for name, value in _pip_configuration().items():
            environment.setdefault(name, value)
    return environment


def _uv_is_configured(environment: dict[str, str]) -> bool:
    if any(
        re.fullmatch(r"UV_(DEFAULT_)?INDEX(_URL)?|UV_CONFIG_FILE", name) for name in environment
    ):
        return True
    own = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    shared = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return any(Path(place, "uv/uv.toml").is_file() for place in (own, *shared, "/etc"))


def _pip_configuration() -> dict[str, str]:
    """Return, as uv's variables, where pip was told to look, by files and by variables."""
    command = [sys.executable, str(_find_pip()), "config", "list"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    found = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        variable, separator = _PIP_FOR_UV.get(name.rpartition(".")[2], ("", ""))
        if variable:
            # A Python literal, with one value a line where there are several.
            found[variable] = separator.join(ast.literal_eval(value).split())
    return found


def _run(command: list[str], environment: dict[str, str]) -> None:
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise SetupFailed(f"this did not work (see above): {shlex.join(command)}")


def _python(directory: Path) -> str:
    return str(directory / "bin/python")


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
