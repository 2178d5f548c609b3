"""Few descriptors are left: bundles give up theirs, and no module is missing because of that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, run_python

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

COUNT, LIMIT = 70, 40
PROLOGUE = f"""
import importlib, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
import bundleimp
folder = sys.argv[1]
"""
TAKE_ALL = """
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
"""


def tree_of(number: int) -> Tree:
    return {
        f"pkg{number}/__init__.py": f"from . import mod\nX = {number}\n",
        f"pkg{number}/mod.py": "",
        f"pkg{number}/late.py": f"Y = {number}\n",
    }


def with_data(number: int) -> Tree:
    asks = "import os\nwith open(os.path.join(os.path.dirname(__file__), 'data.txt')) as file:\n    file.read()\n"
    code = f"from . import mod\n{asks if number % 5 == 0 else ''}X = {number}\n"
    return tree_of(number) | {f"pkg{number}/__init__.py": code, f"pkg{number}/data.txt": "data"}


@pytest.mark.parametrize("bytecode", [True, False])
def test_many_bundles_under_a_low_limit(tmp_path: Path, bytecode: bool) -> None:
    for number in range(COUNT):
        make_bundle(tmp_path / f"{number}.pybundle", with_data(number), bytecode=bytecode)
    script = f"""{PROLOGUE}
sys.path[:0] = [os.path.join(folder, f"{{number}}.pybundle") for number in range({COUNT})]
modules = [importlib.import_module(f"pkg{{number}}") for number in range({COUNT})]
late = [importlib.import_module(f"pkg{{number}}.late").Y for number in range({COUNT})]
import importlib.resources as resources, json, sqlite3  # of the standard library
texts = {{(resources.files(module) / "data.txt").read_text() for module in modules}}
few = len(os.listdir("/dev/fd")) < {LIMIT} - 10
print([module.X for module in modules] == late == list(range({COUNT})), texts, few)
"""
    result = run_python("-W", "error", "-c", script, str(tmp_path), BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert (result.stdout, result.stderr) == ("True {'data'} True\n", "")


def test_a_program_that_has_taken_all_descriptors_can_import(tmp_path: Path) -> None:
    bundles = [make_bundle(tmp_path / f"{number}.pybundle", tree_of(number)) for number in range(1, 4)]
    script = f"""{PROLOGUE}
import pkg1, pkg2
{TAKE_ALL}import pkg1.late, pkg2.late, pkg3.late
import importlib.resources
print(pkg1.late.Y, pkg2.late.Y, pkg3.late.Y)
"""
    result = run_python("-W", "error", "-c", script, str(tmp_path), path=bundles)
    assert (result.stdout, result.stderr) == ("1 2 3\n", "")


@pytest.mark.parametrize("change", ["replaced", "gone", "same"])
def test_a_file_that_was_replaced_meanwhile_is_not_taken_for_the_old_one(tmp_path: Path, change: str) -> None:
    bundle = make_bundle(tmp_path / "1.pybundle", tree_of(1))
    new = make_bundle(tmp_path / "new.pybundle", tree_of(1) | {"pkg1/late.py": "Y = 'new'\n"})
    change_it = {"replaced": f"os.replace({str(new)!r}, {str(bundle)!r})", "gone": f"os.remove({str(bundle)!r})"}
    script = f"""{PROLOGUE}
import pkg1
from bundleimp.runtime import bundlefile
assert bundlefile.give_up() and not bundlefile.give_up()
{change_it.get(change, "")}
try:
    import pkg1.late
    print(pkg1.late.Y)
except bundleimp.BundleError as error:
    print(type(error).__name__, error)
"""
    result = run_python("-c", script, str(tmp_path), path=[bundle])
    reason = "its descriptor had been closed, and the file was replaced since; restart the program"
    assert result.stdout == ("1\n" if change == "same" else f"BundleChangedError {bundle}: {reason}\n")


def test_a_bundle_whose_path_shows_another_file_keeps_its_descriptor(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "1.pybundle", tree_of(1))
    new = make_bundle(tmp_path / "new.pybundle", tree_of(1) | {"pkg1/late.py": "Y = 'new'\n"})
    script = f"""{PROLOGUE}
import pkg1
from bundleimp.runtime import bundlefile
os.replace({str(new)!r}, {str(bundle)!r})
assert not bundlefile.give_up()
import pkg1.late
print(pkg1.late.Y)
"""
    assert run_python("-c", script, str(tmp_path), path=[bundle]).stdout == "1\n"


def test_a_read_whose_file_another_thread_gives_up_is_tried_again(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "1.pybundle", tree_of(1))
    script = f"""{PROLOGUE}
import pkg1
from bundleimp.runtime import bundlefile
archive = pkg1.__loader__.archive
left = 3
def read():
    global left
    if left:
        left -= 1
        bundlefile.give_up()
    return archive.file.read(0, 2)
print(archive.retried(read), left)
"""
    assert run_python("-c", script, str(tmp_path), path=[bundle]).stdout == "b'PK' 0\n"


def test_a_bundle_that_cannot_be_opened_again_is_not_said_to_be_replaced(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "1.pybundle", tree_of(1))
    script = f"""{PROLOGUE}
import pkg1
from bundleimp.runtime import bundlefile, content, faults
# These are loaded with a descriptor.
content.reopening, content.opening, content.status, faults.kinds, faults.opening
bundlefile.give_up()
{TAKE_ALL}try:
    import pkg1.late
except ImportError as error:
    reason = str(error)
for descriptor in taken:
    os.close(descriptor)
import pkg1.late
print(reason, pkg1.late.Y)
"""
    result = run_python("-W", "error", "-c", script, str(tmp_path), path=[bundle])
    assert result.stdout == f"{bundle}: cannot be opened: Too many open files 1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows the open files")
def test_the_locks_of_the_cache_are_given_up_too(tmp_path: Path) -> None:
    for number in range(3):
        make_bundle(tmp_path / f"{number}.pybundle", with_data(number * 5))
    script = f"""{PROLOGUE}
sys.path[:0] = [os.path.join(folder, f"{{number}}.pybundle") for number in range(3)]
import pkg0, pkg5, pkg10
from bundleimp.runtime import bundlefile
def locks():
    open_files = []
    for name in os.listdir("/proc/self/fd"):
        try:
            open_files.append(os.readlink("/proc/self/fd/" + name))
        except OSError:
            pass
    return sum(name.endswith("/.bundleimp") for name in open_files)
before = locks()
print(before > 0, bundlefile.give_up(), locks(), bundlefile.give_up())
"""
    result = run_python("-W", "error", "-c", script, str(tmp_path), BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert (result.stdout, result.stderr) == ("True True 0 False\n", "")
