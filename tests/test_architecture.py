"""The layers and rooms, what an importing process loads, and the public names."""

from __future__ import annotations

import inspect
import json
import pkgutil
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import make_bundle, run_python
from .imports import MODULES, ROOM_NAMES, Module
from .parts import FAST, FOR_TYPES, PACKAGE, PARTS, ROOMS, WORLDS
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, lay_out

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = {"runtime": 0, "packing": 1, "inspection": 1, "fetching": 1, "cli": 2}
# What every import goes through; each imports the ones before it.
FAST_ORDER = ["format", "bundlefile", "archive", "bundles", "loaders", "finder", "hook"]
# Each imports rooms before it, and modules of `FAST_ORDER`.
ROOM_ORDER = ["faults", "content", "plain", "cache", "site", "data", "sources", "interpreter"]
# Where the platform has no ``pread``, and where bundles have to be signed, these load a room.
ON_CONDITION = {"bundlefile": {"bundleimp.runtime.content"}, "finder": {"bundleimp.runtime.sources"}}
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
PUBLIC = [
    *(
        "Bundle",
        "BundleError",
        "BundleFetchError",
        "BundleFinder",
        "BundleLoader",
        "BundleWarning",
        "Mount",
        "PackReport",
        "TraceEvent",
    ),
    *("fetch", "install", "load_module", "mount", "open_bundle", "pack", "trace", "uninstall"),
]
# They name everything, and are loaded by type checkers only.
TYPED = {"bundleimp._typing", *(f"bundleimp.runtime.{name}" for name in FOR_TYPES)}
IN_RUNTIME = {name: module for name, module in MODULES.items() if name.startswith("bundleimp.runtime")}


def runtime_module(part: str) -> Module:
    """Return the module of a *part*, "hook" or "cache.code"."""
    return MODULES[f"bundleimp.runtime.{part}"]


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_downward_only(name: str) -> None:
    own = name.split(".")[1:2]
    for imported in MODULES[name].imports(typing=True):
        parts = imported.split(".")
        if parts[0] == "bundleimp" and own and own[0] in LAYERS and parts[1:] and parts[1] in LAYERS:
            assert own == parts[1:2] or LAYERS[parts[1]] < LAYERS[own[0]], f"{name} imports {imported}"


def test_every_part_of_the_runtime_has_its_place_in_the_order() -> None:
    assert sorted(FAST_ORDER) == FAST
    assert sorted(ROOM_ORDER) == sorted(ROOMS)
    assert set(ROOM_ORDER) == bundleimp.runtime.ROOMS
    assert len(IN_RUNTIME) == 1 + len(FAST) + len(FOR_TYPES) + len(ROOMS) + sum(map(len, ROOMS.values()))


@pytest.mark.parametrize("name", FAST)
def test_modules_of_every_import_load_those_before_them_and_no_room(name: str) -> None:
    allowed = {f"bundleimp.runtime.{other}" for other in FAST_ORDER[: FAST_ORDER.index(name)]} | {"bundleimp.runtime"}
    imported = {other for other in runtime_module(name).imports(functions=False) if other in MODULES}
    assert imported - allowed == ON_CONDITION.get(name, set())


@pytest.mark.parametrize("name", [part for part in PARTS if "." in part])
def test_rooms_load_rooms_before_them(name: str) -> None:
    room = name.partition(".")[0]
    allowed = {"bundleimp.runtime", *(f"bundleimp.runtime.{other}" for other in FAST_ORDER)}
    allowed |= {f"bundleimp.runtime.{other}" for other in ROOM_ORDER[: ROOM_ORDER.index(room) + 1]}
    allowed |= {f"bundleimp.runtime.{room}.{other}" for other in ROOMS[room]}
    assert {other for other in runtime_module(name).imports(functions=False) if other in MODULES} <= allowed


@pytest.mark.parametrize("name", MODULES)
def test_what_is_there_for_type_checkers_is_loaded_by_nothing_else(name: str) -> None:
    assert not MODULES[name].imports() & TYPED


