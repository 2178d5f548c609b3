"""Modules and packages from every kind of place are what they are from a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .places import DIRECTORY, SOURCELESS, WITH_SOURCE, Places, in_each_and_mounted, in_each_with_source_and_mounted

if TYPE_CHECKING:
    from .builders import Tree

MODULE = '''\
"""A module."""
import sys

SETTING = [1, 2]


def outer():
    """Return a closure."""

    def inner():
        return [SETTING for _ in range(2)]

    return inner


class Point:
    """A place."""

    class Unit:
        size = 1

    def __init__(self, x=0, y=0):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    __hash__ = None
'''

TREE: Tree = {
    "plain.py": '"""Plain."""\nVALUE = __name__\n',
    "empty.py": "",
    "pkg/__init__.py": '"""A package."""\n__all__ = ["mod", "sub"]\nVALUE = __name__\n',
    "pkg/mod.py": MODULE,
    "pkg/data.txt": "text\n",
    "pkg/sub/__init__.py": "",
    "pkg/sub/deep.py": "from . import sibling\nfrom .. import mod, VALUE\nfrom ..mod import Point as Spot\n",
    "pkg/sub/sibling.py": "NAME = __name__\n",
    "pkg/beyond.py": "from ... import plain\n",
    "same.py": "WHICH = 'module'\n",
    "same/__init__.py": "WHICH = 'package'\n",
    "both/part.py": "WHICH = 'portion'\n",
    "both.py": "WHICH = 'module'\n",
    "spaces/one/two/leaf.py": "LEAF = __name__\n",
    "spaces/one/two/more/leaf.py": "LEAF = __name__\n",
    "spaces/regular/__init__.py": "VALUE = __name__\n",
    "tool/__init__.py": "",
    "tool/__main__.py": "NAME = __name__\n",
    "circle/__init__.py": "",
    "circle/a.py": "from . import b\nFIRST = 1\n\n\ndef use():\n    return b.SECOND\n",
    "circle/b.py": "from . import a\nSECOND = 2\n\n\ndef use():\n    return a.FIRST\n",
    "circle/c.py": "from circle.d import SECOND\nFIRST = 1\n",
    "circle/d.py": "from circle.c import FIRST\nSECOND = 2\n",
    "grüße/__init__.py": "GRUSS = 'Grüße'\n",
    "grüße/straße.py": "def öffne():\n    return 'offen — ☃'\n",
    "latin.py": '# -*- coding: latin-1 -*-\n"""Grüße."""\nNAME = "Åström"\n'.encode("latin-1"),
    "marked.py": b'\xef\xbb\xbfNAME = "\xc3\x85"\n',
    "windows.py": b'LINES = """a\r\nb"""\r\n\r\nif True:\r\n    LAST = 1',
    "optimised.py": '"""Words."""\ndef ok():\n    """Words."""\n    assert False, "asserted"\n    return __debug__\n',
}

DESCRIBE = """
import importlib

ABSENT = "absent"


def described_code(code):
    inner = [described_code(item) for item in code.co_consts if hasattr(item, "co_code")]
    return [code.co_name, code.co_filename, code.co_firstlineno, inner]


def described(name):
    module = importlib.import_module(name)
    spec = module.__spec__
    attributes = ("__name__", "__file__", "__package__", "__cached__", "__doc__")
    found = {key: getattr(module, key, ABSENT) for key in attributes}
    found |= {"path": list(getattr(module, "__path__", [ABSENT])), "names": list(vars(module))}
    found |= {key: getattr(spec, key) for key in ("name", "origin", "cached", "has_location", "parent")}
    found["locations"] = spec.submodule_search_locations and list(spec.submodule_search_locations)
    found["agree"] = spec.loader is getattr(module, "__loader__", None)
    path = getattr(module, "__path__", None)
    found["kind of path"] = "list" if isinstance(path, list) else type(path).__name__
    if spec.has_location:
        loader = spec.loader
        found |= {key: getattr(loader, key)(name) for key in ("is_package", "get_source", "get_filename")}
        found |= {"loader": [loader.name, loader.path], "code": described_code(loader.get_code(name))}
    return found
