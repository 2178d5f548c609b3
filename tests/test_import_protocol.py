"""Finders and loaders answer as the import protocol asks, and as those of a directory do (PEP 302, 420, 451)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from bundleimp.runtime.faults import numbers

from .places import FLAT, Places, in_each_and_mounted, in_each_with_source_and_mounted

if TYPE_CHECKING:
    from .builders import Tree

TREE: Tree = {
    "plain.py": '"""Plain."""\nVALUE = [1]\n\ndef outer(n=(1, 2), *, key="k"):\n    return lambda: (n, key, {1, 2})\n',
    "pkg/__init__.py": "NAME = __name__\n",
    "pkg/mod.py": "NAME = __name__\nLOADED = True\n",
    "pkg/data.bin": b"\0\1\2",
    "pkg/sub/__init__.py": "",
    "pkg/sub/leaf.py": "",
    "pkg/portion/leaf.py": "",
    "pkg/portion/data.txt": "in a portion",
    "spaces/one/leaf.py": "",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("protocol"), TREE)


@in_each_and_mounted
def test_find_spec_finds_without_loading(places: Places, kind: str) -> None:
    probe = """
    import importlib.util, sys
    result = []
    for name in ("plain", "pkg", "pkg.mod", "pkg.missing", "missing", "pkg.portion", "pkg.portion.leaf", "spaces.one"):
        spec = importlib.util.find_spec(name)
        described = spec and [
            spec.name, spec.origin, spec.cached, spec.has_location, spec.parent,
            spec.submodule_search_locations and list(spec.submodule_search_locations),
        ]
        result.append([described, name in sys.modules])
    result += [importlib.util.find_spec(".mod", "pkg").name, "plain" in sys.modules]
    """
    assert places.as_in_directory(kind, probe)[-2:] == ["pkg.mod", False]


@in_each_and_mounted
def test_a_lazy_loader_loads_at_the_first_attribute(places: Places, kind: str) -> None:
    probe = """
    import importlib.util, sys
    result = []
    for name in ("plain", "pkg", "pkg.mod"):
        spec = importlib.util.find_spec(name)
        lazy = importlib.util.LazyLoader(spec.loader)
        spec.loader = lazy
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        lazy.exec_module(module)
        before = type(module).__name__
        named = getattr(module, "VALUE", None) or module.NAME
        result.append([before, named, type(module).__name__ != "_LazyModule", module.__file__])
    """
    assert places.as_in_directory(kind, probe)[0][:3] == ["_LazyModule", [1], True]


@in_each_and_mounted
@pytest.mark.parametrize("first", ["importlib.abc", "plain"])
def test_finder_and_loaders_are_instances_of_the_abstract_classes(places: Places, kind: str, first: str) -> None:
    probe = f"""
    import sys
    early = "importlib.abc" in sys.modules
    import {first}
    import plain, importlib.abc, importlib.resources.abc
    finder = sys.path_importer_cache[sys.path[1]]
    names = ("Loader", "InspectLoader", "ExecutionLoader", "SourceLoader", "ResourceLoader")
    kinds = [getattr(importlib.abc, name) for name in names if hasattr(importlib.abc, name)]
    result = [early] + [
        [kind.__name__, isinstance(plain.__loader__, kind), issubclass(type(plain.__loader__), kind)] for kind in kinds
    ] + [isinstance(finder, importlib.abc.PathEntryFinder), isinstance(finder, importlib.abc.MetaPathFinder)]
    """
    assert places.as_in_directory(kind, probe)[0] is False


@in_each_with_source_and_mounted
def test_the_loader_is_no_source_file_loader(places: Places, kind: str) -> None:
    """Tools that see one open its path with `open`."""
    probe = """
    import plain, importlib.machinery, bundleimp
    kinds = (importlib.machinery.SourceFileLoader, importlib.machinery.SourcelessFileLoader, bundleimp.BundleLoader)
    result = [isinstance(plain.__loader__, kind) for kind in kinds]
    """
    assert places.observe(kind, probe) == [False, False, True]


@in_each_with_source_and_mounted
@pytest.mark.parametrize("options", [("-W", "error"), ("-O",), ("-OO",), ("--check-hash-based-pycs", "always")])
def test_the_inherited_get_code_gives_the_same_code(places: Places, kind: str, options: tuple[str, ...]) -> None:
    """As does the compiler.  Version 2 of marshal writes the same bytes however often an object is referred to."""
    probe = """
    import importlib.abc, importlib.util, marshal
    result = []
    for name in ("plain", "pkg", "pkg.mod"):
        loader = importlib.util.find_spec(name).loader
        path = loader.get_filename(name)
        codes = [
            loader.get_code(name),
            importlib.abc.SourceLoader.get_code(loader, name),
            loader.source_to_code(loader.get_data(path), path),
            loader.source_to_code(loader.get_source(name), path),
            compile(loader.get_data(path), path, "exec", dont_inherit=True),
        ]
        result.append([code == codes[0] for code in codes])
        result.append([marshal.dumps(code, 2) == marshal.dumps(codes[0], 2) for code in codes])
    """
    assert places.observe(kind, probe, options=options) == [[True] * 5] * 6


@in_each_with_source_and_mounted
def test_get_code_does_not_run_or_import_the_module(places: Places, kind: str) -> None:
    probe = """
    import importlib.util, sys
    code = importlib.util.find_spec("plain").loader.get_code("plain")
    result = [code.co_filename, "plain" in sys.modules]
    """
    assert places.as_in_directory(kind, probe) == ["<place>/plain.py", False]


@in_each_with_source_and_mounted
def test_a_loader_refuses_the_name_of_another_module(places: Places, kind: str) -> None:
    probe = """
    import plain
    result = []
    for method in ("get_filename", "get_source", "get_code", "is_package"):
        try:
            getattr(plain.__loader__, method)("other")
        except ImportError as error:
            result.append([method, type(error).__name__, str(error), error.name])
    """
    assert places.as_in_directory(kind, probe)


@in_each_with_source_and_mounted
def test_loaders_read_data_and_say_what_is_known_of_the_source(places: Places, kind: str) -> None:
    probe = """
    import os, pkg
    loader, folder = pkg.__loader__, pkg.__path__[0]
    result = [loader.get_data(os.path.join(folder, "data.bin")).hex(), loader.path_stats(pkg.__file__)["size"]]
    for path in (os.path.join(folder, "missing"), folder, os.path.join(os.path.dirname(folder), "missing", "x")):
        try:
            loader.get_data(path)
        except OSError as error:
            result.append([type(error).__name__, error.filename, error.errno, error.strerror != ""])
    try:
        loader.path_stats(os.path.join(folder, "missing.py"))
    except OSError as error:
        result.append(type(error).__name__)
    """
    places.as_in_directory(kind, probe)


@in_each_and_mounted
def test_pkgutil_lists_modules_and_walks_packages(places: Places, kind: str) -> None:
    probe = """
    import pkgutil, sys
    place = sys.path[1]
    import pkg
    result = [
        [[name, is_package] for _, name, is_package in pkgutil.iter_modules([place])],
        [[name, is_package] for _, name, is_package in pkgutil.iter_modules([place], "top.")],
        [[name, is_package] for _, name, is_package in pkgutil.iter_modules(pkg.__path__, "pkg.")],
        [[name, is_package] for _, name, is_package in pkgutil.walk_packages([place])],
        [[name, is_package] for _, name, is_package in pkgutil.walk_packages(pkg.__path__, "pkg.")],
        [[finder.path, name] for finder, name, _ in pkgutil.iter_modules(pkg.__path__)],
        [finder.find_spec("pkg." + name).origin for finder, name, _ in pkgutil.iter_modules(pkg.__path__)],
        pkgutil.get_importer(place) is sys.path_importer_cache[place],
        pkgutil.resolve_name("pkg.mod:NAME"),
    ]
    """
    assert places.as_in_directory(kind, probe)[3] == [
        *(["pkg", True], ["pkg.mod", False], ["pkg.sub", True], ["pkg.sub.leaf", False], ["plain", False]),
    ]


@in_each_and_mounted
def test_pkgutil_gets_data(places: Places, kind: str) -> None:
    probe = """
    import pkgutil
    result = [pkgutil.get_data("pkg", "data.bin").hex(), pkgutil.get_data("pkg.mod", "data.bin").hex()]
    result += [pkgutil.get_data("pkg", "portion/data.txt").decode(), pkgutil.get_data("missing", "x")]
    result += [pkgutil.get_data("pkg.sub", "../data.bin").hex(), pkgutil.get_data("pkg.portion", "data.txt")]
    try:
        pkgutil.get_data("pkg", "missing.bin")
    except OSError as error:
        result.append([type(error).__name__, error.filename])
    """
    assert places.as_in_directory(kind, probe)[0] == "000102"


def test_what_is_imported_outlives_the_hook(places: Places) -> None:
    probe = """
    import sys
    import bundleimp
    import pkg
    bundleimp.uninstall()
    before = [hook for hook in sys.path_hooks if getattr(hook, "__module__", "").startswith("bundleimp")]
    source = pkg.__loader__.get_source("pkg")
    bundleimp.install()
    bundleimp.install()
    import pkg.mod
    after = [hook.__module__ for hook in sys.path_hooks if hook.__module__.startswith("bundleimp")]
    result = [before, source, pkg.mod.NAME, after, sys.path_hooks[0].__module__.startswith("bundleimp")]
    """
    assert places.observe(FLAT, probe) == [[], "NAME = __name__\n", "pkg.mod", ["bundleimp.runtime.hook"], True]


def test_importing_a_bundled_module_imports_nothing_else(places: Places) -> None:
    """Beside the runtime's own modules: names that a bundle may hold itself must not come from the runtime's needs."""
    probe = """
    import sys
    before = set(sys.modules)
    import pkg.mod
    result = sorted(name for name in set(sys.modules) - before if not name.startswith("bundleimp."))
    """
    assert places.observe(FLAT, probe) == ["pkg", "pkg.mod"]


def test_the_numbers_of_errors_are_those_of_the_platform() -> None:
    assert (numbers.ENOENT, numbers.ENOTDIR, numbers.EISDIR) == (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


@in_each_and_mounted
def test_copies_of_specs_and_loaders_leave_the_bundle_open(places: Places, kind: str) -> None:
    probe = """
    import copy, gc, importlib, pickle, plain
    copies = [copy.copy(plain.__spec__), copy.deepcopy(plain.__spec__), copy.deepcopy(plain.__loader__)]
    copies.append(pickle.loads(pickle.dumps(plain.__spec__)))
    result = [spec == plain.__spec__ for spec in copies[:2]] + [copies[2] == plain.__loader__]
    result += [copies[3].loader.get_code("plain").co_names == plain.__loader__.get_code("plain").co_names]
    del copies
    gc.collect()
    result.append(importlib.import_module("pkg.sub.leaf").__name__)
    """
    assert places.as_in_directory(kind, probe)[-1] == "pkg.sub.leaf"


@in_each_with_source_and_mounted
def test_a_loader_of_a_programs_own_needs_no_bytecode(places: Places, kind: str) -> None:
    probe = """
    import plain
    class Loader(type(plain.__loader__)):
        pass
    loader = Loader.__new__(Loader)
    loader.__dict__.update(plain.__loader__.__dict__)
    result = [loader.get_code("plain").co_names, loader.create_module(None)]
    if hasattr(loader, "archive"):
        own = Loader(loader.name, loader.path, loader.archive, loader.directory, loader.filename)
        result[0] = own.get_code("plain").co_names
    """
    names, module = places.as_in_directory(kind, probe)
    assert (names[-1], module) == ("outer", None)


@in_each_and_mounted
def test_a_name_that_no_file_can_have_is_not_found(places: Places, kind: str) -> None:
    probe = """
    import importlib
    try:
        importlib.import_module("\\ud800x")
    except ModuleNotFoundError as error:
        result = ascii(error.name)
    """
    assert "ud800" in places.as_in_directory(kind, probe)
