"""Namespace packages whose portions lie in directories, zips and bundles, in any order (PEP 420)."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from .places import DIRECTORY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, WITH_SOURCE, ZIPIMPORT, Laboratory, lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .builders import Tree

PORTIONS: list[Tree] = [
    {
        "ns/first.py": "NAME = __name__\n",
        "ns/shared.py": "WHERE = 1\n",
        "ns/deep/down/first.py": "NAME = __name__\n",
        "ns/regular/__init__.py": "WHERE = 1\n",
        "extended/__init__.py": "import pkgutil\n__path__ = pkgutil.extend_path(__path__, __name__)\n",
        "extended/first.py": "",
        "hidden/first.py": "",
    },
    {
        "ns/second.py": "from . import first\nfrom .deep.down import first as leaf\nNAMES = [first.NAME, leaf.NAME]\n",
        "ns/shared.py": "WHERE = 2\n",
        "ns/deep/second.py": "NAME = __name__\n",
        "ns/deep/down/second.py": "NAME = __name__\n",
        "ns/regular/second.py": "",
        "extended/__init__.py": "WHERE = 2\n",
        "extended/second.py": "",
        "hidden/__init__.py": "WHERE = 2\n",
    },
    {
        "ns/third.py": "NAME = __name__\n",
        "ns/shared.py": "WHERE = 3\n",
        "ns/deep/down/third.py": "NAME = __name__\n",
        "ns/regular.py": "WHERE = 3\n",
        "extended/third.py": "",
        "hidden/third.py": "",
    },
]
ORDERS = [
    *itertools.permutations((DIRECTORY, PLAIN_ZIP, FLAT)),
    *itertools.permutations((DIRECTORY, ZIPIMPORT, NESTED)),
    (FLAT, FLAT, NESTED),
    (NO_BYTECODE, PLAIN_ZIP, FLAT),
    (ZIPIMPORT, NO_BYTECODE, PLAIN_ZIP),
]
in_every_order = pytest.mark.parametrize("order", ORDERS, ids=", ".join)


class Portions:
    """The three portions, each of which is laid out as any kind when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.laboratory = Laboratory(folder)
        self._paths: dict[tuple[int, str], Path] = {}

    def paths(self, order: Sequence[str]) -> list[Path]:
        return [self._path(number, kind) for number, kind in enumerate(order)]

    def _path(self, number: int, kind: str) -> Path:
        if (number, kind) not in self._paths:
            folder = self.laboratory.folder / f"{number}-{kind.replace(' ', '-')}"
            self._paths[number, kind] = lay_out(kind, folder, PORTIONS[number])
        return self._paths[number, kind]

    def as_in_directories(self, order: Sequence[str], probe: str) -> object:
        """Assert that *probe* reports the same as where all three are directories, and return that."""
        expected = self.laboratory.observe(self.paths([DIRECTORY] * 3), probe)
        assert self.laboratory.observe(self.paths(order), probe) == expected
        return expected


@pytest.fixture(scope="module")
def portions(tmp_path_factory: pytest.TempPathFactory) -> Portions:
    return Portions(tmp_path_factory.mktemp("namespaces"))


@in_every_order
def test_every_portion_is_found_in_the_order_of_the_path(portions: Portions, order: Sequence[str]) -> None:
    probe = """
    import importlib
    result = []
    for name in ("ns", "ns.deep", "ns.deep.down", "hidden"):
        module = importlib.import_module(name)
        result.append([name, list(module.__path__), getattr(module, "__file__", None), module.__spec__.origin])
    for name in ("first", "second", "third", "shared", "deep.second", "deep.down.first", "deep.down.third", "regular"):
        result.append([name, importlib.import_module(f"ns.{name}").__file__])
    import ns.second, ns.regular
    result += [ns.second.NAMES, ns.regular.WHERE, ns.shared.WHERE, repr(ns.__path__)]
    """
    known = portions.as_in_directories(order, probe)
    assert isinstance(known, list)
    assert known[0][1] == ["<place 0>/ns", "<place 1>/ns", "<place 2>/ns"]


@in_every_order
def test_packages_are_extended_and_listed_over_all_portions(portions: Portions, order: Sequence[str]) -> None:
    probe = """
    import pkgutil
    import extended, extended.first, extended.second, extended.third
    import ns.deep.down
    result = [
        extended.__path__,
        sorted(name for _, name, _ in pkgutil.iter_modules(extended.__path__)),
        sorted([name, is_package] for _, name, is_package in pkgutil.iter_modules(ns.__path__)),
        sorted(name for _, name, _ in pkgutil.walk_packages(ns.deep.down.__path__, "ns.deep.down.")),
    ]
    """
    known = portions.as_in_directories(order, probe)
    assert isinstance(known, list)
    assert known[1] == ["first", "second", "third"]


