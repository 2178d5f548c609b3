"""``bundleimp.fetch`` from servers that are slow, broken, or mean harm, and from many processes at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.fetching import limits
from bundleimp.fetching.errors import BundleFetchError, OutOfTimeError

from .builders import TIMEOUT
from .fetching import _data, _pin, _web, _world, kept, left_over  # noqa: F401 (fixtures)
from .platforms import needs_processes, needs_threads
from .webserver import Web, content, in_turn, make_certificate, redirect, serve, status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from .webserver import Behaviour

pytestmark = needs_threads
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, which makes certificates")
FETCH = "import sys, bundleimp; print(bundleimp.fetch(sys.argv[1]))"


def cut(data: bytes) -> Behaviour:
    """Give half of *data*, and cut the connection."""
    return content(data[: len(data) // 2], length=len(data))


def dropped(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection without an answer."""
    handler.close_connection = True


# Broken answers


@pytest.mark.parametrize("bad", [dropped, status(500), status(503), status(429), status(408)])
def test_what_may_work_the_next_time_is_tried_again(web: Web, data: bytes, pin: str, bad: Behaviour) -> None:
    web.routes["/app.pybundle"] = in_turn(bad, bad, data)
    assert Path(bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")).read_bytes() == data
    assert len(web.asked) == 3


@pytest.mark.parametrize("code", [404, 410, 403, 401, 204, 206, 304, 501])
def test_other_answers_are_not_tried_again(web: Web, world: Path, code: int, pin: str) -> None:
    web.routes["/app.pybundle"] = status(code)
    with pytest.raises(BundleFetchError, match=f"^{web.url}/app.pybundle: the server answers {code} [A-Z]") as caught:
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert "secret" not in str(caught.value)
    assert len(web.asked) == 1
    assert (kept(world), left_over(world)) == ([], [])


def test_tries_end(web: Web) -> None:
    web.routes["/app.pybundle"] = dropped
    with pytest.raises(BundleFetchError, match=r"cannot be reached: .* \(4 tries\)"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert len(web.asked) == limits.TRIES


def test_a_file_that_ends_early_is_read_again_from_its_beginning(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = in_turn(cut(data), data)
    assert Path(bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")).read_bytes() == data


def test_a_file_that_changes_between_tries_is_the_last_one_whole(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = in_turn(cut(b"x" * 3 * len(data)), data)
    assert Path(bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")).read_bytes() == data


def test_a_file_that_always_ends_early_is_an_error(web: Web, world: Path, data: bytes) -> None:
    web.routes["/app.pybundle"] = cut(data)
    with pytest.raises(BundleFetchError, match=f"ended after {len(data) // 2} of {len(data)} bytes"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert (kept(world), left_over(world)) == ([], [])


def test_a_zip_that_ends_early_where_the_server_announces_too_much_is_refused(
    web: Web, world: Path, data: bytes
) -> None:
    web.routes["/app.pybundle"] = content(data, length=len(data) + 1)
    with pytest.raises(BundleFetchError, match=f"ended after {len(data)} of {len(data) + 1} bytes"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert kept(world) == []


def test_a_file_that_is_longer_than_announced_is_refused(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = content(data, length=len(data) - 1)
    with pytest.raises(BundleFetchError, match="is not the pinned file"):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert kept(world) == []


def test_a_file_of_no_announced_length_is_read_to_its_end(web: Web, data: bytes, pin: str) -> None:
    seen: list[tuple[int, int | None]] = []
    web.routes["/app.pybundle"] = content(data, length=-1)
    bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", progress=lambda done, size: seen.append((done, size)))
    assert seen[-1] == (len(data), None)


def test_a_compressed_answer_is_refused(web: Web, data: bytes) -> None:
    web.routes["/app.pybundle"] = content(data, Content_Encoding="gzip")
    with pytest.raises(BundleFetchError, match="the server sends the file compressed"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert web.asked[0][1]["Accept-Encoding"] == "identity"


def test_what_is_no_http_is_an_error(web: Web) -> None:
    def greet(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-hello\r\n")

    web.routes["/app.pybundle"] = greet
    with pytest.raises(BundleFetchError, match=r"the answer is not HTTP \(BadStatusLine\) \(4 tries\)"):
        bundleimp.fetch(f"{web.url}/app.pybundle")


# Limits


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send data without an end, as far as the client can know."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100_000):
        handler.wfile.write(bytes(1000))


def test_an_endless_file_ends_at_the_size_limit(web: Web, world: Path) -> None:
    web.routes["/app.pybundle"] = endless
    with pytest.raises(BundleFetchError, match="is larger than the limit of 100000 bytes"):
        bundleimp.fetch(f"{web.url}/app.pybundle", max_size=100_000)
    assert (kept(world), left_over(world)) == ([], [])


def test_an_announced_size_beyond_the_limit_is_refused_unread(web: Web) -> None:
    seen: list[int] = []
    web.routes["/app.pybundle"] = content(bytes(1000), length=10**15)
    with pytest.raises(BundleFetchError, match="is larger than the limit of 2147483648 bytes"):
        bundleimp.fetch(f"{web.url}/app.pybundle", progress=lambda done, _: seen.append(done))
    assert (seen, len(web.asked)) == ([], 1)


def trickle(web: Web, where: str) -> Behaviour:
    """Send one byte after the other for ever: of the file, or of a header."""

    def behaviour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        if where == "body":
            handler.end_headers()
        else:
            handler.flush_headers()
        while not web.ending.wait(0.01):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return behaviour


def silent(web: Web) -> Behaviour:
    """Answer nothing, for ever."""

    def behaviour(_: BaseHTTPRequestHandler) -> None:
        web.ending.wait()

    return behaviour


@pytest.mark.parametrize("how", ["body", "header", "silence"])
def test_a_server_that_never_ends_is_left_at_the_time_limit(web: Web, world: Path, how: str) -> None:
    web.routes["/app.pybundle"] = silent(web) if how == "silence" else trickle(web, how)
    with pytest.raises(OutOfTimeError, match=f"^{web.url}/app.pybundle: takes longer than 0.2 s"):
        bundleimp.fetch(f"{web.url}/app.pybundle", f"{web.url}/other.pybundle", timeout=0.2)
    assert set(web.paths) <= {"/app.pybundle"}
    assert (kept(world), left_over(world)) == ([], [])


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_asks_to_wait_is_obeyed(web: Web, data: bytes, pin: str, form: str) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    web.routes["/app.pybundle"] = in_turn(status(429, Retry_After="1" if form == "seconds" else moment), data)
    start = time.monotonic()
    bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert time.monotonic() - start > 0.5
    assert len(web.asked) == 2


def test_a_server_that_asks_to_wait_for_too_long_is_left(web: Web) -> None:
    web.routes["/app.pybundle"] = status(429, Retry_After="86400")
    with pytest.raises(BundleFetchError, match="answers 429 Too Many Requests, and asks to wait 86400 s"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert len(web.asked) == 1


# Redirects and credentials


def test_redirects_are_followed(web: Web, data: bytes, pin: str) -> None:
    web.routes |= {"/latest": redirect("/a"), "/a": redirect(f"{web.url}/app.pybundle", 307), "/app.pybundle": data}
    assert Path(bundleimp.fetch(f"{web.url}/latest#sha256={pin}")).read_bytes() == data


def test_redirects_end(web: Web) -> None:
    web.routes["/app.pybundle"] = redirect("/app.pybundle")
    with pytest.raises(BundleFetchError, match="is redirected more than 10 times"):
        bundleimp.fetch(f"{web.url}/app.pybundle")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://host/x", "", "https://", "https://[::1", "data:,x"])
def test_redirects_lead_to_http_only(web: Web, location: str) -> None:
    web.routes["/app.pybundle"] = redirect(location)
    with pytest.raises(BundleFetchError, match="is redirected to something else than http or https"):
        bundleimp.fetch(f"{web.url}/app.pybundle")


BASIC = "Basic dXNlcjpzZWNyZXQ="  # user:secret


@pytest.mark.parametrize("how", ["url", "netrc", "headers"])
def test_credentials_go_to_their_own_host_only(web: Web, tmp_path: Path, data: bytes, pin: str, how: str) -> None:
    with serve() as other:
        own = f"{web.url}/app.pybundle"
        web.routes |= {"/app.pybundle": redirect("/here"), "/here": redirect(f"{other.url}/app.pybundle")}
        other.routes["/app.pybundle"] = data
        url = own.replace("//", "//user:secret@") if how == "url" else own
        if how == "netrc":
            (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
        headers = {"authorization": BASIC, "X-Token": "secret"} if how == "headers" else None
        bundleimp.fetch(f"{url}#sha256={pin}", headers=headers)
        assert [given["Authorization"] for _, given in web.asked] == [BASIC, BASIC]
        assert [(given["Authorization"], given["X-Token"]) for _, given in other.asked] == [(None, None)]


def test_what_netrc_has_for_any_host_is_sent_to_none(web: Web, tmp_path: Path, data: bytes, pin: str) -> None:
    (tmp_path / "netrc").write_text("default login user password secret\n")
    web.routes["/app.pybundle"] = data
    bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert web.asked[0][1]["Authorization"] is None


def test_headers_are_not_sent_to_several_hosts(web: Web) -> None:
    with serve() as other, pytest.raises(BundleFetchError, match="headers are for one host"):
        bundleimp.fetch(f"{web.url}/app.pybundle", f"{other.url}/app.pybundle", headers={"X-Token": "secret"})
    assert web.asked == []


@pytest.mark.parametrize("headers", [{"X-Token": "secret\r\nHost: x"}, {"X Token": "secret"}, {"": "secret"}])
def test_headers_that_cannot_be_sent_are_refused(web: Web, headers: dict[str, str]) -> None:
    with pytest.raises(BundleFetchError, match="cannot be sent") as caught:
        bundleimp.fetch(f"{web.url}/app.pybundle", headers=headers)
    assert "secret" not in str(caught.value)
    assert web.asked == []


def test_proxies_come_from_the_environment(web: Web, data: bytes, pin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", web.url)
    web.routes["http://host.invalid/app.pybundle"] = data
    bundleimp.fetch(f"http://host.invalid/app.pybundle#sha256={pin}")
    assert web.paths == ["http://host.invalid/app.pybundle"]


def test_a_proxy_that_is_none_is_an_error_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http:/user:secret@host", "http://user:secret@host:port"):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(BundleFetchError) as caught:
            bundleimp.fetch("http://host.invalid/app.pybundle")
        assert "secret" not in str(caught.value)


# TLS


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate") / "server.pem")


@pytest.fixture(name="secure")
def _secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server whose certificate is accepted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with serve(certificate) as web:
        yield web


@needs_openssl
def test_https_works_with_an_authority_of_ones_own(secure: Web, data: bytes, pin: str) -> None:
    secure.routes["/app.pybundle"] = data
    assert Path(bundleimp.fetch(f"{secure.url}/app.pybundle#sha256={pin}")).read_bytes() == data


@needs_openssl
def test_a_certificate_of_an_unknown_authority_is_refused(
    secure: Web, world: Path, data: bytes, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure.routes["/app.pybundle"] = data
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(BundleFetchError, match="its certificate is refused: self-signed certificate; name your own"):
        bundleimp.fetch(f"{secure.url}/app.pybundle#sha256={pin}")
    assert (secure.asked, kept(world)) == ([], [])


@needs_openssl
def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, data: bytes, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path / "other.pem", "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with serve(certificate) as other:
        other.routes["/app.pybundle"] = data
        with pytest.raises(BundleFetchError, match="its certificate is refused: IP address mismatch"):
            bundleimp.fetch(f"{other.url}/app.pybundle#sha256={pin}")


@needs_openssl
@pytest.mark.parametrize("hops", [0, 1, 2])
def test_https_never_falls_back_to_http(secure: Web, web: Web, data: bytes, pin: str, hops: int) -> None:
    """Where it does so at the first redirect, at a later one, or behind http."""
    web.routes |= {"/app.pybundle": data, "/start": redirect(f"{secure.url}/0")}
    secure.routes |= {"/0": redirect("/1"), "/1": redirect(f"{web.url}/app.pybundle")}
    start = [f"{secure.url}/1", f"{secure.url}/0", f"{web.url}/start"][hops]
    with pytest.raises(
        BundleFetchError, match=r"is redirected from https to http, which is not encrypted, at 127.0.0.1"
    ):
        bundleimp.fetch(f"{start}#sha256={pin}")
    assert "/app.pybundle" not in web.paths


@needs_openssl
def test_http_may_lead_to_https(secure: Web, web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = redirect(f"{secure.url}/app.pybundle")
    secure.routes["/app.pybundle"] = data
    assert Path(bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")).read_bytes() == data


@needs_openssl
def test_https_goes_through_a_proxy(
    secure: Web, web: Web, data: bytes, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", web.url)
    secure.routes["/app.pybundle"] = data
    assert Path(bundleimp.fetch(f"{secure.url}/app.pybundle#sha256={pin}")).read_bytes() == data
    assert web.paths == [secure.url.removeprefix("https://")]


# Processes


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@needs_processes
def test_many_processes_at_once_fetch_once(web: Web, world: Path, data: bytes, pin: str) -> None:
    pytest.importorskip("fcntl")
    go = threading.Event()

    def when_all_are_there(handler: BaseHTTPRequestHandler) -> None:
        go.wait(TIMEOUT)
        content(data)(handler)

    web.routes["/app.pybundle"] = when_all_are_there
    script = FETCH.replace("print", "import bundleimp.fetching.websource; print('ready', flush=True); print", 1)
    processes = [start(script, f"{web.url}/app.pybundle#sha256={pin}") for _ in range(16)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)  # so that, without a lock, they ask; with one, the result does not depend on it
    go.set()
    path = f"{world / 'fetched' / pin / 'app.pybundle'}\n"
    assert [process.communicate(timeout=TIMEOUT) for process in processes] == [(path, "")] * 16
    assert web.paths == ["/app.pybundle"]
    assert left_over(world) == []


@needs_processes
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_process_that_is_killed_leaves_nothing_under_the_final_name(
    web: Web, world: Path, data: bytes, pin: str
) -> None:
    sent = threading.Event()

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        sent.set()
        web.ending.wait()

    web.routes["/app.pybundle"] = in_turn(half, data)
    url = f"{web.url}/app.pybundle#sha256={pin}"
    process = start(FETCH, url)
    assert sent.wait(TIMEOUT)
    while not any(name.endswith(".tmp") for name in left_over(world)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=TIMEOUT)
    assert kept(world) == []
    assert Path(bundleimp.fetch(url)).read_bytes() == data


def test_an_exception_of_the_program_leaves_nothing_behind(web: Web, world: Path, data: bytes, pin: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    web.routes["/app.pybundle"] = data
    with pytest.raises(KeyboardInterrupt):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", progress=interrupt)
    assert (kept(world), left_over(world)) == ([], [])
