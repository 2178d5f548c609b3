"""A web server on the loopback interface that behaves as a test says, and remembers what it was asked."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from pathlib import Path

    Behaviour = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """A running server.

    Attributes:
        url: its URL, without a slash at the end.
        routes: what it does for a path, or the bytes that it gives.
        asked: the path and the headers of each request.
        ending: set when the server ends, so that nothing waits for it.

    """

    url: str
    routes: dict[str, Behaviour | bytes] = field(default_factory=dict)
    asked: list[tuple[str, Message]] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [path for path, _ in self.asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        self.asked.append((handler.path, handler.headers))
        behaviour = self.routes.get(handler.path.partition("?")[0], status(404))
        if isinstance(behaviour, bytes):
            behaviour = content(behaviour)
        with suppress(OSError):  # the client has gone
            behaviour(handler)


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[Web]:
    """Run a server; with the file of a *certificate* and its key, one for https."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.answer(self)

        def do_CONNECT(self) -> None:
            """Pass on what both sides send, as a proxy for https."""
            web.asked.append((self.path, self.headers))
            host, _, port = self.path.partition(":")
            with socket.create_connection((host, int(port))) as other:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=pass_on, args=(other, self.connection))
                back.start()
                pass_on(self.connection, other)
                back.join()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Print nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    web = Web(f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}")
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        web.ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Send to *target* what *source* sends, to its end."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def content(data: bytes, *, length: int | None = None, **headers: str) -> Behaviour:
    """Give *data*, announced as *length* bytes; a negative length announces none."""

    def behaviour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if length is None or length >= 0:
            handler.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return behaviour


def status(code: int, **headers: str) -> Behaviour:
    """Answer with a status *code* and *headers*, whose names have ``_`` for ``-``."""

    def behaviour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code, "secret phrase")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return behaviour


def redirect(location: str, code: int = 302) -> Behaviour:
    """Redirect to *location*."""
    return status(code, Location=location)


def in_turn(*behaviours: Behaviour | bytes) -> Behaviour:
    """Behave so one after the other, and as the last one from then on."""
    left = [content(one) if isinstance(one, bytes) else one for one in behaviours]
    lock = threading.Lock()

    def behaviour(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            one = left.pop(0) if len(left) > 1 else left[0]
        one(handler)

    return behaviour


def make_certificate(path: Path, host: str = "127.0.0.1") -> Path:
    """Make a certificate for *host*, which is its own authority, with its key, in one file at *path*."""
    key, certificate = path.with_suffix(".key"), path.with_suffix(".crt")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=test"),
            *("-addext", f"subjectAltName={'IP' if host[0].isdigit() else 'DNS'}:{host}"),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(key.read_bytes() + certificate.read_bytes())
    return path
