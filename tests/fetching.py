"""What the tests of `fetch` share: a bundle to fetch, an empty cache, a server, and a world without proxies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from bundleimp.fetching import limits

from .builders import make_bundle
from .webserver import Web, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST_USE = "neither pinned nor signed: trusted on first use"
OTHER = "0" * 64
"""A digest that no file has."""


@pytest.fixture(name="world", autouse=True)
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache.  No proxy, netrc or switch of the machine counts, and tries follow at once."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("BUNDLEIMP_OFFLINE", "BUNDLEIMP_ALLOWED_SIGNERS", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(limits, "BACK_OFF", 0.0)
    return tmp_path / "cache"


@pytest.fixture(name="web")
def _web() -> Iterator[Web]:
    with serve() as web:
        yield web


@pytest.fixture(name="data", scope="session")
def _data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a bundle."""
    folder = tmp_path_factory.mktemp("fetched")
    return make_bundle(folder / "app.pybundle", {"app.py": "NAME = 'app'\n", "big.bin": bytes(200_000)}).read_bytes()


@pytest.fixture(name="pin")
def _pin(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def kept(cache: Path) -> list[str]:
    """Return the files that have a final name in the *cache*."""
    return sorted(str(path.relative_to(cache / "fetched")) for path in cache.glob("fetched/[!.]*/*.pybundle"))


def left_over(cache: Path) -> list[str]:
    """Return the temporary files and locks in the *cache*."""
    return [path.name for path in cache.glob("fetched/.*")]
