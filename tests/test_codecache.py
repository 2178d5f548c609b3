"""Bytecode that is not embedded is compiled once and kept in the user's cache, and believed only where it is sure."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import clean_environment
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, Laboratory, lay_out
from .platforms import needs_processes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "mod.py": "VERSION = 'old'\n\n\ndef checked():\n    assert False\n    return __debug__\n",
    "pkg/__init__.py": "",
    "pkg/leaf.py": "VERSION = 'old'\n",
    "pkg/grüße.py": "VERSION = 'old'\n",
}
NAMES = sorted(["<place>/mod.py", "<place>/pkg/__init__.py", "<place>/pkg/grüße.py", "<place>/pkg/leaf.py"])
# What is compiled says so to every audit hook (PEP 578).
PROBE = """
import sys
compiled = []


def audit(event, arguments):
    if event == "compile" and ".pybundle" in str(arguments[1]):
        compiled.append(str(arguments[1]))


sys.addaudithook(audit)
import mod, pkg.leaf, pkg.grüße
try:
    checked = mod.checked()
except AssertionError:
    checked = "asserted"
version, = {mod.VERSION, pkg.leaf.VERSION, pkg.grüße.VERSION}
result = [sorted(compiled), version, checked, mod.checked.__code__.co_filename]
"""
WRITTEN = [NAMES, "old", "asserted", "<place>/mod.py"]
READ = [[], *WRITTEN[1:]]

in_each_without_bytecode = pytest.mark.parametrize("kind", [PLAIN_ZIP, NO_BYTECODE])


class Computer:
    """A user's computer: bundles, a cache folder, and interpreters that use both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.laboratory = Laboratory(folder / "laboratory", BUNDLEIMP_CACHE_DIR=str(self.cache))

    def run(self, path: Path, *options: str, **variables: str) -> Any:
        """Return what the modules at *path* compile to: what was compiled, the version, and how asserts behave."""
        return self.laboratory.observe([path], PROBE, options=options or ("-W", "error"), **variables)

    def cached(self) -> list[Path]:
        """Return the files in the cache."""
        return sorted(path for path in self.cache.rglob("*") if path.is_file())


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


