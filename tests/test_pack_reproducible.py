"""The same inputs give the same bytes, whatever process, machine or hour makes them."""

from __future__ import annotations

import compileall
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bundleimp

from .builders import Tree, make_tree, run_python
from .strategies import contents, examples

# Constants whose marshalled form could depend on the hash seed, on reference counts or on what else is interned.
CONSTANTS = (
    '''
"""A docstring with ünïcode."""
NAMES = {"alpha", "beta", "gamma", "delta", 1, 2.5, None, b"bytes", ("a", "tuple")}

def part(text):
    return text["alpha":"a constant slice from 3.14 on"], text["path":"sys":"name"]

def member(x):
    return x in {"one", "two", "three", "four", "five", "six", ("seven", 8), frozenset()}

def nested(a, b=("default", 1.5, 10**30)):
    def inner(c, *, key="key"):
        deep = lambda d: (a, b, c, d, key, f"{a!r:>{b}} and {c}")
        return [deep(d) for d in range(1000) if d not in {1, 2, 3}]
    return inner

class Outer:
    attribute: "int" = 12345678901234567890
    class Inner:
        __slots__ = ("slot", "other", "path", "sys", "name")
        def method(self, *args, **kwargs):
            nonlocal_ = 1
            def closure():
                nonlocal nonlocal_
                nonlocal_ += 1
                return super().__init__, nonlocal_, ..., 1j, -0.0, "path"
            return closure

match NAMES:
    case {"a": [1, *rest]} if rest: pass
    case str() | bytes(): pass
    case _: pass

TEXT = f"{'nested' + 'constant'} {NAMES!s} \\N{BULLET} \\ud800 path sys name"
BIG = ('''
    + ", ".join(f'"item {number}", {number * 1000}' for number in range(300))
    + """)
async def coroutine():
    async with a as b, c as d:
        yield [x async for x in b if await d]
"""
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of awkward modules, real modules and data."""
    folder = tmp_path_factory.mktemp("one") / "src"
    tree: Tree = {f"pkg/constants_{number}.py": CONSTANTS.replace("alpha", f"alpha{number}") for number in range(8)}
    make_tree(folder, tree | {"pkg/__init__.py": "", "data/a.bin": bytes(range(256)) * 50, "tool.sh": "#!/bin/sh\n"})
    (folder / "tool.sh").chmod(0o755)
    for name in ("email", "json"):
        package = Path(sysconfig.get_path("stdlib"), name)
        shutil.copytree(package, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def expected(source: Path) -> bytes:
    """Return what this process makes of the tree."""
    return packed(source)


def packed(folder: Path, **options: Any) -> bytes:
    """Pack *folder* in this process, and return the bundle's bytes."""
    output = folder.parent / "here.pybundle"
    bundleimp.pack([folder], output, **options)
    return output.read_bytes()


def packed_elsewhere(source: Path, before: str = "", variables: dict[str, Any] | None = None) -> bytes:
    """Pack *source* in a fresh process that runs the statement *before* first, and return the bundle's bytes."""
    output = source.parent / "elsewhere.pybundle"
    script = f"import sys\n{before}\nimport bundleimp\nbundleimp.pack([sys.argv[1]], sys.argv[2])"
    run_python("-c", script, str(source), str(output), **(variables or {}))
    return output.read_bytes()


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "4242"},
        {"TZ": "Pacific/Kiritimati"},
        {"TZ": "America/Los_Angeles"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1", "PYTHONDEVMODE": "1"},
    ],
    ids="-".join,
)
def test_the_environment_makes_no_difference(source: Path, expected: bytes, variables: dict[str, str]) -> None:
    assert packed_elsewhere(source, variables=variables) == expected


@pytest.mark.parametrize(
    "before",
    [
        "import asyncio, ctypes, decimal, email.mime.text, http.server, sqlite3, unittest.mock, xml.dom.minidom",
        "import pkgutil, json, email; sys.path.append(''); import typing, dataclasses, argparse, logging.config",
        "held = [sys.intern(word) for word in ('path', 'sys', 'item 1', 'alpha1', 'slot', 'nested', 'closure')]",
        "import os; os.umask(0o077)",
        "import os; os.umask(0)",
        "import os, tempfile; os.chdir(tempfile.gettempdir())",
        "import locale, time; locale.setlocale(locale.LC_ALL, 'C'); time.tzset() if hasattr(time, 'tzset') else None",
        "import os; os.cpu_count = lambda: 16",
        "sys.setrecursionlimit(400)",
        "sys.setrecursionlimit(20_000)",
    ],
)
def test_what_else_the_process_does_makes_no_difference(source: Path, expected: bytes, before: str) -> None:
    assert packed_elsewhere(source, before) == expected


