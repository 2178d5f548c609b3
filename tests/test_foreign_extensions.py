"""Extension modules that a bundle has for other Pythons only: the error says so, and the user is warned once."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest

from .builders import Tree, make_bundle, make_tree, run_python
from .places import FLAT, NESTED, PLAIN_ZIP, lay_out

if TYPE_CHECKING:
    from pathlib import Path

FOREIGN = "cpython-399-x86_64-linux-gnu.so"
TREE: Tree = {
    "hello/__init__.py": "",
    "hello/other.py": "",
    f"hello/_c.{FOREIGN}": "x",
    "hello/_w.cp399-win_amd64.pyd": "x",
    f"hello/_stubs.{FOREIGN}": "x",
    "hello/_stubs/__init__.pyi": "",
    f"_top.{FOREIGN}": "x",
    "hello/data.so.txt": "",
    "hello/text.so": "x",
}
SHOW = "except ImportError as error: print(type(error).__name__, error.name, error.path == {bundle!r}, error)"


def attempt(statement: str, bundle: Path, *options: str, path: tuple[Path, ...] = (), first: str = "") -> str:
    """Return what the import *statement* prints about its error."""
    script = f"import sys\n{first}\ntry: {statement}\n{SHOW.format(bundle=str(bundle))}"
    return run_python("-W", "ignore", *options, "-c", script, path=[bundle, *path]).stdout


@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
@pytest.mark.parametrize(
    ("statement", "name", "member", "error", "purpose"),
    [
        ("import hello._c", "hello._c", f"hello/_c.{FOREIGN}", "ModuleNotFoundError", "CPython 3.99, Linux x86_64"),
        ("from hello import _c", "hello._c", f"hello/_c.{FOREIGN}", "ImportError", "CPython 3.99, Linux x86_64"),
        (
            "from hello import *; from hello._c import x",
            "hello._c",
            f"hello/_c.{FOREIGN}",
            "ModuleNotFoundError",
            "CPython 3.99, Linux x86_64",
        ),
        (
            "import hello._w",
            "hello._w",
            "hello/_w.cp399-win_amd64.pyd",
            "ModuleNotFoundError",
            "CPython 3.99, Windows amd64",
        ),
        (
            "from hello._stubs import x",
            "hello._stubs",
            f"hello/_stubs.{FOREIGN}",
            "ModuleNotFoundError",
            "CPython 3.99, Linux x86_64",
        ),
        ("import _top", "_top", f"_top.{FOREIGN}", "ModuleNotFoundError", "CPython 3.99, Linux x86_64"),
    ],
)
def test_the_error_says_for_which_python_the_module_is(
    tmp_path: Path, kind: str, statement: str, name: str, member: str, error: str, purpose: str
) -> None:
    bundle = lay_out(kind, tmp_path, TREE)
    own = "{}.{}".format(*sys.version_info[:2])
    text = attempt(statement, bundle)
    assert text.startswith(f"{error} {name} True {bundle}: {member} is for {purpose}, and this is CPython {own}")
    assert text.endswith(f"; use such a Python, or pack with --python {sys.executable}\n")


@pytest.mark.parametrize("statement", ["import hello._d", "import json._c", "import hello.data"])
def test_a_module_that_is_nowhere_is_missing_as_ever(tmp_path: Path, statement: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    assert f"No module named {statement.split()[1]!r}" in attempt(statement, bundle)


def test_another_path_entry_may_have_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    tree = make_tree(tmp_path / "tree", {"_top.py": "print('here')"})
    assert attempt("import _top", bundle, path=(tree,)) == "here\n"


def test_a_later_finder_may_have_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    first = """
from importlib.machinery import ModuleSpec
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "hello._c":
            print(len(path))
            return ModuleSpec(name, Finder)
    create_module = exec_module = staticmethod(lambda _: None)
sys.meta_path.append(Finder)
"""
    assert attempt("import hello._c", bundle, first=first) == "1\n"


def test_who_only_looks_for_it_finds_none(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = "from importlib.util import find_spec; print(find_spec('hello._c'), find_spec('_top'))"
    assert run_python("-W", "error", "-c", script, path=[bundle]).stdout == "None None\n"


def test_a_module_that_can_do_without_is_a_warning_once(tmp_path: Path) -> None:
    source = "try: from ._c import x\nexcept ImportError: x = 1\n"
    tree = TREE | {"hello/one.py": source, "hello/two.py": source}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    result = run_python("-c", "import hello.one, hello.two; print(hello.one.x + hello.two.x)", path=[bundle])
    assert result.stdout == "2\n"
    assert result.stderr.count("BundleWarning: ") == 1
    assert (
        f"BundleWarning: {bundle}: hello/_c.{FOREIGN} is for CPython 3.99, Linux x86_64, and this is" in result.stderr
    )


def test_python_code_or_a_fitting_file_beside_it_is_taken(tmp_path: Path) -> None:
    tree = TREE | {"_top.py": "print('pure')", f"hello/_c{EXTENSION_SUFFIXES[0]}": "x"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    assert attempt("import _top", bundle) == "pure\n"
    assert "3.99" not in attempt("import hello._c", bundle)
