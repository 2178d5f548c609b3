"""Entry points are checked when the program is packed, as far as the source alone tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.packing.bindings import bound_names

from .builders import Tree, make_bundle, make_tree
from .command_line import error_of

if TYPE_CHECKING:
    from pathlib import Path

BINDS = [
    "def main(): pass",
    "async def main(): pass",
    "class main: pass",
    "main = print",
    "main: object = print",
    "main: object",
    "from os import getcwd as main",
    "import os as main",
    "import main.os",
    "if 1:\n    def main(): pass",
    "try:\n    import fast\nexcept ImportError:\n    main = 1\nelse:\n    pass",
    "for main in []: pass",
    "with open('x') as main: pass",
    "try:\n    pass\nexcept OSError as main:\n    pass",
    "match 1:\n    case [*main]: pass",
    "[main := 1 for x in y]",
    "(main, [x, *y]) = z",
    "def set():\n    global main\n    main = 1",
    "class A:\n    def set(self):\n        global main\n        import main",
]
MAY_BIND = [
    "from other import *",
    "def __getattr__(name): return print",
    "__getattr__, __dir__, __all__ = attach()",
    "globals()['main'] = 1",
    "globals().update(x)",
    "exec(text)",
    "eval(text)",
    "import sys\nsetattr(sys.modules['a'], 'main', 1)",
    "import sys\nsys.modules[__name__].main = 1",
    "import lazy\nlazy.attach(__name__)",
    "from lazy import init\ninit(name=__name__)",
    "vars()['main'] = 1",
    "def f(): this.__dict__['main'] = 1",
    "def broken(:",
    "\0",
]
DOES_NOT = [
    "",
    "x = 1",
    "def other():\n    main = 1",
    "class A:\n    def main(self): pass",
    "lambda main: 1",
    "[1 for main in x]",
    "print(main)",
    "import a.main",
    "from a import main as other",
    "import logging\nlog = logging.getLogger(__name__)",
    "if __name__ == '__main__':\n    pass",
    "x.main = 1",
]


@pytest.mark.parametrize("source", BINDS)
def test_a_name_that_the_source_binds(source: str) -> None:
    bound = bound_names(source.encode(), "m.py")
    assert bound is not None
    assert "main" in bound


@pytest.mark.parametrize("source", MAY_BIND)
def test_a_source_that_may_bind_any_name(source: str) -> None:
    assert bound_names(source.encode(), "m.py") is None


@pytest.mark.parametrize("source", DOES_NOT)
def test_a_source_that_certainly_does_not_bind_the_name(source: str, tmp_path: Path) -> None:
    with pytest.raises(bundleimp.BundleError) as caught:
        make_bundle(tmp_path / "a", {"m.py": source}, entry_point="m:main")
    assert str(caught.value).startswith("entry point: m:main: m.py defines no name main")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("pkg:mian", "pkg:mian: pkg/__init__.py defines no name mian; did you mean main?"),
        ("pkg.mod:Commnd.run", "pkg.mod:Commnd.run: pkg/mod.py defines no name Commnd; did you mean Command?"),
        ("pkg.mod:_q", "pkg.mod:_q: pkg/mod.py defines no name _q"),
        ("tool", "pkg:gone: pkg/__init__.py defines no name gone"),
    ],
)
def test_the_error_says_what_is_near(entry_point: str, message: str, tmp_path: Path) -> None:
    tree = {
        "pkg/__init__.py": "def main(): pass\n",
        "pkg/mod.py": "class Command: pass\n",
        "t-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: t\nVersion: 1\n",
        "t-1.dist-info/entry_points.txt": "[console_scripts]\ntool = pkg:gone\n",
    }
    source = make_tree(tmp_path / "src", tree)
    assert error_of("pack", source, tmp_path / "a", "-e", entry_point) == f"entry point: {message}"


def test_what_cannot_be_known_is_packed(tmp_path: Path) -> None:
    """A submodule may become an attribute; an extension module or bytecode is not looked into."""
    trees: tuple[Tree, ...] = (
        {"pkg/__init__.py": "", "pkg/main.py": ""},
        {"pkg/__init__.py": "", "pkg/main/__init__.py": ""},
        {"pkg.py": "", "pkg.abi3.so": b""},
        {"pkg.pyc": b"\0" * 16},
    )
    for number, tree in enumerate(trees):
        make_bundle(tmp_path / f"a{number}", tree, entry_point="pkg:main")