@in_each_without_bytecode
def test_the_first_process_compiles_and_the_second_reads(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    assert computer.run(path) == WRITTEN
    assert len(computer.cached()) == 4
    assert computer.run(path) == READ


@pytest.mark.parametrize("kind", [FLAT, NESTED, SOURCELESS])
def test_embedded_bytecode_is_neither_compiled_nor_cached(computer: Computer, kind: str) -> None:
    assert computer.run(lay_out(kind, computer.folder, TREE)) == READ
    assert not computer.cache.exists()


@pytest.mark.parametrize("kind", [FLAT, NESTED])
def test_bytecode_for_another_level_of_optimisation_is_compiled_and_cached(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    optimised = [NAMES, "old", False, "<place>/mod.py"]
    assert computer.run(path, "-O") == optimised
    assert computer.run(path, "-O") == [[], *optimised[1:]]
    assert len(computer.cached()) == 4


@in_each_without_bytecode
def test_levels_of_optimisation_have_files_of_their_own(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    answers = {"": "asserted", "-O": False, "-OO": False}
    for compiled in (NAMES, []):
        for option, answer in answers.items():
            options = (option,) if option else ()
            assert computer.run(path, *options) == [compiled, "old", answer, "<place>/mod.py"]
    assert len(computer.cached()) == 12


@in_each_without_bytecode
@pytest.mark.parametrize("how", ["-B", "PYTHONDONTWRITEBYTECODE"])
def test_nothing_is_written_where_that_is_forbidden_but_the_cache_is_read(
    computer: Computer, kind: str, how: str
) -> None:
    path = lay_out(kind, computer.folder, TREE)
    options, variables = (("-B",), {}) if how == "-B" else ((), {how: "1"})
    assert computer.run(path, *options, **variables) == WRITTEN
    assert computer.run(path, *options, **variables) == WRITTEN
    assert not computer.cache.exists()
    assert computer.run(path) == WRITTEN
    assert computer.run(path, *options, **variables) == READ


@in_each_without_bytecode
def test_the_bytecode_prefix_is_used_in_the_place_of_the_cache(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    prefix = computer.folder / "prefix"
    assert computer.run(path, PYTHONPYCACHEPREFIX=str(prefix)) == WRITTEN
    assert computer.run(path, PYTHONPYCACHEPREFIX=str(prefix)) == READ
    assert not computer.cache.exists()
    below = prefix.joinpath(*path.parts[1:])
    tag = sys.implementation.cache_tag
    assert {file.relative_to(below).as_posix() for file in below.rglob("*.pyc")} == {
        *(f"mod.{tag}.pyc", f"pkg/__init__.{tag}.pyc", f"pkg/leaf.{tag}.pyc", f"pkg/grüße.{tag}.pyc"),
    }


@in_each_without_bytecode
@pytest.mark.parametrize("prefixed", [False, True])
def test_a_replaced_bundle_never_sees_old_bytecode(computer: Computer, kind: str, prefixed: bool) -> None:
    """Though name, size and time of the bundle and of its members are those of the old one."""
    variables = {"PYTHONPYCACHEPREFIX": str(computer.folder / "prefix")} if prefixed else {}
    new: Tree = {name: str(content).replace("old", "new") for name, content in TREE.items()}
    first, second = (lay_out(kind, computer.folder / name, tree) for name, tree in (("first", TREE), ("second", new)))
    os.utime(first, (1, 1))
    os.utime(second, (1, 1))
    path = computer.folder / first.name
    first.rename(path)
    assert computer.run(path, **variables) == WRITTEN
    second.rename(path)
    assert computer.run(path, **variables) == [NAMES, "new", *WRITTEN[2:]]
    assert computer.run(path, **variables) == [[], "new", *WRITTEN[2:]]


@in_each_without_bytecode
def test_copies_of_a_bundle_share_their_bytecode_but_not_their_file_names(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    copy = computer.folder / "elsewhere" / "copy.pybundle"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    assert computer.run(path) == WRITTEN
    assert computer.run(copy) == READ


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "header alone": lambda data: data[:16],
    "first half": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "flipped magic": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "flipped flags": lambda data: data[:4] + bytes([data[4] ^ 1]) + data[5:],
    "flipped code": lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
    "flipped end": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "zeros": lambda data: bytes(len(data)),
    "more": lambda data: data + b"\0",
}


@in_each_without_bytecode
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_bytecode_is_compiled_again_and_replaced(computer: Computer, kind: str, damage: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    computer.run(path)
    for file in computer.cached():
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert computer.run(path) == WRITTEN
    assert computer.run(path) == READ


@in_each_without_bytecode
def test_bytecode_of_another_module_is_not_run(computer: Computer, kind: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    computer.run(path)
    one, *_, other = [file for file in computer.cached() if file.name.startswith(("leaf", "mod"))]
    contents = one.read_bytes(), other.read_bytes()
    one.write_bytes(contents[1])
    other.write_bytes(contents[0])
    compiled = sorted(["<place>/mod.py", "<place>/pkg/leaf.py"])
    assert computer.run(path) == [compiled, *WRITTEN[1:]]
    assert computer.run(path) == READ


@in_each_without_bytecode
def test_bytecode_that_this_cache_did_not_write_is_not_believed(computer: Computer, kind: str) -> None:
    """An ordinary pyc, as another tool would write it, has nothing that ties it to the bundle."""
    path = lay_out(kind, computer.folder, TREE)
    computer.run(path)
    for file in computer.cached():
        file.write_bytes(file.read_bytes()[:-20])
    assert computer.run(path) == WRITTEN


@in_each_without_bytecode
@pytest.mark.parametrize("where", ["under a file", "a file", "a link to nothing"])
def test_imports_go_on_where_there_can_be_no_cache(computer: Computer, kind: str, where: str) -> None:
    path = lay_out(kind, computer.folder, TREE)
    obstacle = computer.folder / "obstacle"
    if where == "a link to nothing":
        obstacle.symlink_to(computer.folder / "nothing" / "here")
    else:
        obstacle.write_text("in the way")
    folder = obstacle / "cache" if where == "under a file" else obstacle
    laboratory = computer.laboratory
    script = laboratory.probe_file("import mod, pkg.leaf, pkg.grüße\nprint(mod.VERSION)\n")
    outcome = laboratory.run([path], str(script), BUNDLEIMP_CACHE_DIR=str(folder))
    assert (outcome.status, outcome.stdout) == (0, "old\n")
    assert outcome.stderr.count("BundleWarning") <= 1
    assert "Traceback" not in outcome.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no other users here")
@in_each_without_bytecode
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o702])
def test_a_cache_that_others_can_write_to_is_not_used_and_one_warning_says_so(
    computer: Computer, kind: str, mode: int
) -> None:
    path = lay_out(kind, computer.folder, TREE)
    computer.run(path)
    before = computer.cached()
    computer.cache.chmod(mode)
    refused_cache_is_one_warning(computer, path, "can be written to by other users")
    assert computer.cached() == before


@in_each_without_bytecode
def test_a_cache_that_belongs_to_somebody_else_is_not_used_and_one_warning_says_so(
    computer: Computer, kind: str
) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    path = lay_out(kind, computer.folder, TREE)
    computer.cache = computer.folder / "bundleimp"  # no variable names it
    computer.cache.mkdir(mode=0o700)
    os.chown(computer.cache, 12345, -1)
    folders = {
        "XDG_CACHE_HOME": str(computer.folder),
        "TMPDIR": str(path),
        "BUNDLEIMP_CACHE_DIR": "",
    }
    refused_cache_is_one_warning(computer, path, "belongs to another user", **folders)
    assert computer.cached() == []


def refused_cache_is_one_warning(computer: Computer, path: Path, reason: str, **variables: str) -> None:
    """Assert that imports go on with one warning, also where every warning is shown."""
    script = computer.laboratory.probe_file(PROBE + "\nprint(len(result[0]), result[1])\n")
    for options in ((), ("-W", "always")):
        outcome = computer.laboratory.run([path], *options, str(script), **variables)
        assert (outcome.status, outcome.stdout) == (0, "4 old\n")
        assert outcome.stderr.count("BundleWarning") == 1
        assert f"{computer.cache}: this cache folder is not used: it {reason}" in outcome.stderr


@pytest.mark.parametrize("kind", [PLAIN_ZIP, NO_BYTECODE, FLAT, NESTED, SOURCELESS])
def test_nothing_is_written_beside_or_into_the_bundle(computer: Computer, kind: str) -> None:
    folder = computer.folder / "alone"
    folder.mkdir()
    path = lay_out(kind, computer.folder, TREE).rename(folder / "alone.pybundle")
    before = path.read_bytes()
    for options in ((), ("-O",)):
        computer.run(path, *options)
    assert list(folder.iterdir()) == [path]
    assert path.read_bytes() == before
    assert list((computer.laboratory.folder / "empty").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have their cache folders elsewhere")
@pytest.mark.parametrize("chosen", [True, False], ids=["XDG_CACHE_HOME", "HOME"])
def test_without_a_choice_the_cache_is_the_users_own_and_private(computer: Computer, chosen: bool) -> None:
    path = lay_out(NO_BYTECODE, computer.folder, TREE)
    home = computer.folder / "home"
    home.mkdir()
    variables = {"XDG_CACHE_HOME": str(home / "chosen") if chosen else "", "HOME": str(home), "BUNDLEIMP_CACHE_DIR": ""}
    assert computer.run(path, **variables) == WRITTEN
    assert computer.run(path, **variables) == READ
    folder = home / ("chosen" if chosen else ".cache") / "bundleimp"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.rglob("*.pyc"))) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have their cache folders elsewhere")
def test_a_relative_path_is_no_cache_folder_of_the_platform(computer: Computer) -> None:
    """It would be another folder for each working directory; the specification has it ignored."""
    path = lay_out(NO_BYTECODE, computer.folder, TREE)
    temporary = computer.folder / "temporary"
    temporary.mkdir()
    here = computer.laboratory.folder / "empty" / "here"
    here.mkdir(parents=True)
    variables = {"XDG_CACHE_HOME": "here", "HOME": "", "TMPDIR": str(temporary), "BUNDLEIMP_CACHE_DIR": ""}
    assert computer.run(path, **variables) == WRITTEN
    assert list(here.iterdir()) == []
    assert len(list(temporary.rglob("*.pyc"))) == 4


@needs_processes
def test_many_processes_that_start_on_an_empty_cache_all_work(computer: Computer) -> None:
    path = lay_out(NO_BYTECODE, computer.folder, TREE)
    script = computer.laboratory.probe_file("import mod, pkg.leaf, pkg.grüße\nprint(mod.VERSION, pkg.leaf.VERSION)\n")
    environment = clean_environment(PYTHONPATH=str(path), BUNDLEIMP_CACHE_DIR=str(computer.cache))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", str(script)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    assert [process.communicate() for process in processes] == [("old old\n", "")] * 8
    assert [file.suffix for file in computer.cached()] == [".pyc"] * 4
    assert computer.run(path) == READ
