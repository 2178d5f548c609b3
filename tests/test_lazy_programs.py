"""`pack --lazy`: which imports are lazy, and programs that would tell the difference (PEP 810, Python 3.15)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.inspection.info import describe
from bundleimp.packing import laziness
from bundleimp.packing.errors import PackError

from .builders import Tree, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .compiling import extension

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

needs_lazy_imports = pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with Python 3.15")
RULES: dict[str, Any] = {"all": False, "together": [["own", "sibling"]], "eager": ["loud", "ns.part"]}

STATEMENTS = [
    ("import other\nother", {"lazy": ["other"]}),
    ("import other.sub as o\no", {"lazy": ["other.sub"]}),
    ("import other, third\nother, third", {"lazy": ["other", "third"]}),
    ("from other import a, b\na, b", {"lazy": ["other"]}),
    ("from other import a as a", {"lazy": ["other"]}),
    ("from other import a\n__all__ = ['a']", {"lazy": ["other"]}),
    ("from other import a\n__all__: list = ['a']", {"lazy": ["other"]}),
    ("from other import a\ndef f() -> a: ...", {"lazy": ["other"]}),
    ("import json\njson", {"lazy": ["json"]}),
    (
        "import sys\nif sys.platform: import other\nelse: import third\nother, third",
        {"lazy": ["sys", "other", "third"]},
    ),
    ("def f():\n import other", {}),
    ("class C:\n import other", {}),
    ("import other", {"of names that the module does not use": ["other"]}),
    ("from other import a, b\na", {"of names that the module does not use": ["other"]}),
    ("import own.sub\nown", {"within a distribution": ["own.sub"]}),
    ("from . import a\na", {"within a distribution": ["."]}),
    ("from ..x import a\na", {"within a distribution": ["..x"]}),
    ("import sibling\nsibling", {"within a distribution": ["sibling"]}),
    ("import other, sibling\nother, sibling", {"within a distribution": ["other", "sibling"]}),
    ("from other import *", {"cannot be lazy": ["other"]}),
    ("from __future__ import annotations", {"cannot be lazy": ["__future__"]}),
    ("import loud\nloud", {"by --eager": ["loud"]}),
    ("import loud.sub\nloud", {"by --eager": ["loud.sub"]}),
    ("import louder\nlouder", {"lazy": ["louder"]}),
    ("import ns.part.deep\nns", {"by --eager": ["ns.part.deep"]}),
    ("import ns.other\nns", {"lazy": ["ns.other"]}),
    ("from ns import part\npart", {"by --eager": ["ns"]}),
    ("from ns import other as part\npart", {"lazy": ["ns"]}),
    ("from loud import x\nx", {"by --eager": ["loud"]}),
    ("try:\n import other\nexcept ImportError: other = None", {"in try, with or a loop": ["other"]}),
    ("try: pass\nfinally:\n if 1:\n  import other\n  other", {"in try, with or a loop": ["other"]}),
    ("with open('x'): import other\nother", {"in try, with or a loop": ["other"]}),
    ("if 1:\n for i in 'x': import other\nother", {"in try, with or a loop": ["other"]}),
    ("import other\nother\nprint(globals())", {"in modules that look at their namespace": ["other"]}),
    ("import other\nother\ndef f(): return dir()", {"in modules that look at their namespace": ["other"]}),
    ("import other\nvars(other)", {"lazy": ["other"]}),
    ("import sys\nsys.path.insert(0, 'x')", {"in modules that look at the import system": ["sys"]}),
    ("import sys\nsys.modules['x']", {"in modules that look at the import system": ["sys"]}),
    ("import sys\nsys.argv", {"lazy": ["sys"]}),
    ("import sys as _sys\n_sys.modules['x']", {"in modules that look at the import system": ["sys"]}),
    ("from sys import path\npath.append('x')", {"in modules that look at the import system": ["sys"]}),
    ("from sys import argv\nargv", {"lazy": ["sys"]}),
    ("from .sys import path\npath", {"within a distribution": [".sys"]}),
    ("import other\ndel other", {"of names that the module does not use": ["other"]}),
    ("import other\nother = 1", {"of names that the module does not use": ["other"]}),
    (
        "x = 1\nif x == 0: pass\n" + "elif x: pass\n" * 1500 + "else: import other\nother",
        {"lazy": ["other"]},
    ),
]


@pytest.mark.parametrize(("source", "expected"), STATEMENTS)
def test_which_imports_are_lazy(source: str, expected: dict[str, list[str]]) -> None:
    tree, found = laziness.marked(source.encode(), "own/mod.py", RULES)
    assert found == expected
    assert (tree is not None) == ("lazy" in expected)


def test_all_imports_that_can_be_lazy() -> None:
    rules = RULES | {"all": True}
    for source, name in (
        ("from . import a\na", "."),
        ("import own\nown", "own"),
        ("import sibling\nsibling", "sibling"),
    ):
        assert laziness.marked(source.encode(), "own/mod.py", rules)[1] == {"lazy": [name]}
    assert laziness.marked(b"import loud\nloud", "own/mod.py", rules)[1] == {"by --eager": ["loud"]}


@pytest.mark.parametrize(
    ("source", "name", "eager"),
    [
        ("from . import part\npart", "ns/mod.py", True),
        ("from .part import x\nx", "ns/__init__.py", True),
        ("from ..part.deep import x\nx", "ns/sub/__init__.py", True),
        ("from .. import part\npart", "ns/sub/mod.py", True),
        ("from .. import part\npart", "ns/sub/deep/mod.py", False),
        ("from .part import x\nx", "other/mod.py", False),
    ],
)
def test_relative_imports_stay_eager_by_their_absolute_names(source: str, name: str, eager: bool) -> None:
    found = laziness.marked(source.encode(), name, RULES | {"all": True})[1]
    assert list(found) == ["by --eager" if eager else "lazy"]


def test_which_modules_are_together() -> None:
    members = ["app.py", "views.py", "tool/__init__.py", "tool/a.py", "_tool.py", "one/__init__.py"]
    records = [["tool/__init__.py", "tool/a.py", "_tool.py", "tool/data.txt"], ["one/__init__.py"]]
    assert laziness.together(members, records) == [["_tool", "tool"], ["app", "views"]]
    of_another_target = ["tool/__init__.py", "_other.py"]
    assert laziness.together([*members, "_other.py"], [*records, of_another_target]) == [
        ["_tool", "tool"],
        ["_other", "tool"],
        ["app", "views"],
    ]


# Two distributions, and the program that uses them.
LIBRARY: Tree = {
    "library/__init__.py": "print('library runs')\nNAMES = []\ndef register(name): NAMES.append(name)\nVALUE = 42\n",
    "library/extra.py": "print('extra runs')\nVALUE = 43\n",
    "library/fault.py": "raise ValueError('no')\n",
    "library-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: library\nVersion: 1\n",
    "library-1.dist-info/RECORD": "library/__init__.py,,\nlibrary/extra.py,,\nlibrary/fault.py,,\n",
    "library-1.dist-info/entry_points.txt": "[shop]\nextra = library.extra:VALUE\n",
}


class Program:
    """A program that is packed with lazy imports, and started in several ways."""

    def __init__(self, folder: Path, tree: Tree, **options: Any) -> None:
        self.path = folder / "app"
        chosen: dict[str, Any] = {"lazy": "packages", "entry_point": "app:main", "jobs": 1} | options
        self.report = bundleimp.pack([make_tree(folder / "src", LIBRARY | tree)], self.path, **chosen)

    def run(self, lazy: str = "") -> CompletedProcess[str]:
        """Start it; without lazy imports if *lazy* is "0"."""
        return run_python("-W", "error", str(self.path), check=False, BUNDLEIMP_LAZY=lazy)

    def both(self) -> tuple[str, str]:
        """Return what it prints with lazy imports, and what it prints without."""
        lazy, eager = self.run(), self.run("0")
        assert (lazy.returncode, lazy.stderr) == (eager.returncode, eager.stderr) == (0, "")
        return lazy.stdout, eager.stdout


@needs_lazy_imports
def test_a_module_is_imported_when_its_name_is_used(tmp_path: Path) -> None:
    source = "import library\nfrom library.extra import VALUE\ndef main():\n    print('main')\n    print(VALUE)\n"
    program = Program(tmp_path, {"app.py": source + "def other(): library\n"})
    assert program.both() == (
        "main\nlibrary runs\nextra runs\n43\n",
        "library runs\nextra runs\nmain\n43\n",
    )
    assert program.report.imports == {"lazy": 2}


@needs_lazy_imports
def test_another_program_imports_from_the_bundle_eagerly(tmp_path: Path) -> None:
    source = "import library\ndef main(): library\nprint('app runs')\n"
    bundle = Program(tmp_path, {"app.py": source}).path.rename(tmp_path / "app.pybundle")
    assert run_python("-c", "import app", path=[bundle]).stdout == "library runs\napp runs\n"
    assert run_python("-m", "bundleimp", "verify", str(bundle)).returncode == 0


SAME: dict[str, str] = {
    "registers itself": "import library, plugin\ndef main(): print(library.NAMES, plugin)\n",
    "is imported for its effects": "import library\nimport library.extra as _\ndef main(): print(library.VALUE)\n",
    "deletes what it imports": "import library.extra\nimport library\ndel library\ndef main(): print('main')\n",
    "falls back": "try:\n    import missing\nexcept ImportError:\n    missing = 'fallen back'\n"
    "def main(): print(missing)\n",
    "looks at its names": "import library\ndef main(): library\n"
    "print([type(value).__name__ for value in list(globals().values())])\n",
    "finds entry points": "import importlib.metadata as m\ndef main():\n"
    "    print([point.load() for point in m.entry_points(group='shop')])\n",
    "changes the path": "import sys\nsys.path.insert(0, '/nowhere')\nimport library\ndel sys.path[0]\n"
    "def main(): print(library.VALUE)\n",
    "gets all members": "import inspect, sys, library\ndef main():\n    me = sys.modules['app']\n"
    "    print([type(value).__name__ for name, value in inspect.getmembers(me) if name == 'library'], library.VALUE)\n",
    "has annotations": "import typing, library.extra\ndef f(x: 'library.extra.VALUE' = 1): ...\n"
    "def main(): print(typing.get_type_hints(f, globals()))\n",
    "pickles": "import pickle, fractions\ndef main(): print(pickle.loads(pickle.dumps(fractions.Fraction(1, 2))))\n",
    "has threads": "import threading, library\ndef main():\n    found = []\n"
    "    threads = [threading.Thread(target=lambda: found.append(library.VALUE)) for _ in range(16)]\n"
    "    [thread.start() for thread in threads], [thread.join() for thread in threads]\n    print(found)\n",
    "is imported in a circle": "import circle\nVALUE = 7\ndef main(): print(circle.value())\n",
}
BESIDE: Tree = {
    "plugin.py": "import library\nlibrary.register('plugin')\n",
    "circle.py": "import app\ndef value(): return app.VALUE\n",
}


@needs_lazy_imports
@pytest.mark.parametrize("what", SAME)
def test_a_program_prints_the_same(tmp_path: Path, what: str) -> None:
    lazy, eager = Program(tmp_path, {**BESIDE, "app.py": SAME[what]}).both()
    assert sorted(lazy.splitlines()) == sorted(eager.splitlines())


@needs_lazy_imports
def test_children_of_multiprocessing(tmp_path: Path) -> None:
    source = """