@pytest.mark.parametrize("jobs", [1, 2, 3, 4])
def test_the_number_of_jobs_makes_no_difference(source: Path, expected: bytes, jobs: int) -> None:
    assert packed(source, jobs=jobs) == expected


@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_and_the_age_of_the_files_make_no_difference(
    source: Path, expected: bytes, tmp_path: Path, *, backwards: bool
) -> None:
    copy = tmp_path / "src"
    for path in sorted((path for path in source.rglob("*") if path.is_file()), reverse=backwards):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        os.utime(target, (1_000_000_000 + target.stat().st_size, 1_500_000_000 - target.stat().st_size))
    assert packed(copy) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions there")
def test_permissions_that_no_bundle_keeps_make_no_difference(source: Path, expected: bytes, tmp_path: Path) -> None:
    copy = tmp_path / "src"
    shutil.copytree(source, copy)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.stat().st_mode & 0o100 else 0o606)
    assert packed(copy) == expected


def test_bytecode_that_lies_beside_the_sources_makes_no_difference(
    source: Path, expected: bytes, tmp_path: Path
) -> None:
    copy = tmp_path / "src"
    shutil.copytree(source, copy)
    for optimize in (0, 1, 2):
        compileall.compile_dir(copy, quiet=2, optimize=optimize)
    assert list(copy.rglob("__pycache__"))
    assert packed(copy) == expected


MEMORY = "/dev/shm"  # noqa: S108 (a file system on which all may write)


@pytest.mark.skipif(not os.path.isdir(MEMORY), reason="there is no other file system")
@pytest.mark.parametrize("which", ["source", "output"])
def test_the_file_system_makes_no_difference(source: Path, expected: bytes, tmp_path: Path, which: str) -> None:
    if os.stat(MEMORY).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("the temporary folder is on the same file system")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        output = Path(folder if which == "output" else tmp_path, "out.pybundle")
        if which == "source":
            source = shutil.copytree(source, Path(folder, "src"))
        bundleimp.pack([source], output)
        assert output.read_bytes() == expected


@pytest.mark.skipif(shutil.which("unshare") is None, reason="nobody can be another user here")
def test_the_user_makes_no_difference(source: Path, expected: bytes, tmp_path: Path) -> None:
    # In a namespace that knows no users, this one is nobody, may still read its files, and has no powers.
    script = "import os, sys, bundleimp; print(os.geteuid()); bundleimp.pack([sys.argv[1]], sys.argv[2])"
    output = tmp_path / "out.pybundle"
    result = run_python(
        *("--user", sys.executable, "-c", script, str(source), str(output)), executable="unshare", check=False
    )
    if "unshare failed" in result.stderr:
        pytest.skip("namespaces are not allowed here")
    assert (result.returncode, result.stdout) == (0, "65534\n"), result.stderr
    assert output.read_bytes() == expected


def test_the_name_and_the_old_content_of_the_output_make_no_difference(
    source: Path, expected: bytes, tmp_path: Path
) -> None:
    for name in ("other-name.pybundle", "again.pybundle", "again.pybundle"):
        bundleimp.pack([source], tmp_path / name)
        assert (tmp_path / name).read_bytes() == expected


def test_the_time_of_packing_makes_a_difference_only_where_it_is_set(
    source: Path, expected: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first = packed(source)
    assert first == packed_elsewhere(source, variables={"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Asia/Kolkata"})
    assert first != expected


@pytest.mark.parametrize("options", [{"layout": "nested"}, {"source": False}, {"optimize": 2}, {"compress": "none"}])
def test_every_kind_of_bundle_is_reproducible(source: Path, options: dict[str, Any]) -> None:
    assert packed(source, jobs=1, **options) == packed(source, jobs=3, **options)


def test_packing_what_was_extracted_gives_the_same_bytes(source: Path, expected: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.pybundle").write_bytes(expected)
    run_python("-m", "bundleimp", "extract", str(tmp_path / "app.pybundle"), str(tmp_path / "src"))
    assert packed(tmp_path / "src") == packed(source)


folders = st.lists(st.integers(0, 99).map("d{}".format), min_size=1, max_size=3).map("/".join)
trees = st.dictionaries(folders, contents, min_size=1, max_size=8)


@examples(15)
@given(trees, st.data())
def test_any_tree_written_in_any_order_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("trees")
    files = [(f"{name}/file.bin", content) for name, content in tree.items()]
    one = make_tree(folder / "one/src", dict(files))
    two = make_tree(folder / "two/src", dict(data.draw(st.permutations(files))))
    assert packed(one, jobs=1) == packed(two, jobs=2)
