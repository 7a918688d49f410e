"""URLs with passwords in them, as values that cannot print the password by accident."""

import re

_ENTRY = r"(?:[^:@/,?#]*(?::[^:@/,?#]*)?@)?(?:\[[0-9A-Fa-f:.]+\]|[^:@/,?#\[\]]*)(?::[0-9]+)?"
_WELL_FORMED = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{_ENTRY}(?:,{_ENTRY})*(?:/[^?#@]*)?(?:\?[^#@]*)?",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?<=[/,])([^:@/,?#]*):[^:@/,?#]*@")
_SECRET_OPTION = re.compile(r"([?&][^=&]*(?:pass|secret|token)[^=&]*=)[^&]*", re.IGNORECASE)

_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>]*[@=][^\s'\"<>]*", re.IGNORECASE)
"""A URL within a text that could hold a secret: one with credentials or options."""


def mask(url: str) -> str:
    """Return `url` with `***` for every password, for logs and error messages.

    Understands several hosts (`rabbit://a:b@one,c:d@two/`). Of a text in which a password could
    hide anywhere, because it is no well-formed URL, only the scheme is left.
    """
    if not _WELL_FORMED.fullmatch(url):
        scheme, separator, _ = url.partition("://")
        return f"{scheme}://***" if separator and scheme.isalnum() else "***"
    head, question, query = url.partition("?")
    return _PASSWORD.sub(r"\1:***@", head) + _SECRET_OPTION.sub(r"\1***", question + query)


def mask_all(text: str) -> str:
    """Return `text` with the passwords masked in every URL in it."""
    return _URL.sub(lambda found: mask(found[0]), text) if "://" in text else text


class SecretURL:
    """A URL that shows itself masked; `reveal` is for the driver that connects to it."""

    __slots__ = ("_url",)

    def __init__(self, url: str) -> None:
        self._url = url

    def reveal(self) -> str:
        """Return the URL with its password; never log it."""
        return self._url

    def __str__(self) -> str:
        return mask(self._url)

    def __repr__(self) -> str:
        return f"SecretURL({mask(self._url)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretURL) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)
