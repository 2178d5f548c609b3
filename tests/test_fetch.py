"""``bundleimp.fetch``: pins, signatures, the cache, and what is refused."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.fetching import addresses, locks
from bundleimp.fetching.entry import resolve
from bundleimp.fetching.errors import BundleFetchError, OutOfTimeError, SourceError, StoreError
from bundleimp.fetching.fetch import Wanted, obtain
from bundleimp.fetching.limits import Deadline, retry_after, wait_before
from bundleimp.inspection import cache as cache_logic
from bundleimp.inspection.cachecheck import check
from bundleimp.runtime.faults.kinds import BundleSignatureError

from .builders import make_bundle, run_python
from .fetching import FIRST_USE, OTHER, _data, _pin, _web, _world, kept, left_over  # noqa: F401 (fixtures)
from .platforms import needs_processes, needs_ssh_keygen, needs_threads
from .signing import allow, make_key, sign
from .webserver import Web, content, in_turn, status

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = needs_threads

SECRETS = ("secret", "user")

# Pins


def test_a_pinned_bundle_is_fetched_and_can_be_imported_from(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin.upper()}")
    assert path == str(world / "fetched" / pin / "app.pybundle")
    assert Path(path).read_bytes() == data
    assert left_over(world) == []
    assert run_python("-c", "import app; print(app.NAME)", path=[path]).stdout == "app\n"


def test_the_digest_may_be_an_argument(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle", sha256=pin)
    assert bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", sha256=pin) == path
    assert len(web.asked) == 1


def test_a_file_that_is_not_the_pinned_one_is_refused(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data + b"\0"
    with pytest.raises(BundleFetchError) as caught:
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    found = hashlib.sha256(data + b"\0").hexdigest()
    assert str(caught.value) == (
        f"{web.url}/app.pybundle: is not the pinned file: expected SHA-256 {pin}, found {found}"
    )
    assert (kept(world), left_over(world)) == ([], [])


def test_a_bundle_that_is_not_pinned_is_a_warning_with_the_pin(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    with pytest.warns(bundleimp.BundleWarning) as caught:
        path = bundleimp.fetch(f"{web.url}/app.pybundle")
    assert [(str(one.message), one.filename) for one in caught] == [
        (f"{web.url}/app.pybundle: {FIRST_USE}; next time, fetch {web.url}/app.pybundle#sha256={pin}", __file__)
    ]
    assert bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}") == path
    assert len(web.asked) == 1


@pytest.mark.parametrize("pinned", [False, True])
def test_a_file_that_is_no_zip_is_refused_pinned_or_not(web: Web, world: Path, pinned: bool) -> None:
    page = b"<html>Please log in</html>"
    web.routes["/app.pybundle"] = page
    with pytest.raises(BundleFetchError, match="is not a bundle: the fetched file is not a zip archive"):
        bundleimp.fetch(f"{web.url}/app.pybundle", sha256=hashlib.sha256(page).hexdigest() if pinned else None)
    assert (kept(world), left_over(world)) == ([], [])


def test_pins_that_contradict_each_other_are_refused(web: Web, pin: str) -> None:
    with pytest.raises(BundleFetchError, match="more than one digest is given for one file"):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", sha256=OTHER)
    assert web.asked == []


@pytest.mark.parametrize("given", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "../" + "0" * 61])
def test_a_digest_that_is_none_is_refused(web: Web, given: str) -> None:
    with pytest.raises(BundleFetchError, match="64 hexadecimal digits"):
        bundleimp.fetch(f"{web.url}/app.pybundle", sha256=given)
    for get in (bundleimp.fetch, resolve):
        with pytest.raises(BundleFetchError, match="64 hexadecimal digits"):
            get(f"{web.url}/app.pybundle#sha256={given}")
    assert web.asked == []


def test_a_pin_does_not_lead_out_of_the_folder_of_fetched_files(world: Path, data: bytes) -> None:
    evil = world / "elsewhere"
    evil.mkdir(parents=True)
    (world / "fetched").mkdir()
    (evil / "app.pybundle").write_bytes(data)
    (evil / "checked").write_text(f"{len(data)} {(evil / 'app.pybundle').stat().st_mtime_ns}\n")
    with pytest.raises(BundleFetchError, match="is not a pin"):
        resolve("https://host/app.pybundle#sha256=../elsewhere")


# Several URLs


def test_urls_are_tried_in_turn(web: Web, data: bytes, pin: str) -> None:
    web.routes |= {"/other.pybundle": b"other", "/app.pybundle": data}
    urls = [f"{web.url}/{name}.pybundle" for name in ("missing", "other", "app", "never")]
    assert Path(bundleimp.fetch(*urls, sha256=pin)).read_bytes() == data
    assert web.paths == ["/missing.pybundle", "/other.pybundle", "/app.pybundle"]


def test_where_no_url_gives_the_file_each_reason_is_named(web: Web, pin: str) -> None:
    web.routes["/other.pybundle"] = b"other"
    with pytest.raises(BundleFetchError) as caught:
        bundleimp.fetch(f"{web.url}/missing.pybundle", f"{web.url}/other.pybundle", sha256=pin)
    message = str(caught.value)
    assert message.startswith("none of the 2 URLs gives the file: ")
    assert f"{web.url}/missing.pybundle: the server answers 404 Not Found; " in message
    assert f"{web.url}/other.pybundle: is not the pinned file" in message


# The cache


def test_a_pin_that_is_in_the_cache_needs_no_network(data: bytes, pin: str, web: Web) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert bundleimp.fetch(f"http://127.0.0.1:1/else.pybundle#sha256={pin}", offline=True) == path
    assert resolve(f"http://127.0.0.1:1/else.pybundle#sha256={pin}") == path
    assert len(web.asked) == 1


def test_a_damaged_file_in_the_cache_is_fetched_again(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = Path(bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}"))
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(bytes(len(data)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(BundleFetchError, match="is not in the cache, and the network is switched off"):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", offline=True)
    assert bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}") == str(path)
    assert path.read_bytes() == data
    assert len(web.asked) == 2


def test_a_path_entry_that_was_written_to_in_the_cache_is_fetched_again(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = Path(resolve(f"{web.url}/app.pybundle#sha256={pin}"))
    path.chmod(0o644)
    path.write_bytes(bytes(len(data)))
    os.utime(path, ns=(1, 1))
    assert resolve(f"{web.url}/app.pybundle#sha256={pin}") == str(path)
    assert path.read_bytes() == data


def test_a_copy_of_the_cache_with_other_times_is_checked_and_used(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    os.utime(path, ns=(1, 1))
    assert [resolve(f"{web.url}/app.pybundle#sha256={pin}") for _ in range(2)] == [path, path]
    assert len(web.asked) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_fetched_file_is_read_only(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444


def test_the_cache_command_knows_fetched_files(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    fetched = f"import bundleimp; bundleimp.fetch('{web.url}/app.pybundle#sha256={pin}')"
    run_python("-c", fetched)
    lock = world / "fetched" / f".{pin}.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    assert [(entry.kind, entry.name) for entry in cache_logic.entries(str(world))] == [("fetched", pin)]
    assert [entry.name for entry in cache_logic.prune(str(world), older_than=1).removed] == []
    assert not lock.exists()
    assert [entry.name for entry in cache_logic.clear(str(world)).removed] == [pin]
    assert kept(world) == []


def test_the_cache_command_checks_fetched_files(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    path = bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    assert list(check(str(world))) == []
    os.chmod(path, 0o644)
    Path(path).write_bytes(data + b"\0")
    assert [(fault.path, fault.text.partition(";")[0]) for fault in check(str(world))] == [
        (path, "differs from what was fetched")
    ]


@needs_processes
def test_a_file_in_use_stays_in_the_cache(web: Web, world: Path, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    fetched = f"import bundleimp; print(bundleimp.fetch('{web.url}/app.pybundle#sha256={pin}'), flush=True)"
    run_python("-c", fetched)
    script = f"{fetched}; input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [one.reason for one in cache_logic.clear(str(world)).kept] == ["in use"]
        process.communicate(b"\n")
    assert [entry.name for entry in cache_logic.clear(str(world)).removed] == [pin]


def test_without_a_cache_folder_the_error_says_so(
    web: Web, data: bytes, pin: str, unwritable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.routes["/app.pybundle"] = data
    monkeypatch.setenv("BUNDLEIMP_CACHE_DIR", unwritable)
    with pytest.raises(StoreError, match="BUNDLEIMP_CACHE_DIR names, cannot be used"):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")


@needs_processes
def test_a_full_disk_is_an_error_and_no_further_url_is_tried(web: Web, world: Path, data: bytes, pin: str) -> None:
    resource: ModuleType = pytest.importorskip("resource")
    web.routes["/app.pybundle"] = data
    script = f"""
