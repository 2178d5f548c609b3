"""The scripts of examples/seeds print what they promise, with real servers; and what is said when a server fails."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .builders import clean_environment, make_bundle, run_python
from .fetching import _web, _world  # noqa: F401 (fixtures)
from .platforms import needs_processes
from .webserver import content, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .webserver import Behaviour, Web

SEEDS = Path(__file__).parent.parent / "examples" / "seeds"
MOUNTS = f"{os.path.abspath(os.devnull)}{os.sep}"
needs_fsspec = pytest.mark.skipif(importlib.util.find_spec("fsspec") is None, reason="needs fsspec")
needs_http = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("fsspec", "aiohttp"))),
    reason="needs fsspec and aiohttp, which list the folders of a web server",
)
pytestmark = needs_processes


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run ``python -m http.server`` for *folder*, and give its URL."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment()
    ) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://[\d.:]+/", server.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            server.terminate()


@pytest.fixture(name="served")
def _served(tmp_path: Path) -> Path:
    """A copy of the folder that the README of the examples has served."""
    folder = tmp_path / "served"
    shutil.copytree(SEEDS / "served", folder, ignore=shutil.ignore_patterns("__pycache__"))
    make_bundle(
        tmp_path / "seeds.pybundle", {path: (folder / path).read_bytes() for path in ("fib.py",)} | grok(folder)
    )
    shutil.copy(tmp_path / "seeds.pybundle", folder)
    return folder


def grok(folder: Path) -> dict[str, str | bytes]:
    return {f"grok/{path.name}": path.read_bytes() for path in (folder / "grok").iterdir()}


def run_seed(name: str, *arguments: str) -> list[str]:
    """Run a script, which must print no error, and return its lines with ``<mounts>`` for where mounts are."""
    result = run_python(str(SEEDS / name), *arguments, BUNDLEIMP_CACHE_DIR=os.environ["BUNDLEIMP_CACHE_DIR"])
    assert result.stderr == ""
    return result.stdout.replace(MOUNTS, "<mounts>/").splitlines()


@needs_http
def test_explicit_load(served: Path) -> None:
    with serving(served) as url:
        assert run_seed("explicit_load.py", url) == [
            'mounted-1: is a mapping that may be over a network: give its digests, or say trust="unverified"',
            "fib: I am being loaded",
            "55",
            "False True",
            "nothing is missing",
        ]


@needs_http
def test_remote_finder(served: Path) -> None:
    with serving(served) as url:
        assert run_seed("remote_finder.py", url) == [
            "fib: I am being loaded",
            "spam: I am being loaded",
            "spam: hello number 55",
            "['fib', 'spam']",
            "spam: hello from the old object",
            "No module named 'fib'",
        ]


def test_url_on_path(served: Path) -> None:
    with serving(served) as url:
        refusal, *lines, finder = run_seed("url_on_path.py", f"{url}seeds.pybundle")
    assert "is not pinned, so nothing is fetched: `bundleimp fetch" in refusal
    assert lines == ["fib: I am being loaded", "grok: I have blah from a submodule", "55 blah", "True"]
    assert re.fullmatch(r"BundleFinder\('.*seeds\.pybundle'\)", finder)


@needs_http
def test_remote_packages(served: Path) -> None:
    with serving(served) as url:
        assert run_seed("remote_packages.py", url) == [
            "grok: I have blah from a submodule",
            "grok grok ['<mounts>/server.pybundle/grok']",
            "some text",
            "on the server and in a dict",
            "['<mounts>/server.pybundle/tools', '<mounts>/near.pybundle/tools']",
        ]


@needs_http
def test_new_file(served: Path) -> None:
    with serving(served) as url:
        assert run_seed("new_file.py", url, str(served)) == [
            "No module named 'late'",
            "late: I am being loaded",
            "<mounts>/server.pybundle: late.py: is not in the store any more",
        ]


def test_shelve_importer(tmp_path: Path) -> None:
    for _ in range(2):  # the second time, over what the first one has left
        assert run_seed("shelve_importer.py", str(tmp_path / "store")) == [
            "package: loaded",
            "<mounts>/shelve.pybundle/package/module.py first",
            'WORD = "first"',
            "second",
            "b'data\\n'",
            "FileNotFoundError <mounts>/shelve.pybundle/package/missing",
            "ModuleNotFoundError No module named 'package.missing'",
            "ValueError raised to break the import",
            "BundleFormatError <mounts>/shelve.pybundle: package/number.py: is of type int, and not bytes or text",
        ]


def test_out_of_nothing() -> None:
    assert run_seed("out_of_nothing.py") == ["hello <mounts>/mounted-1.pybundle/greeting.py", "42"]


@needs_fsspec
def test_any_filesystem() -> None:
    assert run_seed("any_filesystem.py") == [
        "1 ['plugin', 'plugin.part']",
        "1 2",
        "<mounts>/nowhere.pybundle: cannot be listed: FileNotFoundError: its folder does not exist",
    ]


@needs_http
def test_lazy_loader(served: Path) -> None:
    with serving(served) as url:
        assert run_seed("lazy_loader.py", url) == [
            "nothing was loaded",
            "spam: I am being loaded",
            "spam: hello at last",
        ]


def test_noisy_importer() -> None:
    for _ in range(2):  # the second time, with a filled cache
        # Several finders may be asked for a module that is missing.
        lines = [line for line, _ in itertools.groupby(map(str.strip, run_seed("noisy_importer.py")))]
        assert lines == [
            "import noisy.part",
            *("found noisy", "load noisy", "loaded noisy"),
            *("found noisy.part", "load noisy.part", "loaded noisy.part"),
            "import noisy.missing",
            "missing noisy.missing",
            "ModuleNotFoundError No module named 'noisy.missing'",
            "import noisy.broken",
            *("found noisy.broken", "load noisy.broken", "failed noisy.broken ValueError: no"),
            "ValueError no",
            "quiet was loaded without a word",
        ]


def test_each_script_is_in_the_table_and_has_a_test() -> None:
    scripts = sorted(path.name for path in SEEDS.glob("*.py"))
    assert sorted(re.findall(r"\]\((\w+\.py)\)", (SEEDS / "README.md").read_text("utf-8"))) == scripts
    assert [name for name in scripts if f"test_{name.removesuffix('.py')}" not in globals()] == []


GONE = """
import importlib, re, subprocess, sys, warnings
import bundleimp, fsspec