"""

MODULES = [
    *(
        "plain",
        "empty",
        "pkg",
        "pkg.mod",
        "pkg.sub",
        "pkg.sub.deep",
        "same",
        "both",
        "spaces",
        "spaces.one",
        "spaces.one.two",
    ),
    *("spaces.one.two.leaf", "spaces.one.two.more.leaf", "spaces.regular", "tool.__main__", "grüße", "grüße.straße"),
    *("latin", "marked", "windows"),
]
ATTRIBUTES = f"{DESCRIBE}\nresult = {{name: described(name) for name in {MODULES!r}}}"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("behaviour"), TREE)


@in_each_and_mounted
def test_a_module_has_the_attributes_of_an_installed_one(places: Places, kind: str) -> None:
    places.as_in_directory(kind, ATTRIBUTES)


@pytest.mark.parametrize("kind", [*WITH_SOURCE, DIRECTORY])
def test_paths_are_those_of_a_file_below_the_bundle(places: Places, kind: str) -> None:
    known = places.observe(kind, ATTRIBUTES)
    module = known["pkg.mod"]
    assert (module["__file__"], module["origin"]) == ("<place>/pkg/mod.py", "<place>/pkg/mod.py")
    assert module["cached"].startswith("<place>/pkg/__pycache__/mod.")
    assert {module["code"][1], module["code"][3][0][1]} == {"<place>/pkg/mod.py"}
    assert known["pkg"]["path"] == ["<place>/pkg"]
    assert known["spaces.one.two"]["path"] == ["<place>/spaces/one/two"]


@in_each_with_source_and_mounted
@pytest.mark.parametrize("options", [("-O",), ("-OO",)])
def test_optimised_interpreters_see_the_attributes_of_an_installed_module(
    places: Places, kind: str, options: tuple[str, ...]
) -> None:
    places.as_in_directory(kind, ATTRIBUTES, options=options)


@in_each_with_source_and_mounted
@pytest.mark.parametrize("options", [(), ("-O",), ("-OO",)])
def test_optimisation_leaves_out_asserts_and_docstrings(places: Places, kind: str, options: tuple[str, ...]) -> None:
    probe = """
    import optimised
    try:
        answer = optimised.ok()
    except AssertionError as error:
        answer = str(error)
    result = [answer, optimised.__doc__, optimised.ok.__doc__]
    """
    expected = {
        (): ["asserted", "Words.", "Words."],
        ("-O",): [False, "Words.", "Words."],
        ("-OO",): [False, None, None],
    }
    assert places.as_in_directory(kind, probe, options=options) == expected[options]


@in_each_with_source_and_mounted
def test_the_bytecode_prefix_shows_in_the_attributes_as_for_a_directory(places: Places, kind: str) -> None:
    prefix = str(places.laboratory.folder / "prefix")
    known = places.as_in_directory(kind, ATTRIBUTES, PYTHONPYCACHEPREFIX=prefix)
    assert known["plain"]["cached"].startswith(prefix)


@in_each_and_mounted
def test_modules_are_imported_by_every_form_of_the_statement(places: Places, kind: str) -> None:
    probe = """
    import sys
    import pkg.sub.deep as deep
    from pkg.mod import Point
    from pkg import *
    from spaces.one import two
    import spaces.one.two.leaf
    before = set(sys.modules)
    import plain
    result = [
        deep.Spot is Point, deep.mod is mod, deep.VALUE, deep.sibling.NAME, sub.__name__, two.leaf.LEAF,
        spaces.one.two.leaf.LEAF, sorted(set(sys.modules) - before),
    ]
    """
    assert places.as_in_directory(kind, probe)[-1] == ["plain"]


@in_each_and_mounted
def test_a_package_goes_before_a_module_and_a_module_before_a_portion(places: Places, kind: str) -> None:
    probe = "import same, both\nresult = [same.WHICH, both.WHICH]"
    assert places.as_in_directory(kind, probe) == ["package", "module"]


@in_each_and_mounted
def test_circular_imports_work_and_fail_as_from_a_directory(places: Places, kind: str) -> None:
    probe = """
    import sys
    import circle.a
    result = [circle.a.use(), circle.b.use()]
    try:
        import circle.c
    except ImportError as error:
        result += [str(error), error.name, error.path, sorted(name for name in sys.modules if "circle" in name)]
    """
    assert "partially initialized" in places.as_in_directory(kind, probe)[2]


@in_each_and_mounted
def test_missing_things_are_reported_in_the_same_words(places: Places, kind: str) -> None:
    probe = """
    result = []
    for statement in (
        "import missing", "import pkg.missing", "import plain.part", "import spaces.one.missing",
        "from pkg import missing", "from pkg.mod import missing", "from spaces import missing", "import pkg.beyond",
        "import pkg.data", "import pkg.mod.Point", "import grüße.fehlt", "__import__('')",
    ):
        try:
            exec(statement)
        except (ImportError, ValueError) as error:
            described = [type(error).__name__, str(error)]
            if isinstance(error, ImportError):
                described += [error.name, error.path]
            result.append(described)
    """
    assert len(places.as_in_directory(kind, probe)) == 12


@in_each_with_source_and_mounted
def test_reload_executes_the_module_again_in_its_own_namespace(places: Places, kind: str) -> None:
    probe = """
    import importlib
    import pkg.mod
    first, spec = pkg.mod.Point, pkg.mod.__spec__
    pkg.mod.KEPT, pkg.mod.SETTING = 1, None
    again = importlib.reload(pkg.mod)
    package = importlib.reload(pkg)
    import spaces.one
    result = [
        again is pkg.mod, again.KEPT, again.SETTING, again.Point is first, again.__spec__ is spec, again.__file__,
        package.mod is again, package.__path__, importlib.reload(spaces.one).__name__,
    ]
    """
    assert places.as_in_directory(kind, probe)[:4] == [True, 1, [1, 2], False]


@in_each_and_mounted
def test_functions_and_classes_are_pickled_by_reference(places: Places, kind: str) -> None:
    probe = """
    import pickle
    from pkg.mod import Point, outer
    result = [
        pickle.loads(pickle.dumps(outer)) is outer,
        pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2),
        pickle.loads(pickle.dumps(Point.Unit)) is Point.Unit,
        pickle.dumps(Point(3, 4), 0).decode(),
    ]
    """
    places.as_in_directory(kind, probe)


@in_each_with_source_and_mounted
def test_source_in_any_encoding_and_with_any_line_ends_is_read(places: Places, kind: str) -> None:
    probe = """
    import latin, marked, windows
    from grüße.straße import öffne
    result = [latin.NAME, latin.__doc__, marked.NAME, windows.LINES, öffne()]
    result += [module.__loader__.get_source(module.__name__) for module in (latin, marked, windows)]
    """
    known = places.as_in_directory(kind, probe)
    assert known[:4] == ["Åström", "Grüße.", "Å", "a\nb"]


def test_a_sourceless_bundle_has_no_source_to_give(places: Places) -> None:
    probe = """
    import pkg.mod
    result = [pkg.mod.__loader__.get_source("pkg.mod"), pkg.mod.__file__]
    """
    assert places.as_in_directory(SOURCELESS, probe) == [None, "<place>/pkg/mod.pyc"]