import resource, bundleimp
from bundleimp.fetching.errors import StoreError
import bundleimp.fetching.websource
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
try:
    bundleimp.fetch('{web.url}/app.pybundle', '{web.url}/again.pybundle', sha256='{pin}')
except StoreError as error:
    print(error)
"""
    assert resource.RLIMIT_FSIZE is not None
    printed = run_python("-c", script, PYTHONDONTWRITEBYTECODE="1").stdout
    assert printed.startswith(str(world / "fetched"))
    assert printed.endswith(": cannot be written: File too large\n")
    assert web.paths == ["/app.pybundle"]
    assert (kept(world), left_over(world)) == ([], [])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/app.pybundle", "app.pybundle"),
        ("/app.pybundle.zip", "app.pybundle"),
        ("/lib-1.0-py3-none-any.whl", "lib-1.0-py3-none-any.pybundle"),
        ("/download/s3cr3t", "bundle.pybundle"),
        ("/download/s3cr.3t", "bundle.pybundle"),
        ("/", "bundle.pybundle"),
        ("/..%2f..%2fevil%00.pybundle", "_.._evil_.pybundle"),
        ("/...pybundle", "bundle.pybundle"),
        ("/" + "x" * 300 + ".zip", "x" * 100 + ".pybundle"),
    ],
)
def test_the_name_in_the_cache_is_that_of_an_archive(path: str, name: str) -> None:
    assert addresses.parse(f"https://host{path}?token=secret").name == name


# Offline


def test_offline_nothing_is_asked(web: Web, data: bytes, pin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    web.routes["/app.pybundle"] = data
    with pytest.raises(
        BundleFetchError, match=r"is not in the cache, and the network is switched off \(offline, BUNDLEIMP_OFF"
    ):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", offline=True)
    monkeypatch.setenv("BUNDLEIMP_OFFLINE", "1")
    with pytest.raises(BundleFetchError, match="is not in the cache, and the network is switched off"):
        bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")
    with pytest.raises(BundleFetchError, match="is not pinned, and the network is switched off"):
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert web.asked == []
    assert bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}", offline=False)
    monkeypatch.setenv("BUNDLEIMP_OFFLINE", "0")
    assert bundleimp.fetch(f"{web.url}/app.pybundle#sha256={pin}")


# Signatures


class Signed:
    """A signed bundle on a server."""

    def __init__(self, folder: Path, web: Web, data: bytes) -> None:
        self.web = web
        self.url = f"{web.url}/app.pybundle"
        self.file = folder / "app.pybundle"
        self.file.write_bytes(data)
        self.key = make_key(folder / "key")
        self.allowed = allow(folder / "allowed", {"release": self.key})
        self.serve()

    def serve(self) -> None:
        """Give the bundle and its signature."""
        signature = sign(self.file, self.key).read_bytes()
        self.web.routes |= {"/app.pybundle": self.file.read_bytes(), "/app.pybundle.sig": signature}

    def fetch(self, **options: bool | str) -> str:
        """Fetch it, signed by an allowed signer."""
        return bundleimp.fetch(self.url, allowed_signers=self.allowed, **options)  # type: ignore[arg-type]


@pytest.fixture(name="signed")
def _signed(tmp_path: Path, web: Web, data: bytes) -> Signed:
    return Signed(tmp_path, web, data)


@needs_ssh_keygen
def test_a_signed_bundle_needs_no_pin_and_its_signature_lies_beside_it(signed: Signed, pin: str) -> None:
    path = signed.fetch()
    assert Path(path + ".sig").read_bytes() == signed.web.routes["/app.pybundle.sig"]
    fetched = obtain(Wanted((signed.url,), allowed_signers=signed.allowed))
    assert (fetched.signer, fetched.sha256, fetched.is_trusted_on_first_use) == ("release", pin, False)
    assert resolve(signed.url, allowed_signers=signed.allowed) == path


@needs_ssh_keygen
def test_a_signed_bundle_whose_signature_is_in_the_cache_is_not_fetched_again(signed: Signed) -> None:
    assert signed.fetch() == signed.fetch()
    assert signed.web.paths == ["/app.pybundle.sig", "/app.pybundle", "/app.pybundle.sig"]


@needs_ssh_keygen
def test_a_new_version_of_a_signed_bundle_is_fetched(signed: Signed, tmp_path: Path) -> None:
    first = signed.fetch()
    signed.file.write_bytes(make_bundle(tmp_path / "new.pybundle", {"app.py": "NAME = 'new'\n"}).read_bytes())
    signed.serve()
    second = signed.fetch()
    assert first != second
    assert Path(second).read_bytes() == signed.file.read_bytes()
    assert signed.fetch(offline=True) == second


@needs_ssh_keygen
def test_a_bundle_that_its_signer_has_not_signed_is_refused(signed: Signed, world: Path, tmp_path: Path) -> None:
    other = make_bundle(tmp_path / "other.pybundle", {"app.py": "evil\n"}).read_bytes()
    signed.web.routes["/app.pybundle"] = other
    with pytest.raises(BundleSignatureError, match="its signature is not a valid one of this file") as caught:
        signed.fetch()
    assert caught.value.file == signed.url
    with pytest.raises(BundleSignatureError):
        signed.fetch(sha256=hashlib.sha256(other).hexdigest())
    assert (kept(world), left_over(world)) == ([], [])


@needs_ssh_keygen
def test_a_bundle_signed_by_somebody_else_is_refused(signed: Signed, world: Path, tmp_path: Path) -> None:
    signed.key = make_key(tmp_path / "stranger")
    signed.serve()
    with pytest.raises(BundleSignatureError, match="its signature is not by an allowed signer"):
        signed.fetch()
    assert kept(world) == []


@needs_ssh_keygen
def test_without_a_signature_nothing_is_fetched(signed: Signed, world: Path) -> None:
    del signed.web.routes["/app.pybundle.sig"]
    expected = f"{signed.url}: its signature cannot be fetched: {signed.url}.sig: the server answers 404 Not Found"
    with pytest.raises(BundleFetchError) as caught:
        signed.fetch()
    assert str(caught.value) == expected
    assert (signed.web.paths, kept(world)) == (["/app.pybundle.sig"], [])


@needs_ssh_keygen
def test_a_pinned_bundle_in_the_cache_gets_its_signature_when_it_is_wanted(signed: Signed, pin: str) -> None:
    path = bundleimp.fetch(signed.url, sha256=pin)
    with pytest.raises(BundleSignatureError, match="is not signed"):
        signed.fetch(sha256=pin, offline=True)
    assert signed.fetch(sha256=pin) == path
    assert signed.fetch(sha256=pin, offline=True) == path
    assert signed.web.paths == ["/app.pybundle", "/app.pybundle.sig"]


@needs_ssh_keygen
def test_a_signature_of_the_cache_that_does_not_count_any_more_is_fetched_again(signed: Signed, tmp_path: Path) -> None:
    path = signed.fetch()
    signed.key = make_key(tmp_path / "next")
    signed.allowed = allow(tmp_path / "next_allowed", {"next": signed.key})
    signed.serve()
    with pytest.raises(BundleSignatureError):
        signed.fetch(offline=True)
    assert signed.fetch() == path
    assert signed.fetch(offline=True) == path


@needs_ssh_keygen
def test_offline_a_signed_bundle_is_found_by_its_url(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleFetchError, match="is not in the cache"):
        signed.fetch(offline=True)
    path = signed.fetch()
    assert bundleimp.fetch(f"{signed.url}?version=1", allowed_signers=signed.allowed) == path
    count = len(signed.web.asked)
    assert signed.fetch(offline=True) == path
    signed.url += "?version=2"  # perhaps another file of the same signer
    with pytest.raises(BundleFetchError, match="is not in the cache"):
        signed.fetch(offline=True)
    assert len(signed.web.asked) == count
    monkeypatch.setenv("BUNDLEIMP_ALLOWED_SIGNERS", str(signed.allowed))
    assert bundleimp.fetch(signed.url.partition("?")[0], offline=True) == path


@needs_ssh_keygen
def test_where_imports_have_to_be_signed_so_has_what_is_fetched(
    signed: Signed, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUNDLEIMP_ALLOWED_SIGNERS", str(signed.allowed))
    path = resolve(f"{signed.url}#sha256={pin}")
    script = "import app; print(app.NAME)"
    assert run_python("-c", script, path=[path], BUNDLEIMP_ALLOWED_SIGNERS=str(signed.allowed)).stdout == "app\n"
    del signed.web.routes["/app.pybundle.sig"]
    os.unlink(f"{path}.sig")
    with pytest.raises(BundleFetchError, match="its signature cannot be fetched"):
        resolve(f"{signed.url}#sha256={pin}")


@needs_ssh_keygen
def test_an_endless_signature_is_refused(signed: Signed) -> None:
    signed.web.routes["/app.pybundle.sig"] = content(bytes(1 << 20), length=-1)
    with pytest.raises(BundleFetchError, match=r"its signature cannot be fetched: .*is larger than the limit"):
        signed.fetch()


@needs_ssh_keygen
@pytest.mark.parametrize("pinned", [True, False])
def test_many_threads_fetch_a_bundle_once(signed: Signed, pin: str, pinned: bool) -> None:
    pytest.importorskip("fcntl")
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: signed.fetch(**{"sha256": pin} if pinned else {}), range(8)))
    assert len(set(paths)) == 1
    assert signed.web.paths.count("/app.pybundle") == 1


# Path entries


def test_a_path_entry_that_is_not_pinned_is_refused_with_the_line_to_type(web: Web, data: bytes) -> None:
    web.routes["/app.pybundle"] = data
    with pytest.raises(BundleFetchError) as caught:
        resolve(f"{web.url}/app.pybundle")
    url = f"{web.url}/app.pybundle"
    assert str(caught.value) == (
        f"{url}: is not pinned, so nothing is fetched: `bundleimp fetch '{url}'` prints the URL with its pin"
    )
    assert web.asked == []


def test_a_path_entry_in_the_cache_loads_no_client(web: Web, data: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = data
    script = f"""
