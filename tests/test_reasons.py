"""A bundle that cannot be used is named where a module is missing, and warned of at the line of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, make_tree, run_python

if TYPE_CHECKING:
    from pathlib import Path

REASON = "is not a zip archive: the end record is missing, or the file is truncated; copy it again, or pack it anew"


@pytest.fixture(name="broken")
def _broken(tmp_path: Path) -> Path:
    path = make_bundle(tmp_path / "broken.pybundle", {"pkg/__init__.py": "", "pkg/mod.py": ""})
    path.write_bytes(path.read_bytes()[:200])
    return path


def test_an_import_by_name_says_why_the_module_may_be_missing(broken: Path) -> None:
    script = """
import importlib
try:
    importlib.import_module("pkg")
except ModuleNotFoundError as error:
    print(error, error.name, error.path, sep="|")
"""
    result = run_python("-W", "ignore", "-c", script, path=[broken])
    expected = f"No module named 'pkg', unless it is in a bundle that cannot be used: {broken}: {REASON}"
    assert result.stdout == f"{expected}|pkg|{broken}\n"


def test_the_first_import_that_meets_the_bundle_says_why(broken: Path) -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import pkg"
    result = run_python("-W", "ignore", "-c", script, str(broken), check=False)
    reason = f"No module named 'pkg', unless it is in a bundle that cannot be used: {broken}: {REASON}"
    assert result.stderr.splitlines()[-1] == f"ModuleNotFoundError: {reason}"


def test_who_only_looks_for_a_module_gets_none(broken: Path) -> None:
    script = "import importlib.util; print(importlib.util.find_spec('pkg'), importlib.util.find_spec('other'))"
    assert run_python("-W", "ignore", "-c", script, path=[broken]).stdout == "None None\n"


def test_what_another_path_entry_or_a_later_finder_has_is_imported(broken: Path, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "other", {"here.py": "X = 1\n"})
    script = """
import sys
from importlib.machinery import ModuleSpec
import here
try:
    import late
except ModuleNotFoundError as error:
    print("a bundle" in str(error))
class Late:
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, Late) if name == "late" else None
    def create_module(spec):
        return None
    def exec_module(module):
        module.X = 2
sys.meta_path.append(Late)
import late
print(here.X, late.X)
"""
    assert run_python("-W", "ignore", "-c", script, path=[broken, other]).stdout == "True\n1 2\n"


def test_a_submodule_is_not_said_to_be_in_a_bundle_where_its_package_is_not(broken: Path, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "other", {"own/__init__.py": ""})
    script = "import own\ntry:\n    import own.mod\nexcept ImportError as error:\n    print(error)"
    result = run_python("-W", "ignore", "-c", script, path=[broken, other])
    assert result.stdout == "No module named 'own.mod'\n"


def test_a_finder_that_asks_the_others_first_is_not_disturbed(broken: Path) -> None:
    script = """
import importlib.util, sys
from importlib.machinery import ModuleSpec, PathFinder
class Loader:
    def create_module(spec):
        return None
    def exec_module(module):
        module.X = 1
class Falling:
    asked = []
    looks = False
    def find_spec(name, path=None, target=None):
        if Falling.looks or not name.startswith("own"):
            return None
        Falling.asked.append(name)
        Falling.looks = True
        found = importlib.util.find_spec(name) or PathFinder.find_spec(name)
        Falling.looks = False
        return found or ModuleSpec(name, Loader)
sys.meta_path.insert(0, Falling)
import own_first
sys.meta_path.remove(Falling)
sys.meta_path.append(Falling)
import own_last
print(own_first.X, own_last.X, Falling.asked)
"""
    result = run_python("-W", "ignore", "-c", script, path=[broken])
    assert result.stdout == "1 1 ['own_first', 'own_last']\n"


def test_uninstall_removes_the_finder(broken: Path) -> None:
    script = """
import bundleimp
try:
    import pkg
except ImportError:
    pass
bundleimp.uninstall()
try:
    import pkg
except ImportError as error:
    print(error)
"""
    assert run_python("-W", "ignore", "-c", script, path=[broken]).stdout == "No module named 'pkg'\n"


@pytest.mark.parametrize(
    "cause", ["import pkg", "import importlib.metadata as m\nm.entry_points()", "import json, sqlite3, http.server"]
)
def test_the_place_of_the_warning_is_the_line_of_the_program(broken: Path, tmp_path: Path, cause: str) -> None:
    program = tmp_path / "program.py"
    first, *rest = cause.splitlines()
    lines = ["import sys", f"sys.path.insert(0, {str(broken)!r})", first, *rest]
    program.write_text("\n".join(lines))
    result = run_python(str(program), check=False)
    (line,) = [line for line in result.stderr.splitlines() if "BundleWarning" in line]
    assert line in {f"{program}:{number}: BundleWarning: {broken}: {REASON}" for number in (3, len(lines))}


def test_at_the_start_no_line_is_the_place(broken: Path) -> None:
    result = run_python("-c", "import json", path=[broken])
    place, _, text = result.stderr.partition(": BundleWarning: ")
    assert (place, text) in {(name, f"{broken}: {REASON}\n") for name in ("sys:1", "<sys>:0")}
