"""`BundleFinder` finds what `FileFinder` finds in the same tree, and lists what `pkgutil` lists."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import re
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bundleimp import BundleError, BundleFinder, BundleLoader
from bundleimp.runtime.plain.sourceless import SourcelessBundleLoader
from bundleimp.runtime.site.extensions import BundleExtensionLoader

from .builders import make_bundle, make_tree, make_zip
from .places import FLAT, NESTED, PLAIN_ZIP

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

LOADERS = [
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
]
FORMS = [
    *(
        "{}.py",
        "{}.pyc",
        "{}" + EXTENSION_SUFFIXES[0],
        "{}" + EXTENSION_SUFFIXES[-1],
        "{}.txt",
        "{}",
        "{}.b.py",
        "{}.b.pyc",
    ),
    *("{}/__init__.py", "{}/__init__.pyc", "{}/__init__" + EXTENSION_SUFFIXES[0], "{}/x.txt", "{}/b.py", "{}/b/c/d.py"),
]
# Directories that are called like a module are none; pkgutil lists them all the same.
ODD_FORMS = ["{}.py/x.txt", "{}.pyc/x.txt", "{}/__init__.py/x.txt", "{}.py/__init__.py"]
NAMES = ["a", "b", "c", "ä", "__init__", "x", "missing", "py", "a.b", "a.py", "pkg.a", "pkg.sub.b", "A", "b.c"]

in_each_kind = pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
# Each example builds an archive; a slow machine is no failure.
patiently = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@st.composite
def trees(draw: st.DrawFn, forms: list[str]) -> Tree:
    """Draw what lies in a directory; where one name would be both a file and a directory, the first drawn stays."""
    names = [form.format(stem) for stem in ("a", "b", "ä") for form in forms]
    tree: Tree = {"keep.txt": ""}
    for name in draw(st.lists(st.sampled_from([*names, "__init__.py", ".py", "c.py"]), unique=True, max_size=8)):
        parts = name.split("/")
        parents = {"/".join(parts[:end]) for end in range(1, len(parts))}
        if not parents & set(tree) and not any(known.startswith(f"{name}/") for known in tree):
            tree[name] = ""
    return tree


def kind_of(spec: ModuleSpec) -> str | None:
    kinds = {
        "extension": (ExtensionFileLoader, BundleExtensionLoader),
        "source": (SourceFileLoader, BundleLoader),
        "sourceless": (SourcelessFileLoader, SourcelessBundleLoader),
    }
    return next((kind for kind, loaders in kinds.items() if isinstance(spec.loader, loaders)), None)


def described(spec: ModuleSpec | None, place: Path) -> Any:
    """Return what must be the same, with paths relative to the place."""
    if spec is None:
        return None
    paths = [spec.origin, spec.cached, *(spec.submodule_search_locations or [])]
    # A file in a site has the path that it would have when installed.
    sites = re.escape(os.path.join(os.environ["BUNDLEIMP_CACHE_DIR"], "sites")) + r"/[0-9a-f]{32}\.pybundle"
    relative = [path and os.path.relpath(re.sub(sites, str(place), path), place) for path in paths]
    return [spec.name, spec.has_location, kind_of(spec), spec.submodule_search_locations is None, *relative]


def lay_out_again(kind: str, folder: Path, tree: Tree) -> Path:
    """Replace the archive of *kind* in *folder* by one of *tree*, the way that a running process is meant to see."""
    (folder / "fresh").mkdir(parents=True, exist_ok=True)
    fresh, path = folder / "fresh" / "place.pybundle", folder / "place.pybundle"
    if kind == PLAIN_ZIP:
        make_zip(fresh, tree)
    else:
        source = fresh.with_name(f"{fresh.name}.source")
        remove_tree(source)
        make_bundle(fresh, tree, layout="flat" if kind == FLAT else "nested", bytecode=False)
    fresh.replace(path)
    return path


def remove_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finder")


def as_directory_and_archive(kind: str, folder: Path, tree: Tree) -> tuple[Path, Path]:
    inside: Tree = {f"top/{name}": content for name, content in tree.items()}
    remove_tree(folder / "directory")
    directory = make_tree(folder / "directory", inside)
    return directory, lay_out_again(kind, folder / kind, inside)


def finders(directory: Path, archive: Path, inner: str) -> tuple[FileFinder, BundleFinder]:
    expected = FileFinder(str(directory / inner), *LOADERS)
    found = BundleFinder(str(archive / inner))
    expected.invalidate_caches()
    found.invalidate_caches()
    return expected, found


@in_each_kind
@patiently
@given(tree=trees([*FORMS, *ODD_FORMS]))
@example(tree={"a.py": "", "a.pyc": "", "a/__init__.py": "", "a/__init__.pyc": "", "b/x.txt": "", "b.pyc": ""})
@example(tree={"a.py/x.txt": "", "a.pyc": "", "b/__init__.py/x.txt": "", "b/__init__.pyc": ""})
def test_find_spec_finds_what_file_finder_finds(kind: str, folder: Path, tree: Tree) -> None:
    directory, archive = as_directory_and_archive(kind, folder, tree)
    for inner in ("top", "top/a", "top/b", "top/a/b", "top/ä", "top/missing"):
        expected, found = finders(directory, archive, inner)
        for name in NAMES:
            with contextlib.suppress(FileNotFoundError):
                wanted = described(expected.find_spec(name), directory)
                assert described(found.find_spec(name), archive) == wanted, (inner, name)


@in_each_kind
@patiently
@given(tree=trees(FORMS))
@example(tree={"a.py": "", "a/__init__.py": "", "b.pyc": "", "b/x.txt": "", "ä.py": "", "ä.pyc": "", "c.b.py": ""})
def test_iter_modules_lists_what_pkgutil_lists(kind: str, folder: Path, tree: Tree) -> None:
    directory, archive = as_directory_and_archive(kind, folder, tree)
    for inner in ("top", "top/a", "top/ä", "top/missing"):
        sys.path_importer_cache.pop(str(directory / inner), None)
        expected = [(name, is_package) for _, name, is_package in pkgutil.iter_modules([str(directory / inner)], "p.")]
        _, found = finders(directory, archive, inner)
        assert list(found.iter_modules("p.")) == expected


@in_each_kind
@patiently
@given(tree=trees(FORMS))
def test_all_that_is_listed_is_found_and_discovered(kind: str, folder: Path, tree: Tree) -> None:
    _, archive = as_directory_and_archive(kind, folder, tree)
    finder = BundleFinder(str(archive / "top"))
    finder.invalidate_caches()
    listed = list(finder.iter_modules())
    specs = list(finder.discover())
    assert [(spec.name, spec.submodule_search_locations is not None) for spec in specs] == listed
    parent = finder.find_spec("a")
    assume(parent is not None and parent.submodule_search_locations is not None)
    inner = BundleFinder(str(archive / "top" / "a"))
    assert [spec.name for spec in inner.discover(parent)] == [f"a.{name}" for name, _ in inner.iter_modules()]


@in_each_kind
def test_nothing_is_discovered_below_what_is_no_package(kind: str, tmp_path: Path) -> None:
    finder = BundleFinder(lay_out_again(kind, tmp_path, {"mod.py": ""}))
    with pytest.raises(ValueError, match="mod is not a package"):
        list(finder.discover(finder.find_spec("mod")))


@in_each_kind
@pytest.mark.parametrize("text", ["{}/", "{}//", "{}/.", "{}/pkg/.."])
def test_a_path_entry_may_end_in_separators_and_dots(kind: str, tmp_path: Path, text: str) -> None:
    path = lay_out_again(kind, tmp_path, {"mod.py": "", "pkg/leaf.py": ""})
    finder = BundleFinder(text.format(path))
    spec = finder.find_spec("mod")
    assert spec is not None
    assert spec.origin == os.path.join(path, "mod.py")
    assert finder.path == str(path)


@in_each_kind
@pytest.mark.parametrize("inner", ["one", "one/two", "one/two/", "one//two/three", "one/two/../two/three"])
def test_a_path_entry_may_lie_several_levels_deep(kind: str, tmp_path: Path, inner: str) -> None:
    tree: Tree = {"one/mod.py": "", "one/two/mod.py": "", "one/two/three/mod.py": ""}
    path = lay_out_again(kind, tmp_path, tree)
    spec = BundleFinder(os.path.join(path, inner)).find_spec("mod")
    assert spec is not None
    assert spec.origin == os.path.normpath(os.path.join(path, inner, "mod.py"))


@in_each_kind
@pytest.mark.parametrize(
    "text", ["place.pybundle", "./place.pybundle", "./place.pybundle/pkg", "sub/../place.pybundle"]
)
def test_a_relative_path_entry_becomes_absolute(
    kind: str, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out_again(kind, tmp_path, {"mod.py": "", "pkg/mod.py": ""})
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    finder = BundleFinder(text)
    monkeypatch.chdir(tmp_path.parent)
    spec = finder.find_spec("mod")
    assert spec is not None
    assert spec.origin is not None
    assert os.path.isabs(finder.path)
    assert os.path.normpath(spec.origin) == os.path.join(tmp_path, os.path.normpath(text), "mod.py")


@in_each_kind
def test_a_path_entry_that_leads_out_of_the_bundle_finds_nothing(kind: str, tmp_path: Path) -> None:
    make_tree(tmp_path, {"outside.py": ""})
    path = lay_out_again(kind, tmp_path, {"mod.py": ""})
    for inner in ("..", "pkg/../..", "../place.pybundle"):
        finder = BundleFinder(f"{path}/{inner}")
        assert [finder.find_spec(name) for name in ("outside", "mod")] == [None, None]


def test_a_path_object_is_a_path_too(tmp_path: Path) -> None:
    assert BundleFinder(lay_out_again(FLAT, tmp_path, {"mod.py": ""})).find_spec("mod") is not None


@pytest.mark.parametrize("path", [None, 1, b"x.pybundle", ["x.pybundle"], 1.5], ids=repr)
def test_the_wrong_type_for_a_path_is_a_type_error(path: Any) -> None:
    with pytest.raises(TypeError):
        BundleFinder(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "missing.pybundle",
        "x" * 5000 + ".pybundle",
        "nul\0.pybundle",
        "plain.txt",
        "fake.pybundle",
        "empty.pybundle",
        ".",
    ],
)
def test_what_is_no_bundle_is_an_import_error(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tree(tmp_path, {"plain.txt": "text", "fake.pybundle": "text", "empty.pybundle": ""})
    monkeypatch.chdir(tmp_path)
    for entry in (path, os.path.join(tmp_path, path)):
        with pytest.raises(ImportError) as caught:
            BundleFinder(entry)
        assert isinstance(caught.value, BundleError)


@in_each_kind
def test_get_data_takes_absolute_and_relative_paths(kind: str, tmp_path: Path) -> None:
    path = lay_out_again(kind, tmp_path, {"pkg/mod.py": "x = 1\n", "pkg/data.bin": b"\0\1", "top.txt": "t"})
    for finder in (BundleFinder(path), BundleFinder(path / "pkg")):
        assert finder.get_data(str(path / "pkg" / "data.bin")) == b"\0\1"
        assert finder.get_data(os.path.join("pkg", "mod.py")) == b"x = 1\n"
        assert finder.get_data("top.txt") == b"t"


@in_each_kind
@pytest.mark.parametrize("name", ["missing", "pkg", "pkg/missing", "", "..", "../outside.txt", "/etc/hostname"])
def test_get_data_of_what_is_no_member_is_an_os_error(kind: str, tmp_path: Path, name: str) -> None:
    make_tree(tmp_path, {"outside.txt": "outside"})
    path = lay_out_again(kind, tmp_path, {"pkg/mod.py": "", "top.txt": ""})
    finder = BundleFinder(path)
    for text in (name, f"{path}/{name}", str(tmp_path / "outside.txt")):
        with pytest.raises(OSError, match=r"No such file|directory"):
            finder.get_data(text)


def test_a_finder_shows_its_path(tmp_path: Path) -> None:
    path = lay_out_again(FLAT, tmp_path, {"mod.py": ""})
    assert repr(BundleFinder(path)) == f"BundleFinder({str(path)!r})"
    assert repr(BundleFinder(path / "pkg")) == f"BundleFinder({str(path / 'pkg')!r})"