@in_every_order
def test_a_portion_appended_to_the_path_later_is_found(portions: Portions, order: Sequence[str]) -> None:
    probe = """
    import sys
    late = sys.path.pop(3)
    import ns.deep.down, ns.shared
    before = [list(ns.__path__), list(ns.deep.down.__path__)]
    missed = []
    for name in ("ns.third", "ns.deep.down.third"):
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            missed.append(str(error))
    sys.path.append(late)
    import ns.deep.down.third, ns.third
    result = [before, missed, list(ns.__path__), list(ns.deep.down.__path__), ns.third.NAME, ns.deep.down.third.NAME]
    """
    known = portions.as_in_directories(order, probe)
    assert isinstance(known, list)
    assert known[4:] == ["ns.third", "ns.deep.down.third"]


@in_every_order
def test_a_portion_put_before_the_others_comes_first(portions: Portions, order: Sequence[str]) -> None:
    probe = """
    import sys
    late = sys.path.pop(3)
    import ns
    sys.path.insert(1, late)
    import ns.shared
    result = [ns.shared.WHERE, list(ns.__path__)]
    sys.path.remove(late)
    result.append(list(ns.__path__))
    """
    known = portions.as_in_directories(order, probe)
    assert isinstance(known, list)
    assert known[0] == 3


@pytest.mark.parametrize("kind", WITH_SOURCE)
@pytest.mark.parametrize("remembered", [True, False], ids=["asked for before", "not asked for before"])
def test_a_portion_that_appears_later_is_found_once_caches_are_invalidated(
    portions: Portions, kind: str, remembered: bool, tmp_path: Path
) -> None:
    probe = f"""
    import importlib, os, sys
    import ns
    before = len(ns.__path__)
    if {remembered}:
        try:
            import ns.third
        except ModuleNotFoundError:
            before = [before, str(sys.path_importer_cache[sys.path[2]])]
    os.rename(sys.argv[1], sys.path[2])
    importlib.invalidate_caches()
    import ns.third
    result = [before, list(ns.__path__), ns.third.NAME]
    """
    found = []
    for place in (DIRECTORY, kind):
        first = portions.paths([DIRECTORY])[0]
        prepared = lay_out(place, tmp_path / place / "prepared", PORTIONS[2])
        target = tmp_path / place / prepared.name
        found.append(portions.laboratory.observe([first, target], probe, str(prepared)))
    assert found[0] == found[1]
    assert found[1][2] == "ns.third"


@pytest.mark.parametrize("kind", WITH_SOURCE)
def test_a_namespace_that_was_found_in_no_portion_appears(kind: str, tmp_path: Path) -> None:
    """Without a call of `invalidate_caches`: the path entry is new, so nobody has asked it before."""
    probe = """
    import sys
    try:
        import ns
    except ModuleNotFoundError as error:
        result = [str(error)]
    sys.path.append(sys.argv[1])
    import ns.deep.down.third
    result += [ns.deep.down.third.NAME, ns.deep.down.third.__file__.startswith(sys.argv[1])]
    """
    place = lay_out(kind, tmp_path, PORTIONS[2])
    known = Laboratory(tmp_path / "laboratory").observe([], probe, str(place))
    assert known == ["No module named 'ns'", "ns.deep.down.third", True]


@pytest.mark.parametrize("kind", WITH_SOURCE)
def test_path_entries_below_the_root_of_a_bundle_work(kind: str, tmp_path: Path) -> None:
    probe = """
    import sys
    import first, regular
    finders = [type(sys.path_importer_cache[path]).__name__ for path in sys.path[1:3]]
    result = [first.NAME, first.__file__, regular.__path__, finders]
    """
    found = []
    for place in (DIRECTORY, kind):
        path = lay_out(place, tmp_path / place, PORTIONS[0])
        entries = [path / "ns" / "deep" / "down", path / "ns"]
        found.append(Laboratory(tmp_path / "laboratory").observe(entries, probe))
    assert found[0][:3] == found[1][:3] == ["first", "<place 0>/first.py", ["<place 1>/regular"]]
    assert found[1][3] == ["BundleFinder"] * 2


@pytest.mark.parametrize("kind", WITH_SOURCE)
@pytest.mark.parametrize(
    "entry", ["{place}/", "{place}//ns", "{place}/ns/", "{relative}", "./{relative}", "{place}/ns/../ns"]
)
def test_path_entries_in_any_spelling_lead_to_the_files_that_a_directory_leads_to(
    kind: str, entry: str, tmp_path: Path
) -> None:
    probe = """
    import os, sys
    sys.path.insert(0, sys.argv[1])
    try:
        import ns.first as module
    except ModuleNotFoundError:
        import first as module
    path = module.__file__
    result = [module.__name__, os.path.isabs(path), os.path.normpath(path), module.__spec__.parent]
    """
    laboratory = Laboratory(tmp_path / "laboratory")
    (tmp_path / "laboratory" / "empty").mkdir()
    found = []
    for place in (DIRECTORY, kind):
        path = lay_out(place, tmp_path / place, PORTIONS[0])
        spelled = entry.format(place=path, relative=os.path.relpath(path, tmp_path / "laboratory" / "empty"))
        known = laboratory.observe([], probe, spelled)
        found.append([str(text).replace(path.name, "NAME").replace(place, "KIND") for text in known])
    assert found[0] == found[1]