import sys
from bundleimp.fetching.entry import resolve
before = set(sys.modules)
resolve('{web.url}/app.pybundle#sha256={pin}')
loaded = set(sys.modules) - before
print(sorted({{'hashlib', 'http.client', 'socket', 'ssl', 'urllib.parse', 'dataclasses'}} & loaded))
"""
    first, second = (run_python("-c", script).stdout for _ in range(2))
    assert "'http.client'" in first
    assert second == "[]\n"


# What is no URL


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("app.pybundle", "it has no scheme"),
        ("", "it has no scheme"),
        ("https:/host/app.pybundle", "it has no scheme"),
        ("ftp://host/app.pybundle", "ftp is not supported"),
        ("https:///app.pybundle", "it has no host"),
        ("https://host:port/app.pybundle", "its host or its port is not valid"),
        ("https://[::1/app.pybundle", "its host or its port is not valid"),
        ("https://host/app one.pybundle", "a space or a control character"),
        ("https://host/app\r\nX: 1", "a space or a control character"),
        ("https://host/app.pybundle#md5=00", "is not a pin"),
        ("https://host/app.pybundle#", "is not a pin"),
        ("file://host/app.pybundle", "names a file of another host"),
        ("file:///no/such/app.pybundle", "No such file"),
        ("file:///", "is not a regular file"),
    ],
)
def test_what_cannot_be_fetched_is_one_clear_line(url: str, reason: str) -> None:
    with pytest.raises(BundleFetchError, match=reason) as caught:
        bundleimp.fetch(url)
    assert "\n" not in str(caught.value)


def test_a_file_url_is_copied_and_checked(tmp_path: Path, world: Path, data: bytes, pin: str) -> None:
    file = tmp_path / "my app.pybundle"
    file.write_bytes(data)
    path = bundleimp.fetch(file.as_uri(), offline=True)
    assert path == str(world / "fetched" / pin / "my_app.pybundle")
    with pytest.raises(BundleFetchError, match="is not the pinned file"):
        bundleimp.fetch(file.as_uri(), sha256=OTHER)


def test_other_schemes_need_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(BundleFetchError, match=r"^s3://bucket/app.pybundle: the scheme s3 needs fsspec: install it"):
        bundleimp.fetch("s3://bucket/app.pybundle")


class Files:
    """A file system of fsspec that does not know when to stop, or fails with a text that nobody may see."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def url_to_fs(self, _: str, **_options: object) -> tuple[Files, str]:
        return self, "path"

    def open(self, *_: object) -> Files:
        return self

    def size(self, _: str) -> None:
        return None

    def read(self, _: int) -> bytes:
        if self.fails:
            message = "secret"
            raise RuntimeError(message)
        time.sleep(0.01)
        return b"x"

    def close(self) -> None:
        pass