def attempt(name):
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(type(error).__name__, error)

command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", sys.argv[1]]
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
    url = re.search(r"http://[0-9.:]+/", server.stdout.readline())[0]
    mounted = bundleimp.mount(fsspec.get_mapper(url), "server", trust="unverified")
    import fib
    server.terminate()
attempt("spam")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    importlib.invalidate_caches()
print(len(caught), caught[0].message)
attempt("spam")
print(fib.fib(10))
mounted.close()
try:
    bundleimp.mount(fsspec.get_mapper(url), "again", trust="unverified")
except bundleimp.BundleError as error:
    print(type(error).__name__, error)
"""


@needs_http
def test_a_server_that_is_gone_half_way_is_one_clear_error(served: Path) -> None:
    lines = run_python("-c", GONE, str(served)).stdout.replace(MOUNTS, "").splitlines()
    patterns = [
        "fib: I am being loaded",
        r"BundleFormatError server\.pybundle: spam\.py: cannot be read: Client\w+Error: Cannot connect to host .*",
        r"1 server\.pybundle: cannot be listed: Client\w+Error: Cannot connect to host .*",
        r"ModuleNotFoundError No module named 'spam', unless .*: server\.pybundle: cannot be listed: Client.*",
        "55",
        r"BundleFormatError again\.pybundle: cannot be listed: Client\w+Error: Cannot connect to host .*",
    ]
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line)


LISTED = '<a href="plugs.py">plugs.py</a>'
FAILURES: dict[str, tuple[Behaviour, str]] = {
    "not found": (status(404), "is not in the store any more"),
    "broken": (status(500), "cannot be read: ClientResponseError: 500"),
    "cut": (content(b"X = ", length=1000), "cannot be read: ClientPayloadError"),
    "no text": (content(b"\xff\xfe"), ""),
}
LISTING = """
import bundleimp, fsspec, sys
with bundleimp.mount(fsspec.get_mapper(sys.argv[1]), "server", trust="unverified"):
    try:
        import plugs
    except (ImportError, SyntaxError) as error:
        print(type(error).__name__, error)
"""


@needs_http
@pytest.mark.parametrize("case", FAILURES)
def test_a_file_that_the_server_does_not_give_is_an_error_that_names_store_and_key(web: Web, case: str) -> None:
    behaviour, reason = FAILURES[case]
    web.routes |= {"/": content(LISTED.encode(), Content_Type="text/html"), "/plugs.py": behaviour}
    printed = run_python("-c", LISTING, f"{web.url}/").stdout.replace(MOUNTS, "")
    if case == "no text":
        assert printed.startswith("SyntaxError ")
    else:
        assert printed.startswith(f"BundleFormatError server.pybundle: plugs.py: {reason}")


@needs_http
def test_a_folder_that_the_server_does_not_have_is_an_error_without_the_password(web: Web) -> None:
    url = web.url.replace("http://", "http://user:hush@")
    result = run_python("-c", LISTING, f"{url}/nowhere/", check=False)
    assert "server.pybundle: cannot be listed: FileNotFoundError: its folder does not exist" in result.stderr
    assert "hush" not in result.stderr