@pytest.mark.parametrize("name", [name for name in IN_RUNTIME if name not in TYPED])
def test_parts_of_the_runtime_are_imported_in_the_one_way_that_asks_no_finder(name: str) -> None:
    """That is ``from . import part`` or ``from .. import part``; and no part is asked for outside the runtime."""
    depth = 2 if name in ROOM_NAMES or name.rpartition(".")[0] in ROOM_NAMES else 1
    for node in IN_RUNTIME[name].relative():
        assert node.module is None, f"line {node.lineno}: from {'.' * node.level}{node.module} import ..."
        assert node.level <= depth, f"line {node.lineno} leads out of the runtime"


def test_no_files_import_each_other_in_a_circle() -> None:
    """An import inside a function counts: it hides a circle, and does not remove it."""
    graph = {name: module.uses() for name, module in MODULES.items() if name not in TYPED}
    assert sum(map(len, graph.values())) > 2 * len(MODULES), "the imports are read"
    assert "bundleimp.runtime.faults.opening" in graph["bundleimp.runtime.bundlefile"]
    assert "bundleimp.runtime.interpreter.lines" in graph["bundleimp.runtime.interpreter.telling"]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_lists_its_parts_and_nothing_else(name: str) -> None:
    room = runtime_module(name)
    parts = {f"bundleimp.runtime.{name}.{part}" for part in ROOMS[name]}
    assert {other for other in room.imports(typing=True) if other in MODULES} == {"bundleimp.runtime", *parts}
    assert room.imports() == {"bundleimp.runtime"}


def needs(part: str) -> set[str]:
    """Return what the room of a *part* imports before it loads that."""
    room, _, name = part.rpartition(".")
    function = vars(getattr(bundleimp.runtime, room)).get("__getattr__") if room else None
    declared = inspect.getclosurevars(function).nonlocals.get("needs") if function is not None else None
    return set((declared or {}).get(name, ()))


@pytest.mark.parametrize("name", PARTS)
def test_the_runtime_imports_nothing_that_is_not_loaded_already(name: str) -> None:
    """Else its room names it: that is imported before the import lock is taken."""
    assert runtime_module(name).standard() <= ALWAYS_THERE | needs(name)


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_needs_is_all_that_the_parts_need_that_are_loaded_with_it(name: str) -> None:
    with_it = {other.removeprefix("bundleimp.runtime.") for other in runtime_module(name).uses(functions=False)}
    assert set().union(*(needs(other) for other in with_it & set(PARTS))) <= needs(name)


def test_some_parts_do_need_something() -> None:
    assert {name for name in PARTS if needs(name)} >= {"data.metadata", "data.resources"}


def test_an_import_from_a_bundle_loads_what_every_import_needs_and_no_room(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"mypkg/__init__.py": "", "mypkg/mod.py": "x = 1"})
    # As a file: from Python 3.13 on, `-c` imports linecache to register its text, and that is patched once it is there.
    script = tmp_path / "script.py"
    having = []
    for name, path in (("json", []), ("mypkg.mod", [bundle])):
        script.write_text(f"import json, sys, {name}; print(json.dumps(sorted(sys.modules)))")
        having.append(set(json.loads(run_python(str(script), path=path).stdout)))
    without, with_it = having
    ours = {"bundleimp.waiting", "bundleimp.runtime", *(f"bundleimp.runtime.{name}" for name in FAST)}
    assert with_it - without == ours | {"mypkg", "mypkg.mod"}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_loaded_whatever_the_import_system_is(name: str, world: str) -> None:
    before = "".join(f"import {module}\n" for module in sorted(needs(name) | runtime_module(name).standard()))
    script = f"""
import sys, bundleimp
{before}
asked = []
{WORLDS[world]}
part = bundleimp.runtime.{name}
loaded = sys.modules["bundleimp.runtime.{name}"]
print(part is loaded, part.__name__, part.__spec__.name, part.__spec__.origin == part.__file__, asked)
"""
    full = f"bundleimp.runtime.{name}"
    assert run_python("-c", script).stdout == f"True {full} {full} True []\n"


@pytest.mark.parametrize("name", ["site", "faults.kinds", "site.units"])
def test_a_part_is_loaded_when_a_program_has_taken_ours_out_of_the_loaded_modules(name: str) -> None:
    """Tools do that after a look at other modules: coverage does."""
    script = f"""
import sys
from bundleimp import runtime
runtime.cache, runtime.faults
for module in [module for module in sys.modules if module.startswith("bundleimp.")]:
    del sys.modules[module]
print(runtime.{name}.__name__, runtime.{name} is sys.modules["bundleimp.runtime.{name}"])
"""
    assert run_python("-c", script).stdout == f"bundleimp.runtime.{name} True\n"


