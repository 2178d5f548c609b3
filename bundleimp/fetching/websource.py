"""Read from http and https with the standard library.

Proxies come from the environment, certificates from where OpenSSL looks for them (``SSL_CERT_FILE``), credentials from
the URL, from ``headers``, or from netrc.  Redirects are followed here, because `urllib` would send the headers to other
hosts, and would follow a redirect from https to http.
"""

from __future__ import annotations

import base64
import http.client
import io
import os
import re
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import __version__
from . import addresses
from .errors import BundleFetchError, SourceError
from .limits import retry_after

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from .addresses import Address
    from .limits import Deadline

_CHUNK = 1 << 18
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 10
_AGAIN = {408, 429, 500, 502, 503, 504}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)


_MOST_DIGITS = 19  # of a size


class WebSource:
    """An answer with the content of a file.

    Attributes:
        size: how many bytes the server announces, or None.

    """

    def __init__(self, response: Any) -> None:
        self._response = response
        announced = response.headers.get("Content-Length", "")
        chunked = response.headers.get("Transfer-Encoding") is not None
        is_size = announced.isascii() and announced.isdigit() and len(announced) < _MOST_DIGITS
        self.size = int(announced) if is_size and not chunked else None

    def read(self) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            SourceError: the connection broke.

        """
        try:
            return bytes(self._response.read1(_CHUNK))
        except (OSError, http.client.HTTPException) as error:
            raise _failure(error) from None

    def close(self) -> None:
        """Close the connection."""
        self._response.close()


def check_headers(headers: Mapping[str, str]) -> None:
    """Check *headers* for a request.

    Raises:
        BundleFetchError: a name or a value cannot be sent.  The message does not have the value.

    """
    for name, value in headers.items():
        if _TOKEN.fullmatch(name) is None:
            message = "a header has a name that cannot be sent; write 'Name: value'"
            raise BundleFetchError(message)
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]", value):
            message = f"the value of the header {name} has characters that cannot be sent"
            raise BundleFetchError(message)


def open_source(address: Address, headers: Mapping[str, str], deadline: Deadline) -> WebSource:
    """Request the file at *address*.

    Arguments:
        address: its address.
        headers: further headers, sent to the address's own scheme, host and port only.
        deadline: until when all must be read.

    Raises:
        SourceError: the server does not give the file.

    """
    own = _headers(address, headers)
    url = address.url
    opener = _opener(deadline)
    for _ in range(_MOST_REDIRECTS + 1):
        given = own if addresses.origin_of(url) == address.origin else _general()
        response = _answer(opener, urllib.request.Request(url, headers=given), deadline)  # noqa: S310 (http or https)
        if response.status not in _REDIRECTS:
            return _checked(response)
        location = response.headers.get("Location", "")
        response.close()
        url = _next(url, location)
    message = f"is redirected more than {_MOST_REDIRECTS} times"
    raise SourceError(message)


def _general() -> dict[str, str]:
    return {"User-Agent": f"bundleimp/{__version__}", "Accept-Encoding": "identity"}


def _headers(address: Address, headers: Mapping[str, str]) -> dict[str, str]:
    whole = _general() | {name.title(): value for name, value in headers.items()}
    login = address.login or _from_netrc(address.host)
    if "Authorization" not in whole and login is not None:
        whole["Authorization"] = f"Basic {base64.b64encode(':'.join(login).encode()).decode('ascii')}"
    return whole


def _from_netrc(host: str) -> tuple[str, str] | None:
    """Return what netrc has for *host* itself.  Its ``default`` is for any host, so it is not used."""
    import netrc  # noqa: PLC0415 (needed for few URLs)

    try:
        entry = netrc.netrc(os.environ.get("NETRC")).hosts.get(host) if host != "default" else None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):  # missing, or not to be trusted: as if there were none
        return None
    return (entry[0], entry[2] or "") if entry is not None else None


def _next(url: str, location: str) -> str:
    try:
        target = addresses.redirected(url, location)
    except ValueError:
        target = ""
    scheme = urlsplit(target).scheme
    if not location or scheme not in addresses.WEB:
        message = "is redirected to something else than http or https"
        raise SourceError(message)
    if urlsplit(url).scheme == "https" and scheme == "http":
        message = f"is redirected from https to http, which is not encrypted, at {urlsplit(target).hostname}: refused"
        raise SourceError(message)
    return target


def _answer(opener: urllib.request.OpenerDirector, request: urllib.request.Request, deadline: Deadline) -> Any:
    try:
        return opener.open(request, timeout=deadline.stall())
    except urllib.error.URLError as error:
        reason = error.reason
        raise _failure(reason if isinstance(reason, Exception) else OSError(reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _failure(error) from None
    except UnicodeError:
        message = "has an invalid host name"
        raise SourceError(message) from None
    except ValueError:  # its text has the whole URL of the proxy
        message = "cannot be requested: a proxy in the environment has no valid URL"
        raise SourceError(message) from None


def _checked(response: Any) -> WebSource:
    status = response.status
    if status == HTTPStatus.OK:
        coding = response.headers.get("Content-Encoding", "identity").lower()
        if coding == "identity":
            return WebSource(response)
        response.close()
        message = "the server sends the file compressed, though it was not asked to"
        raise SourceError(message)
    wait = retry_after(response.headers.get("Retry-After"))
    response.close()
    phrase = http.client.responses.get(status, "")
    message = f"the server answers {status} {phrase}".rstrip()
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        message = f"{message}: give credentials in ~/.netrc, or with headers (--header)"
    if status in _AGAIN and wait is not None:
        message = f"{message}, and asks to wait {wait:.0f} s"
    raise SourceError(message, again=status in _AGAIN, wait=wait)


def _failure(error: Exception) -> SourceError:
    """Return what *error* means.  Only texts of the system are used: those of the client may have the URL in them."""
    if isinstance(error, http.client.IncompleteRead):
        return SourceError("the connection ended early", again=True)
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return SourceError(f"the answer is not HTTP ({type(error).__name__})", again=True)
    if isinstance(error, TimeoutError):
        return SourceError("the server does not answer in time", again=True)
    verified = getattr(error, "verify_message", None)
    if verified is not None:
        return SourceError(f"its certificate is refused: {verified}; name your own authority in SSL_CERT_FILE")
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return SourceError(f"cannot be reached: {reason}", again=True)


class _TimedReader(io.RawIOBase):
    """What a connection receives.  Each wait ends with the deadline, also that for a line of a header."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._stream = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(self._deadline.stall())
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _TimedConnection:
    """Stands for the socket where `http.client` makes a stream of it."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connection, self._deadline), _CHUNK)


def _timed(base: Any, deadline: Deadline) -> Any:
    """Return the class *base* of connections with answers that end with the *deadline*."""

    def response(connection: socket.socket, *arguments: Any, **named: Any) -> http.client.HTTPResponse:
        stream: Any = _TimedConnection(connection, deadline)
        return http.client.HTTPResponse(stream, *arguments, **named)

    return type("Connection", (base,), {"response_class": staticmethod(response)})


class _Handler(urllib.request.AbstractHTTPHandler):
    """Open connections whose waits end with a deadline."""

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_timed(http.client.HTTPConnection, self._deadline), req)

    def https_open(self, req: urllib.request.Request) -> Any:
        try:
            import ssl  # noqa: PLC0415 (some Pythons have none, and http needs none)
        except ImportError:
            message = "this Python has no ssl module, which https needs"
            raise SourceError(message) from None
        context = ssl.create_default_context()
        return self.do_open(_timed(http.client.HTTPSConnection, self._deadline), req, context=context)


def _opener(deadline: Deadline) -> urllib.request.OpenerDirector:
    """Return an opener that follows no redirects, raises nothing for a status, and knows http and https only."""
    opener = urllib.request.OpenerDirector()
    opener.addheaders = []
    for handler in (urllib.request.ProxyHandler(), urllib.request.UnknownHandler(), _Handler(deadline)):
        opener.add_handler(handler)
    return opener