def test_an_endless_file_of_fsspec_ends_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", Files())
    with pytest.raises(OutOfTimeError, match=r"^s3://bucket/app.pybundle: takes longer than 0.2 s"):
        bundleimp.fetch("s3://bucket/app.pybundle", timeout=0.2, max_size=1000)


def test_texts_of_libraries_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", Files(fails=True))
    with pytest.raises(BundleFetchError) as caught:
        bundleimp.fetch("s3://bucket/app.pybundle", storage_options={"key": "secret"})
    assert str(caught.value) == "s3://bucket/app.pybundle: cannot be read: RuntimeError"


def test_other_schemes_are_read_with_fsspec(data: bytes, pin: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/shop/app.pybundle", data)
    path = bundleimp.fetch(f"memory://shop/app.pybundle#sha256={pin}", storage_options={"skip_instance_cache": True})
    assert Path(path).read_bytes() == data
    with pytest.raises(BundleFetchError, match=r"memory://shop/none.pybundle: cannot be read: "):
        bundleimp.fetch("memory://shop/none.pybundle")
    with pytest.raises(BundleFetchError, match="fsspec cannot read the scheme nothing"):
        bundleimp.fetch("nothing://shop/app.pybundle")


def test_options_of_another_scheme_are_refused(web: Web) -> None:
    with pytest.raises(BundleFetchError, match="storage_options are for schemes that fsspec reads"):
        bundleimp.fetch(f"{web.url}/app.pybundle", storage_options={"key": "secret"})


# Secrets


@pytest.mark.parametrize("answer", [status(404), status(500), b"no zip", content(b"short", length=9)])
def test_no_credentials_are_in_messages(web: Web, world: Path, answer: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = answer
    url = web.url.replace("//", "//user:secret@") + "/app.pybundle?token=secret#sha256=" + pin
    for urls in ([url], [url, url]):
        with pytest.raises(BundleFetchError) as caught:
            bundleimp.fetch(*urls)
        shown = f"{caught.value} {caught.value.file} {caught.value!r} {caught.value.__cause__}"
        assert web.url.replace("//", "//***@") + "/app.pybundle?***" in shown
        assert not [secret for secret in SECRETS if secret in shown]
    assert not [path for path in world.rglob("*") if "secret" in path.name]


def test_no_credentials_are_in_warnings_and_in_the_cache(web: Web, world: Path, data: bytes) -> None:
    web.routes["/app.pybundle"] = data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bundleimp.fetch(web.url.replace("//", "//user:secret@") + "/app.pybundle?token=secret")
    assert [FIRST_USE in str(one.message) for one in caught] == [True]
    assert "secret" not in str(caught[0].message)
    for path in world.rglob("*"):
        assert "secret" not in str(path)
        assert path.is_dir() or b"secret" not in path.read_bytes()


@needs_processes
@pytest.mark.parametrize("answer", [status(404), b"no zip", content(b"short", length=9)])
def test_no_credentials_are_in_tracebacks(web: Web, answer: bytes, pin: str) -> None:
    web.routes["/app.pybundle"] = answer
    url = web.url.replace("//", "//user:secret@") + "/app.pybundle?token=secret#sha256=" + pin
    script = "import os, bundleimp\nbundleimp.fetch(os.environ['URL'], headers={'X-Token': os.environ['VALUE']})"
    result = run_python("-c", script, check=False, URL=url, VALUE="secret")
    assert result.stderr.count("Traceback") == 1
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "url",
    ["user:secret@host/app", "https://user:secret@host:port/?a", "https://user:secret@host/a b?secret", "x?secret"],
)
def test_no_credentials_are_in_messages_about_what_is_no_url(url: str) -> None:
    with pytest.raises(BundleFetchError) as caught:
        bundleimp.fetch(url)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_no_credentials_are_in_the_text_of_an_address() -> None:
    address = addresses.parse("https://user:secret@host/app.pybundle?token=secret")
    assert "secret" not in repr(address)
    assert "secret" not in repr(Wanted((), headers={"a": "secret"}, storage_options={"a": "secret"}))


# Locks and limits


def test_a_lock_that_is_held_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    path = str(tmp_path / "lock")
    with locks.held(path, Deadline(60)):
        with pytest.raises(OutOfTimeError), locks.held(path, Deadline(0.1)):
            pass
        assert os.path.exists(path)
    assert not os.path.exists(path)
    with locks.held(path, Deadline(60)):
        pass


def test_a_fetch_by_another_process_is_waited_for_until_the_deadline(web: Web, world: Path, pin: str) -> None:
    pytest.importorskip("fcntl")
    (world / "fetched").mkdir(parents=True)
    with (
        locks.held(str(world / "fetched" / f".{pin}.lock"), Deadline(60)),
        pytest.raises(OutOfTimeError, match=f"^{web.url}/app.pybundle: takes longer than 0.1 s"),
    ):
        bundleimp.fetch(f"{web.url}/app.pybundle", sha256=pin, timeout=0.1)
    assert web.asked == []


def test_waiting_is_bounded() -> None:
    assert [wait_before(1, 5.0), wait_before(1, 61.0), wait_before(4, None)] == [5.0, None, None]
    assert [retry_after("7"), retry_after("x"), retry_after(None)] == [7.0, None, None]
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert (retry_after("Wed, 21 Oct 2099 07:28:00 -0000") or 0) > 60


def test_a_source_error_has_no_cause_in_what_is_raised(web: Web) -> None:
    web.routes["/app.pybundle"] = in_turn(status(500))
    with pytest.raises(BundleFetchError, match=r"the server answers 500 Internal Server Error \(4 tries\)") as caught:
        bundleimp.fetch(f"{web.url}/app.pybundle")
    assert caught.value.__suppress_context__
    assert isinstance(caught.value.__context__, SourceError)