def test_tools_that_list_modules_find_the_parts() -> None:
    folder = bundleimp.runtime.__path__
    found = [name for _, name, _ in pkgutil.walk_packages(folder, "bundleimp.runtime.")]
    assert sorted(found) == sorted(f"bundleimp.runtime.{name}" for name in {*PARTS, *ROOMS, *FOR_TYPES})


@pytest.mark.parametrize("name", ["bundleimp.runtime", "bundleimp.runtime.hook", "bundleimp.runtime.site.units"])
def test_what_is_loaded_without_the_import_system_has_a_spec(name: str) -> None:
    script = f"""
import importlib.util, inspect, sys
import bundleimp
bundleimp.install()
bundleimp.runtime.site.units
spec, module = importlib.util.find_spec({name!r}), sys.modules.get({name!r})
print(spec.name, spec.origin == module.__file__, spec.loader is module.__loader__)
print(inspect.getsource(module).startswith('"'), spec.loader.get_filename({name!r}) == module.__file__)
try:
    spec.loader.get_filename("os")
except ImportError:
    print("another module")
"""
    assert run_python("-c", script).stdout == f"{name} True True\nTrue True\nanother module\n"


def test_a_part_that_a_program_has_taken_out_of_the_loaded_modules_is_not_loaded_again() -> None:
    script = """
import importlib, sys
from bundleimp import runtime
kinds = runtime.faults.kinds
del sys.modules["bundleimp.runtime.faults.kinds"], runtime.faults.kinds
print(runtime.faults.kinds is kinds, importlib.import_module("bundleimp.runtime.faults.kinds") is kinds)
"""
    assert run_python("-c", script).stdout == "True True\n"


@pytest.mark.parametrize("before", ["", "import bundleimp; bundleimp.install(); sys.path_importer_cache.clear()"])
def test_parts_are_imported_by_their_names_too(before: str) -> None:
    script = f"""
import importlib, sys
{before}
for name in {[name for name in PARTS if "." in name]!r}:
    module = importlib.import_module("bundleimp.runtime." + name)
    room, part = name.split(".")
    assert module is getattr(getattr(sys.modules["bundleimp.runtime"], room), part), name
    assert type(module.__loader__) is type(sys.modules["bundleimp.runtime"].format.__loader__), name
"""
    run_python("-c", script)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("kind", [FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS])
def test_modules_are_found_and_read_whatever_the_import_system_is(kind: str, world: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, {"mod.py": "x = 1\n", "data.txt": "data"})
    script = f"""
import sys, bundleimp
asked = []
bundleimp.install()
hook = sys.path_hooks[0]
{WORLDS[world]}
finder = hook({str(place)!r})
loader = finder.find_spec("mod").loader
print(loader.get_code("mod").co_names, loader.get_data({str(place / "data.txt")!r}).decode(), asked)
"""
    cache = str(tmp_path / "cache")
    for _ in range(2):  # the second time, bytecode comes from the cache
        assert run_python("-c", script, BUNDLEIMP_CACHE_DIR=cache).stdout == "('x',) data []\n"


def test_without_a_bundle_the_start_loads_one_module() -> None:
    script = "import sys; print([name for name in sys.modules if name.startswith('bundleimp')])"
    assert run_python("-c", script).stdout.strip() == "['bundleimp']"


def test_the_public_names_are_pinned() -> None:
    assert bundleimp.__all__ == PUBLIC
    assert dir(bundleimp) == sorted([*PUBLIC, "__version__"])


@pytest.mark.parametrize("name", PUBLIC)
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


@pytest.mark.parametrize("name", ["nothing", "_nothing", "faults.nothing", "faults._nothing"])
def test_an_unknown_part_is_an_attribute_error(name: str) -> None:
    room, _, part = f"runtime.{name}".rpartition(".")
    place = bundleimp.runtime if room == "runtime" else bundleimp.runtime.faults
    with pytest.raises(AttributeError, match=f"no attribute {part!r}"):
        getattr(place, part)


def test_modules_stay_small() -> None:
    long = {name: len(module.path.read_text("utf-8").splitlines()) for name, module in MODULES.items()}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}