import multiprocessing, library

def work(number):
    return library.VALUE + number

def main():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(work, range(3)))
"""
    lazy, eager = Program(tmp_path, {"app.py": source}).both()
    assert "[42, 43, 44]" in lazy
    assert "[42, 43, 44]" in eager


@needs_lazy_imports
def test_an_error_in_a_late_import_names_the_statement(tmp_path: Path) -> None:
    source = "import library.fault\n\ndef main():\n    print('main')\n    library.fault\n"
    result = Program(tmp_path, {"app.py": source}).run()
    assert result.stdout == "main\nlibrary runs\n"
    assert 'app/app.py", line 1, in <module>' in result.stderr
    assert 'app/app.py", line 5, in main' in result.stderr
    assert "ValueError: no" in result.stderr


@needs_lazy_imports
def test_a_bundle_that_is_replaced_before_a_name_is_used(tmp_path: Path) -> None:
    source = "import os, library\ndef main():\n    os.replace({!r}, {!r})\n    print(library.VALUE)\n"
    (tmp_path / "new").mkdir()
    names = str(tmp_path / "new" / "app"), str(tmp_path / "app")
    Program(tmp_path / "new", {"app.py": source.format(*names), "library/__init__.py": "VALUE = 'new'\n"})
    program = Program(tmp_path, {"app.py": source.format(*names)})
    assert program.run().stdout == "library runs\n42\n"
    assert program.run("0").stderr != ""  # there is nothing left that could replace it


@needs_lazy_imports
@pytest.mark.parametrize("options", [{"optimize": 1}, {"compress_bytecode": "deflate"}, {"profile": "-c 'import app'"}])
def test_other_options_of_bytecode(tmp_path: Path, options: dict[str, Any]) -> None:
    source = "import library\ndef main():\n    print('main')\n    print(library.VALUE)\n"
    program = Program(tmp_path, {"app.py": source, "plain.py": "X = 1\n"}, **options)
    flags = ["-O"] if "optimize" in options else []
    assert run_python(*flags, str(program.path)).stdout == "main\nlibrary runs\n42\n"
    assert bundleimp.open_bundle(program.path).verify() == []
    assert describe(bundleimp.open_bundle(program.path)).rest > 0  # shared bytecode is counted once


@needs_lazy_imports
def test_extension_modules(tmp_path: Path) -> None:
    source = "import native\ndef main():\n    print('main')\n    print(native.value())\n"
    tree: Tree = {
        "native.abi3.so": extension(tmp_path / "c", "native", "7"),
        "native-1.dist-info/RECORD": "native.abi3.so,,\n",
    }
    assert Program(tmp_path, {**tree, "app.py": source}).both() == ("main\n7\n", "main\n7\n")


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_older_pythons_run_the_program_as_before(tmp_path: Path, layout: str) -> None:
    source = "import library\ndef main():\n    print('main')\n    print(library.VALUE)\n"
    program = Program(tmp_path, {"app.py": source}, layout=layout)
    result = program.run("0")
    assert (result.stdout, result.stderr) == ("library runs\nmain\n42\n", "")
    if sys.version_info < (3, 15):
        assert program.run().stdout == result.stdout
        assert program.report.imports == {}
        assert [warning.member for warning in program.report.warnings] == ["--lazy"]
    else:
        assert program.report.warnings == []


@needs_lazy_imports
def test_what_is_lazy_is_said(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {**LIBRARY, "app.py": "import library, os\ndef main(): library, os\n"})
    output = str(tmp_path / "app.pybundle")
    line = "lazy imports on Python 3.15 and newer: 2; eager: none"
    printed = bundleimp_command("pack", "--lazy", str(source), output, "-e", "app:main").stdout
    assert line in printed.splitlines()
    assert line in bundleimp_command("info", output).stdout.splitlines()
    eager = "lazy imports on Python 3.15 and newer: 1; eager: 1 by --eager"
    printed = bundleimp_command("pack", str(source), output, "-e", "app:main", "--lazy=all", "--eager", "os").stdout
    assert eager not in printed  # both are in one statement
    assert "lazy imports on Python 3.15 and newer: 0; eager: 2 by --eager" in printed


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"app.py": "def main(): pass\n"})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"lazy": "packages"}, "--lazy is for programs"),
        ({"eager": ["x"], "entry_point": "app:main"}, "--eager needs lazy imports"),
        ({"lazy": "packages", "entry_point": "app:main", "source": False}, "--lazy needs source and bytecode"),
        ({"lazy": "some", "entry_point": "app:main"}, "lazy must be one of packages, all"),
    ]
    for options, message in wrong:
        with pytest.raises(PackError, match=message):
            bundleimp.pack([source], tmp_path / "out.pybundle", **options)
    assert "--lazy" in error_of("pack", "--lazy=no", str(source), str(tmp_path / "out"))
