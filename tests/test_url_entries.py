"""URLs as path entries, and where `mount`, `load_module` and the commands take a bundle."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle, run_python
from .command_line import bundleimp_command
from .fetching import _web, _world  # noqa: F401 (fixtures)
from .webserver import content, in_turn, status

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from .builders import Tree
    from .webserver import Web

TREE: Tree = {
    "app/__init__.py": "from . import part\nX = 1\n",
    "app/part.py": "def fail():\n    raise ValueError\n",
    "app/text.txt": "text",
    "app-1.dist-info/METADATA": "Name: app\nVersion: 1\n",
    "one.py": "",
    "two.py": "",
    "app/__main__.py": "import sys\nprint('ran', sys.argv[1:])\n",
}


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> bytes:
    return make_bundle(tmp_path / "app.pybundle", TREE).read_bytes()


@pytest.fixture(name="url")
def _url(web: Web, data: bytes) -> str:
    web.routes["/app.pybundle"] = content(data)
    return f"{web.url}/app.pybundle#sha256={hashlib.sha256(data).hexdigest()}"


def run(script: str, *arguments: str, **options: Any) -> Any:
    return run_python("-c", script, *arguments, BUNDLEIMP_CACHE_DIR=os.environ["BUNDLEIMP_CACHE_DIR"], **options)


def test_a_pinned_url_is_a_path_entry_and_then_an_alias_of_the_file(web: Web, url: str) -> None:
    script = """
import sys
sys.path.append(sys.argv[1])
import app, app.part, importlib.metadata, importlib.resources, inspect, pkgutil
print(app.X, importlib.metadata.version("app"), (importlib.resources.files(app) / "text.txt").read_text())
print(sys.argv[1] in sys.path, "http" in app.part.__file__, sorted(m.name for m in pkgutil.iter_modules(app.__path__)))
print(inspect.getsource(app.part.fail).splitlines()[0])
importlib.invalidate_caches()
import app.__main__
"""
    result = run("import json\n" + script, url)
    assert result.stdout == ("1 1 text\nTrue False ['__main__', 'part']\ndef fail():\nran ['" + url + "']\n")
    assert web.paths == ["/app.pybundle"]
    web.routes.clear()
    assert run("import sys\nsys.path.append(sys.argv[1])\nimport app\nprint(app.X)", url).stdout == "1\n"
    assert len(web.paths) == 1  # the pin is in the cache: no network


REFUSED: dict[str, tuple[Any, str]] = {
    "neither pinned nor signed": (
        lambda url: url.partition("#")[0],
        "is not pinned, so nothing is fetched: `bundleimp fetch",
    ),
    "another digest": (lambda url: url[:-8] + "00000000", "SHA-256"),
    "not found": (lambda url: url.replace("/app.", "/gone."), "404"),
    "no server": (lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"), "127.0.0.1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_fetched_is_one_warning_and_the_reason(web: Web, url: str, case: str) -> None:
    change, reason = REFUSED[case]
    bad = change(url) if case != "no server" else f"http://127.0.0.1:9/app.pybundle#{url.partition('#')[2]}"
    script = """
import sys
sys.path.append(sys.argv[1])
for name in ("app", "other", "app.part"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error)
"""
    result = run(script, bad)
    assert result.stderr.count("BundleWarning") == 1
    assert reason in result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert all(reason in line for line in lines[:2])
    assert case in {"not found", "another digest"} or not web.paths


def test_a_refused_url_and_mounts_are_events_of_trace(url: str) -> None:
    script = """
import bundleimp, importlib, sys
events = []
store = {"one.py": ""}
with bundleimp.trace(events.append):
    sys.path.append(sys.argv[1].replace("http://", "http://user:hush@").partition("#")[0])
    try:
        import app
    except ImportError:
        pass
    del sys.path[-1]  # it is asked for again after invalidate_caches
    with bundleimp.mount(store, "store"):
        store["../two.py"] = ""
        importlib.invalidate_caches()
for event in events:
    if event.kind in {"opened", "refused"}:
        print(event)
"""
    result = run(script, url)
    refused, opened, damaged = result.stdout.splitlines()
    assert ": refused: is not pinned, so nothing is fetched" in refused
    assert opened.endswith("/store.pybundle: opened")
    assert damaged.endswith("/store.pybundle: refused: the key has an empty part, '.' or '..'")
    assert "hush" not in result.stdout + result.stderr


def test_a_url_that_failed_is_asked_for_again_after_invalidate_caches(web: Web, url: str, data: bytes) -> None:
    web.routes["/app.pybundle"] = in_turn(status(404), content(data))
    script = """
