"""The layers, what an importing process loads, and the public names."""

from __future__ import annotations

import ast
import inspect
import json
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import make_bundle, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(bundleimp.__file__).parent
RUNTIME = [
    *(
        "errors",
        "codec",
        "format",
        "encoding",
        "zipend",
        "zipdirectory",
        "units",
        "bundlefile",
        "signatures",
        "archive",
    ),
    *("bundles", "cachefolder", "cacheentries", "codecache", "mirrors", "located", "native", "reading", "resources"),
    *(
        "metadata",
        "pkgresources",
        "printing",
        "adapt",
        "loaders",
        "finder",
        "mirrorfinder",
        "hook",
        "program",
        "embedded",
    ),
]
LAYERS = {"runtime": 0, "packing": 1, "inspection": 1, "cli": 2}
# The folders in which no files import each other in a circle.
WITHOUT_CIRCLES = ["packing", "inspection", "cli"]
# What any interpreter has loaded before its first import statement runs, or has built in.
ALWAYS_THERE = {
    "_frozen_importlib",
    "_frozen_importlib_external",
    "_imp",
    "_io",
    "_thread",
    "_warnings",
    "gc",
    "marshal",
    "os",
    "sys",
    "time",
}
# Loaded when a program asks for a resource or for a distribution; not on the way of an import.
LOADED_LATER = {"metadata", "pkgresources", "reading", "resources"}


def module_name(path: Path) -> str:
    return ".".join(("bundleimp", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def is_module(name: str) -> bool:
    path = PACKAGE.parent / Path(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that are executed: not those under ``if TYPE_CHECKING``."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield from nodes(child)


def imports(path: Path, *, typing: bool = True) -> Iterator[str]:
    """Yield the full name of every module that a file imports, at its top or inside a function, for typing or not."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree) if typing else nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{stem}.{alias.name}"
                yield full if is_module(full) else stem


def files(folder: Path = PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=module_name)
def test_imports_go_downward_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "bundleimp" and len(parts) > 1 and own[0] in LAYERS and parts[1] in LAYERS:
            same = own[0] == parts[1]
            assert same or LAYERS[parts[1]] < LAYERS[own[0]], f"{module_name(path)} imports {name}"


@pytest.mark.parametrize("name", RUNTIME)
def test_inside_the_runtime_later_modules_import_earlier_ones(name: str) -> None:
    path = PACKAGE / "runtime" / f"{name}.py"
    for imported in imports(path, typing=False):
        if imported.startswith("bundleimp.runtime."):
            other = imported.split(".")[2]
            assert RUNTIME.index(other) < RUNTIME.index(name), f"{name} imports {other}"


@pytest.mark.parametrize("folder", WITHOUT_CIRCLES)
def test_no_files_of_a_folder_import_each_other_in_a_circle(folder: str) -> None:
    """An import inside a function counts: it hides a circle, and does not remove it."""
    names = {module_name(path): path for path in files(PACKAGE / folder)}
    graph = {name: {other for other in imports(path, typing=False) if other in names} for name, path in names.items()}
    assert sum(map(len, graph.values())) > len(names) // 2, "the imports are read"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_every_runtime_module_has_its_place_in_the_order() -> None:
    assert {path.stem for path in files(PACKAGE / "runtime")} == {"__init__", *RUNTIME}


@pytest.mark.parametrize("name", [name for name in RUNTIME if name not in LOADED_LATER])
def test_the_runtime_imports_nothing_that_is_not_loaded_already(name: str) -> None:
    tree = ast.parse((PACKAGE / "runtime" / f"{name}.py").read_text("utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module))
    assert found <= ALWAYS_THERE


def test_an_import_from_a_bundle_loads_our_runtime_and_nothing_else(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"mypkg/__init__.py": "", "mypkg/mod.py": "x = 1"})
    script = "import json, sys; {}; print(json.dumps(sorted(sys.modules)))"
    without = set(json.loads(run_python("-c", script.format("import json")).stdout))
    having = set(json.loads(run_python("-c", script.format("import mypkg.mod"), path=[bundle]).stdout))
    ours = {name for name in having - without if name.startswith(("bundleimp.runtime", "bundleimp.waiting"))}
    assert having - without == ours | {"mypkg", "mypkg.mod"}
    assert "bundleimp.runtime.hook" in ours
    later = {*LOADED_LATER, "native", "encoding", "signatures", "printing"}
    assert not ours & {f"bundleimp.runtime.{name}" for name in later}


def test_without_a_bundle_the_start_loads_one_module() -> None:
    script = "import sys; print([name for name in sys.modules if name.startswith('bundleimp')])"
    assert run_python("-c", script).stdout.strip() == "['bundleimp']"


def test_the_public_names_are_pinned() -> None:
    assert bundleimp.__all__ == [
        *("Bundle", "BundleError", "BundleFinder", "BundleLoader", "BundleWarning", "PackReport"),
        *("install", "open_bundle", "pack", "uninstall"),
    ]
    assert dir(bundleimp) == sorted([*bundleimp.__all__, "__version__"])


@pytest.mark.parametrize("name", bundleimp.__all__)
def test_every_public_name_is_documented_and_typed(name: str) -> None:
    value = getattr(bundleimp, name)
    assert inspect.getdoc(value)
    if not inspect.isclass(value):
        assert inspect.signature(value).return_annotation is not inspect.Signature.empty


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bundleimp.nothing  # noqa: B018 (the access is what is tested)


def test_modules_stay_small() -> None:
    long = {path.name: len(path.read_text("utf-8").splitlines()) for path in files()}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}
