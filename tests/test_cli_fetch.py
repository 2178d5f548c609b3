"""``bundleimp fetch`` prints the local path, and all else on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .command_line import bundleimp_command, error_of
from .fetching import FIRST_USE, OTHER, _data, _pin, _web, _world  # noqa: F401 (fixtures)
from .platforms import needs_processes, needs_ssh_keygen
from .signing import allow, make_key, sign

if TYPE_CHECKING:
    from pathlib import Path

    from .webserver import Web

pytestmark = needs_processes


@pytest.fixture(name="url")
def _url(web: Web, data: bytes) -> str:
    web.routes["/app.pybundle"] = data
    return f"{web.url}/app.pybundle"


def test_the_path_is_all_that_is_printed(url: str, world: Path, pin: str) -> None:
    path = f"{world / 'fetched' / pin / 'app.pybundle'}\n"
    for arguments in ([f"{url}#sha256={pin}"], [url, "--sha256", pin], ["--offline", url, "--sha256", pin]):
        result = bundleimp_command("fetch", *arguments)
        assert (result.stdout, result.stderr) == (path, "")


def test_without_a_pin_the_line_for_the_next_time_is_printed(url: str, world: Path, pin: str) -> None:
    result = bundleimp_command("fetch", url)
    assert result.stdout == f"{world / 'fetched' / pin / 'app.pybundle'}\n"
    line = f"bundleimp fetch '{url}#sha256={pin}'"
    assert result.stderr == f"{url}: {FIRST_USE}; next time, type\n{line}\n"
    assert bundleimp_command("fetch", f"{url}#sha256={pin}", "--offline").stdout == result.stdout


def test_quiet_prints_the_path_only(url: str) -> None:
    assert bundleimp_command("fetch", "--quiet", url).stderr == ""


@needs_ssh_keygen
def test_the_signer_is_named(url: str, web: Web, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "app.pybundle"
    file.write_bytes(data)
    key = make_key(tmp_path / "key")
    web.routes["/app.pybundle.sig"] = sign(file, key).read_bytes()
    allowed = allow(tmp_path / "allowed", {"release": key})
    assert bundleimp_command("fetch", url, "--allowed-signers", allowed).stderr == f"{url}: signed by release\n"
    stranger = allow(tmp_path / "strangers", {"stranger": make_key(tmp_path / "stranger")})
    assert error_of("fetch", url, "--allowed-signers", stranger).startswith(
        f"{url}: its signature is not by an allowed"
    )


def test_headers_are_sent(url: str, web: Web, pin: str) -> None:
    bundleimp_command("fetch", url, "--sha256", pin, "--header", "X-One: 1", "--header", "x-two:a:b")
    assert [(given["X-One"], given["X-Two"]) for _, given in web.asked] == [("1", "a:b")]


def test_wrong_use_is_one_line(url: str) -> None:
    assert "the following arguments are required: URL" in error_of("fetch")
    assert error_of("fetch", "ftp://host/app.pybundle").startswith("ftp://host/app.pybundle: ftp is not supported")
    assert error_of("fetch", "app.pybundle").startswith("app.pybundle: is not a URL")
    assert error_of("fetch", url, "--sha256", "abc") == "'abc' is not a SHA-256 digest, which has 64 hexadecimal digits"
    assert "'0' is not a number of seconds" in error_of("fetch", url, "--timeout", "0")
    assert "'x' is not a size" in error_of("fetch", url, "--max-size", "x")
    assert "name that cannot be sent" in error_of("fetch", url, "--header", ": x")


def test_refusals_are_one_line(url: str, pin: str) -> None:
    assert error_of("fetch", url, "--sha256", OTHER) == (
        f"{url}: is not the pinned file: expected SHA-256 {OTHER}, found {pin}"
    )
    assert error_of("fetch", f"{url}x") == f"{url}x: the server answers 404 Not Found"
    assert "is larger than the limit of 10 bytes" in error_of("fetch", url, "--max-size", "10")
    assert "is not in the cache" in error_of("fetch", url, "--sha256", OTHER, "--offline")
    assert "the network is switched off" in error_of("fetch", url, BUNDLEIMP_OFFLINE="1")
