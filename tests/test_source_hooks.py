"""Import hooks that transform source get the source, whatever bytecode there is, and what they make stays theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .places import DIRECTORY, FLAT, NO_BYTECODE, PLAIN_ZIP, WITH_SOURCE, Laboratory, lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "single.py": "value = 'one'\n",
    "pkg/__init__.py": "from .mod import value\n",
    "pkg/mod.py": "value = 'one'\n",
    "other.py": "value = 'one'\n",
}
# A finder in front of all others, which changes the loader that they find for the modules in `wanted`.
_FINDER = """
import linecache, runpy, sys
seen = []
wanted = {"single", "pkg", "pkg.mod"}


def transformed(data, path):
    seen.append((bytes(data), path))
    return bytes(data).replace(b"one", b"two")


class Finder:
    def find_spec(self, name, path=None, target=None):
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                if name in wanted:
                    change(spec.loader)
                return spec


sys.meta_path.insert(0, Finder())
"""
# Ways to change what a loader compiles.
WAYS = {
    "subclass": """
def change(loader):
    class Loader(type(loader)):
        def source_to_code(self, data, path, *arguments, **options):
            return super().source_to_code(transformed(data, path), path, *arguments, **options)

    loader.__class__ = Loader
""",
    "instance": """
def change(loader):
    original = loader.source_to_code
    loader.source_to_code = lambda data, path, *rest, **more: original(transformed(data, path), path, *rest, **more)
""",
    "class": """
def change(loader):
    kind = type(loader)
    if getattr(kind.source_to_code, "changed", False):
        return
    original = kind.source_to_code

    def source_to_code(self, data, path, *rest, **options):
        if self.name in wanted:
            data = transformed(data, path)
        return original(self, data, path, *rest, **options)

    source_to_code.changed = True
    kind.source_to_code = source_to_code
""",
    "static method of a class": """
def change(loader):
    class Loader(type(loader)):
        @staticmethod
        def source_to_code(data, path, *arguments, **options):
            return compile(transformed(data, path), path, "exec", dont_inherit=True)

    loader.__class__ = Loader
""",
}
_IMPORT = """
import other, pkg.mod, single
import linecache
result = [single.value, pkg.value, pkg.mod.value, other.value, linecache.getline(single.__file__, 1)]
"""
PLAIN = ["one", "one", "one", "one", "value = 'one'\n"]
TRANSFORMED = ["two", "two", "two", "one", "value = 'one'\n"]

in_each_way = pytest.mark.parametrize("way", WAYS)
in_each_kind = pytest.mark.parametrize("kind", WITH_SOURCE)


def cached(laboratory: Laboratory) -> dict[str, bytes]:
    """Return what is in the cache, by path."""
    folder = laboratory.folder / "cache"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@in_each_way
@in_each_kind
def test_a_hook_that_transforms_source_gets_it(kind: str, way: str, tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    place = [lay_out(kind, tmp_path, TREE)]
    probe = WAYS[way] + _FINDER + _IMPORT + "result.append(sorted(data.decode() for data, _ in seen))\n"
    source = sorted(str(TREE[name]) for name in ("single.py", "pkg/__init__.py", "pkg/mod.py"))
    assert laboratory.observe(place, probe) == [*TRANSFORMED, source]
    oracle = lay_out(DIRECTORY, tmp_path, TREE)
    assert laboratory.observe([oracle], probe) == [*TRANSFORMED, source]


@in_each_way
@in_each_kind
def test_such_a_hook_is_told_the_path_of_the_module(kind: str, way: str, tmp_path: Path) -> None:
    probe = WAYS[way] + _FINDER + _IMPORT + "result = sorted(path for _, path in seen)\n"
    paths = ["<place>/pkg/__init__.py", "<place>/pkg/mod.py", "<place>/single.py"]
    assert Laboratory(tmp_path / "laboratory").observe([lay_out(kind, tmp_path, TREE)], probe) == paths


@in_each_way
@in_each_kind
def test_what_such_a_hook_makes_is_not_cached(kind: str, way: str, tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    place = [lay_out(kind, tmp_path, TREE)]
    assert laboratory.observe(place, WAYS[way] + _FINDER + _IMPORT) == TRANSFORMED
    names = {name.rpartition("/")[2].partition(".")[0] for name in cached(laboratory)}
    assert names == ({"other"} if kind in {NO_BYTECODE, PLAIN_ZIP} else set())
    assert laboratory.observe(place, _IMPORT) == PLAIN


@in_each_way
@in_each_kind
def test_such_a_hook_gets_the_source_where_bytecode_is_cached(kind: str, way: str, tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    place = [lay_out(kind, tmp_path, TREE)]
    assert laboratory.observe(place, _IMPORT) == PLAIN
    before = cached(laboratory)
    assert bool(before) == (kind in {NO_BYTECODE, PLAIN_ZIP})
    assert laboratory.observe(place, WAYS[way] + _FINDER + _IMPORT) == TRANSFORMED
    assert cached(laboratory) == before
    assert laboratory.observe(place, _IMPORT) == PLAIN


@pytest.mark.parametrize("name", ["importlib.abc", "importlib.metadata", "linecache", "threading"])
def test_a_finder_that_asks_all_others_may_do_so_for_a_module_that_is_told_of_bundles(
    name: str, tmp_path: Path
) -> None:
    """So does ours, for such a module; they do not ask each other for ever."""
    probe = f"""
import sys, single
for name in [name for name in sys.modules if (name + ".").startswith({name + "."!r})]:
    del sys.modules[name]
{_FINDER.replace("import linecache, runpy, sys", "")}
import {name}
result = [single.value, {name}.__name__]
"""
    place = lay_out(FLAT, tmp_path, TREE)
    assert Laboratory(tmp_path / "laboratory").observe([place], probe) == ["one", name]


@in_each_kind
@pytest.mark.parametrize("base", ["importlib._bootstrap_external.SourceLoader", "importlib.abc.SourceLoader"])
def test_what_all_loaders_of_source_do_may_be_changed_before_the_first_import(
    kind: str, base: str, tmp_path: Path
) -> None:
    module = base.rpartition(".")[0]
    probe = f"""
import importlib.abc, importlib._bootstrap_external, sys
base = {base}
original = base.source_to_code
base.source_to_code = lambda self, data, path, *rest, **options: original(
    self, bytes(data).replace(b"one", b"two"), path, *rest, **options
)
import pkg.mod, single
result = [single.value, pkg.mod.value]
"""
    assert module in probe
    laboratory = Laboratory(tmp_path / "laboratory", PYTHONDONTWRITEBYTECODE="1")
    expected = laboratory.observe([lay_out(DIRECTORY, tmp_path, TREE)], probe)
    assert laboratory.observe([lay_out(kind, tmp_path, TREE)], probe) == expected


@in_each_kind
def test_a_loader_that_transforms_source_may_be_reloaded_and_run(kind: str, tmp_path: Path) -> None:
    probe = (
        WAYS["subclass"]
        + _FINDER
        + """
import importlib, runpy, single
result = [single.value, importlib.reload(single).value, runpy.run_module("single")["value"]]
code = single.__loader__.get_code("single")
result += [code.co_consts[0], single.__loader__.get_source("single")]
"""
    )
    place = lay_out(kind, tmp_path, TREE)
    expected = ["two", "two", "two", "two", "value = 'one'\n"]
    assert Laboratory(tmp_path / "laboratory").observe([place], probe) == expected
