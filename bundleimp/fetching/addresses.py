"""URLs of bundles, taken apart.  Pure: text in, values out.

The pin of a URL is its fragment: ``#sha256=`` and 64 hexadecimal digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from .errors import BundleFetchError

PIN = "#sha256="
WEB = {"http": 80, "https": 443}
"""The schemes of the standard library's client, with their ports."""

_DIGEST = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._+-]", re.ASCII)
_ARCHIVES = (".pybundle", ".whl", ".zip", ".egg", ".jar", ".pyz")
_SAFE = "/%:=&?~+!$,;'@()*[]"
_LONGEST_NAME = 100
_SUFFIX = ".pybundle"
_HIDDEN = "***"


@dataclass(frozen=True)
class Address:
    """The URL of a file.

    Attributes:
        shown: the URL for messages: without user, password, query and fragment.
        scheme: its scheme, in lower case.
        pin: the SHA-256 digest that its fragment gives, in lower case; or None.
        url: the URL to request: without fragment; if it is one of `WEB`, without user and password, and quoted.
        login: the user and the password of the URL, or None.

    """

    shown: str
    scheme: str
    pin: str | None
    url: str = field(repr=False)
    login: tuple[str, str] | None = field(repr=False)

    @property
    def host(self) -> str:
        """The host's name, or "" if the URL has none."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """The scheme, host and port, which credentials are for."""
        return origin_of(self.url)

    @property
    def is_plain(self) -> bool:
        """Whether `shown` is the whole URL, so that it stands for no other file."""
        return self.shown == self.url and self.login is None

    @property
    def name(self) -> str:
        """The file's name in the cache.  Only the name of an archive is taken, since any other may be a secret."""
        last = unquote(urlsplit(self.url).path.rpartition("/")[2])
        if not last.lower().endswith(_ARCHIVES):
            return f"bundle{_SUFFIX}"
        stem = _NOT_IN_NAMES.sub("_", last.rpartition(".")[0])[:_LONGEST_NAME].strip(".")
        return (stem.removesuffix(_SUFFIX) or "bundle") + _SUFFIX

    def with_suffix(self, suffix: str) -> Address:
        """Return the address of the file beside this one whose name has *suffix* at its end."""
        parts = urlsplit(self.url)
        url = parts._replace(path=parts.path + suffix).geturl()
        return Address(_shown(urlsplit(url), self.login), self.scheme, None, url, self.login)


def digest(text: str) -> str:
    """Return the SHA-256 digest that *text* gives, in lower case.

    Raises:
        BundleFetchError: *text* is no such digest.

    """
    if _DIGEST.fullmatch(text) is None:
        message = f"{text!r} is not a SHA-256 digest, which has 64 hexadecimal digits"
        raise BundleFetchError(message)
    return text.lower()


def parse(text: str) -> Address:
    """Return the address that *text* gives.

    Raises:
        BundleFetchError: *text* is no URL that can be fetched, or its fragment is no pin.

    """
    safe = without_secrets(text)
    if re.search(r"[\x00-\x20\x7f]", text):
        message = "is not a URL: it has a space or a control character; write %20 for a space"
        raise BundleFetchError(message, file=safe)
    scheme, separator, _ = text.partition("://")
    if not separator or _SCHEME.fullmatch(scheme) is None:
        message = "is not a URL: it has no scheme, such as https://; a local file needs no fetch"
        raise BundleFetchError(message, file=safe)
    if scheme.lower() == "ftp":
        message = "ftp is not supported, because it does not authenticate the server; use https"
        raise BundleFetchError(message, file=safe)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        message = "is not a URL: its host or its port is not valid"
        raise BundleFetchError(message, file=safe) from None
    if not parts.hostname and (parts.scheme in WEB or port is not None):
        message = "is not a URL: it has no host"
        raise BundleFetchError(message, file=safe)
    pin = _pin(parts.fragment, safe) if "#" in text else None
    login = None
    if "@" in parts.netloc:
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        login = unquote(user), unquote(password)
    asked = _bare(parts) if parts.scheme in WEB else parts._replace(fragment="")
    return Address(_shown(asked, login), parts.scheme, pin, asked.geturl(), login)


def redirected(url: str, location: str) -> str:
    """Return the URL that a redirect of *url* to *location* leads to, without user, password and fragment.

    Raises:
        ValueError: *location* is no URL.

    """
    parts = urlsplit(urljoin(url, location))
    if not parts.hostname or parts.port == 0:  # reading the port raises ValueError, too
        message = "no host"
        raise ValueError(message)
    return _bare(parts).geturl()


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return the scheme, host and port of *url*."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or WEB.get(parts.scheme)


def without_secrets(text: str) -> str:
    """Return *text*, which need not be a URL, without fragment and query, and without all that may be a password."""
    bare = re.split("[?#]", text, maxsplit=1)[0]
    scheme, separator, rest = bare.rpartition("://") if "@" not in bare else ("", "", bare.rpartition("@")[2])
    return scheme + separator + rest


def _pin(fragment: str, safe: str) -> str:
    name, _, value = fragment.partition("=")
    if name != "sha256" or _DIGEST.fullmatch(value) is None:
        message = "the part after # is not a pin; write #sha256= and 64 hexadecimal digits"
        raise BundleFetchError(message, file=safe)
    return value.lower()


def _bare(parts: SplitResult) -> SplitResult:
    return parts._replace(
        netloc=parts.netloc.rpartition("@")[2],
        path=quote(parts.path, safe=_SAFE),
        query=quote(parts.query, safe=_SAFE),
        fragment="",
    )


def _shown(parts: SplitResult, login: tuple[str, str] | None) -> str:
    host = parts.netloc.rpartition("@")[2]
    host = f"{_HIDDEN}@{host}" if login is not None else host
    return parts._replace(netloc=host, query=_HIDDEN if parts.query else "", fragment="").geturl()