import importlib, sys
sys.path.append(sys.argv[1])
for _ in range(2):
    try:
        import app
    except ImportError:
        print("missing")
print("once")
importlib.invalidate_caches()
import app
print(app.X)
"""
    assert run(script, url).stdout == "missing\nmissing\nonce\n1\n"
    assert len(web.paths) == 2


def test_a_file_in_the_cache_that_has_changed_is_fetched_again(web: Web, url: str) -> None:
    script = "import sys\nsys.path.append(sys.argv[1])\nimport app\nprint(app.X)"
    assert run(script, url).stdout == "1\n"
    (kept,) = Path(os.environ["BUNDLEIMP_CACHE_DIR"], "fetched").glob("*/app.pybundle")
    kept.chmod(0o600)
    data = bytearray(kept.read_bytes())
    data[data.index(b"X = 1")] ^= 1
    kept.write_bytes(data)
    assert run(script, url).stdout == "1\n"
    assert len(web.paths) == 2


def test_no_credentials_are_in_messages_or_in_the_cache(web: Web, url: str) -> None:
    web.routes.clear()
    secret = url.replace("http://", "http://user:hush@").replace("#", "?token=hush#")
    result = run("import sys\nsys.path.append(sys.argv[1])\nimport app", secret, check=False)
    assert "BundleWarning" in result.stderr
    assert "hush" not in result.stderr
    assert "hush" not in repr(list(os.walk(os.environ["BUNDLEIMP_CACHE_DIR"])))


def test_threads_that_import_meanwhile_do_not_hang(url: str) -> None:
    script = """
import sys, threading
sys.path.append(sys.argv[1])
names = ["app", "app.part", "http.client", "ssl", "urllib.request", "email.message", "json", "tempfile"]
threads = [threading.Thread(target=__import__, args=(name,)) for name in names * 2]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sys.modules["app"].X)
"""
    assert run(script, url).stdout == "1\n"


def test_another_thread_waits_for_what_is_being_fetched(web: Web, url: str, data: bytes) -> None:
    script = """
import sys, threading
sys.path.insert(0, sys.argv[1])
found = []
def work(name):
    found.append(__import__(name).__name__)
threads = [threading.Thread(target=work, args=(name,)) for name in ["app", "one", "two"] * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(set(found)), len(found))
"""
    asked = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        asked.wait(0.3)  # the other threads come while this one waits, mostly
        content(data)(handler)

    web.routes["/app.pybundle"] = slow
    result = run(script, url)
    assert (result.stdout, result.stderr) == ("['app', 'one', 'two'] 9\n", "")
    assert len(web.paths) == 1


def test_mount_and_load_module_take_urls(web: Web, url: str) -> None:
    script = """
import bundleimp, sys
with bundleimp.mount(sys.argv[1], forget=True) as mounted:
    import app
    print(app.X, mounted.modules())
print(bundleimp.load_module(sys.argv[1], "app").X)
try:
    bundleimp.mount(sys.argv[1].partition("#")[0])
except bundleimp.BundleFetchError as error:
    print("is not pinned" in str(error))
"""
    assert run(script, url).stdout == "1 ['app', 'app.part']\n1\nTrue\n"
    assert web.paths == ["/app.pybundle"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["list"], "app/part.py"),
        (["info"], "app"),
        (["verify"], "sound"),
        (["run", "URL", "-m", "app", "x"], "ran ['x']"),
        (["diff", "URL", "URL"], ""),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_commands_take_urls(url: str, words: list[str], shown: str) -> None:
    full = [url if word == "URL" else word for word in (words if "URL" in words else [*words, "URL"])]
    cache = os.environ["BUNDLEIMP_CACHE_DIR"]
    assert shown in bundleimp_command(*full, BUNDLEIMP_CACHE_DIR=cache).stdout
    bare = [word.partition("#")[0] for word in full]
    result = bundleimp_command(*bare, status=2, BUNDLEIMP_CACHE_DIR=cache)
    assert "is not pinned, so nothing is fetched" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_sign_does_not_sign_what_is_in_the_cache(url: str) -> None:
    assert "cannot be opened" in bundleimp_command("sign", url, "--key", "none", status=2).stderr
