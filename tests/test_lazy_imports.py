"""Lazy imports (PEP 810, Python 3.15) from a bundle: as from a directory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .builders import Tree, make_bundle, run_python
from .places import Places, in_each

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with Python 3.15")

TREE: Tree = {
    "pkg/__init__.py": "print('pkg runs')\n",
    "pkg/mod.py": "print('mod runs')\nfrom . import other\nvalue = other.value\n",
    "pkg/other.py": "print('other runs')\nvalue = 42\n",
    "pkg/data.txt": "text",
    "space/portion.py": "value = 43\n",
    "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
}
LAZY = """
import sys
lazy import pkg.mod
lazy from space import portion
print("pkg.mod" in sys.modules, "space.portion" in sys.modules)
print(pkg.mod.value)
print(portion.value, pkg.other.value)
"""
ALL = """
import importlib.metadata, importlib.resources, linecache, pkg.mod, space.portion
print("nothing was used yet")
print(pkg.mod.value, space.portion.value)
print(importlib.resources.files("pkg").joinpath("data.txt").read_text(), importlib.metadata.version("thing"))
print(repr(linecache.getline(pkg.other.__file__, 1)))
"""


@pytest.fixture(name="places", scope="module")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("lazy"), TREE)


@in_each
def test_a_lazy_import_statement_loads_at_the_first_use(kind: str, places: Places) -> None:
    outcome = places.runs_as_in_directory(kind, "-c", LAZY)
    assert outcome.stdout.startswith("False False\n")
    assert outcome.stdout.endswith("42\n43 42\n")


@in_each
def test_all_imports_of_a_process_may_be_lazy(kind: str, places: Places) -> None:
    for outcome in (
        places.runs_as_in_directory(kind, "-X", "lazy_imports=all", "-c", ALL),
        places.runs_as_in_directory(kind, "-c", ALL, PYTHON_LAZY_IMPORTS="all"),
    ):
        assert (outcome.status, outcome.stderr) == (0, "")
        assert outcome.stdout.startswith("nothing was used yet\npkg runs\nmod runs\n")


@pytest.mark.parametrize("looks_again", [False, True])
def test_a_bundle_that_is_replaced_before_the_first_use(tmp_path: Path, *, looks_again: bool) -> None:
    """The version in use is the one that the process has opened, until it looks again."""
    bundle = make_bundle(tmp_path / "out.pybundle", {"first.py": "", "mod.py": "value = 'old'\n"})
    fresh = make_bundle(tmp_path / "fresh.pybundle", {"first.py": "", "mod.py": "value = 'new'\n"})
    script = f"""
import importlib, os, first
lazy import mod
os.replace({str(fresh)!r}, {str(bundle)!r})
{"importlib.invalidate_caches()" if looks_again else ""}
print(mod.value)
"""
    assert run_python("-c", script, path=[bundle]).stdout == ("new\n" if looks_again else "old\n")


def test_a_bundle_that_must_be_signed_before_the_first_use(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"mod.py": "print('it ran')\n"})
    (tmp_path / "allowed").write_text("")
    script = f"""
import bundleimp, warnings
lazy import mod
bundleimp.install(allowed_signers={str(tmp_path / "allowed")!r})
try:
    mod.value
except ImportError as error:
    print(type(error).__name__)
"""
    result = run_python("-c", script, path=[bundle])
    assert result.stdout == "ModuleNotFoundError\n"
    assert "is not signed: there is no signature at" in result.stderr
