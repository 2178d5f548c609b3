"""What is written when modules are imported: only the files that they may look for, and where possible nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .archives import placed_files
from .places import EVERY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, Places

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree


def _recorded(name: str, tree: Tree) -> Tree:
    """Return *tree* as a distribution of its own."""
    record = f"{name}-1.dist-info/RECORD"
    return tree | {record: "".join(f"{member},,\n" for member in [*tree, record])}


TREE: Tree = {
    # It reads its location, but has no other files than modules.
    **_recorded(
        "pure",
        {
            "pure/__init__.py": "import os\n\nNAME = os.path.basename(__file__)\n",
            "pure/mod.py": (
                "import inspect\n\n\nclass Kind:\n    '''A kind.'''\n\n\n"
                "def where():\n    return inspect.stack()[0][3]\n\n\ndef fail():\n    raise ValueError\n"
            ),
            "pure/sub/__init__.py": "",
            "pure/__main__.py": "",
            "loose.py": "X = 1\n",
            "space/leaf.py": "X = 1\n",
        },
    ),
    # Its modules do not read their location.
    **_recorded(
        "data",
        {
            "data/__init__.py": "",
            "data/mod.py": "",
            "data/table.txt": "row\n",
            "data/sub/__init__.py": "",
            "data/sub/near.py": "",
            "data/sub/tables/deep.bin": b"\0\1",
            "data/far/__init__.py": "X = 1\n",
            "data/far/mod.py": "X = 1\n",
            "data/typed/__init__.py": "",
            "data/typed/py.typed": "",
            "data/typed/__init__.pyi": "",
        },
    ),
    **_recorded(
        "asks",
        {
            "asks/__init__.py": "",
            "asks/mod.py": "import os\n\nTABLE = os.path.join(os.path.dirname(__file__), 'table.txt')\n",
            "asks/table.txt": "row\n",
            "asks/far/__init__.py": "",
        },
    ),
    **_recorded(
        "lister",
        {"lister/__init__.py": "import os\n\nNAMES = os.listdir(os.path.dirname(__file__))\n", "lister/a.py": ""},
    ),
    **_recorded("portion", {"portion/tables/table.txt": "row\n", "portion/mod.py": "", "portion/code/mod.py": ""}),
}
IMPORTS = "import pure.mod, pure.sub, loose, space.leaf\n"
PURE = {
    "import": "result = pure.mod.Kind.__name__",
    "find_spec": """
import importlib.util
specs = [importlib.util.find_spec(name) for name in ("pure", "pure.mod", "pure.__main__", "loose", "space")]
result = [[spec.name, spec.parent, spec.origin, spec.submodule_search_locations is None] for spec in specs]
""",
    "location": """
import os
modules = (pure, pure.mod, pure.sub, loose)
result = [pure.NAME, len(pure.__path__), len(space.__path__), [module.__file__ for module in modules]]
""",
    "repr": "result = [repr(pure), repr(pure.__spec__)[:20], str(pure.mod), repr(pure.__path__)]",
    "compared": "result = [pure == pure.mod, pure.__spec__ == pure.mod.__spec__, pure.__path__ == []]",
    "iter_modules": """
import pkgutil
result = [sorted(module.name for module in pkgutil.iter_modules(pure.__path__)), len(list(pkgutil.iter_modules()))]
""",
    "walk_packages": """
import pkgutil
result = sorted(module.name for module in pkgutil.walk_packages(pure.__path__, "pure."))
""",
    "stack": "result = pure.mod.where()",
    "getmodule": """
import inspect
result = [inspect.getmodule(pure.mod.where).__name__, inspect.getmodule(pure.mod.Kind).__name__,
          inspect.getmodule(inspect.currentframe()).__name__, inspect.getmodule(pure.mod).__name__]
""",
    "all attributes": """
import inspect
result = [[str(getattr(pure.mod, name))[:5] for name in dir(pure.mod) if callable(getattr(pure.mod, name))],
          sorted(name for name, _ in inspect.getmembers(pure.mod, inspect.isclass))]
""",
    "signature": "import inspect\nresult = inspect.signature(pure.mod.where).parameters == {}",
    "traceback": """
import traceback
try:
    pure.mod.fail()
except ValueError:
    result = traceback.format_exc().partition("probe.py")[0]
""",
    "warning": """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("old", DeprecationWarning)
result = len(caught)
""",
    "reload": "from importlib import reload\nresult = [reload(each).__name__ for each in (pure, pure.mod, loose)]",
    "pickle": """
import pickle
result = [pickle.loads(pickle.dumps(thing)) is thing for thing in (pure.mod.where, pure.mod.Kind)]
""",
    "missing attribute": """
result = []
for module in (pure, pure.mod, loose):
    result += [hasattr(module, "missing"), getattr(module, "missing", 1)]
    try:
        module.missing
    except AttributeError as error:
        result.append(str(error))
try:
    from pure import missing
except ImportError as error:
    result.append(error.name)
try:
    import pure.missing
except ImportError as error:
    result.append(error.name)
""",
    "resolve_name": "import pkgutil\nresult = pkgutil.resolve_name('pure.mod:where').__name__",
    "module_from_spec": """
import importlib.util
module = importlib.util.module_from_spec(importlib.util.find_spec("pure"))
module.__spec__.loader.exec_module(module)
result = module.__name__
""",
    "threads": """
import threading
threads = [threading.Thread(target=__import__, args=(name,)) for name in ("pure.sub", "pure.mod", "loose") * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
result = "pure" in __import__("sys").modules
""",
}
# What may be asked of a spec that was only found.
FOUND = """
from importlib.machinery import PathFinder
specs = [PathFinder.find_spec(name) for name in ("data", "asks", "lister")]
path = [PATH + "/" + name for name in ("data", "asks")]
specs += [PathFinder.find_spec(name, path) for name in ("data.mod", "data.sub", "asks.mod")]
result = [[spec.name, spec.parent, spec.has_location, spec.loader_state, repr(spec)[:12], spec.loader.name,
           len(repr(spec.loader)) > 9] for spec in specs]
"""
BUNDLES = [FLAT, NESTED, SOURCELESS]
# What a module near data needs: the data, the modules in the same folders, and the packages above.
DATA_PART = {
    *("data/__init__.py", "data/mod.py", "data/table.txt"),
    *("data/sub/__init__.py", "data/sub/near.py", "data/sub/tables/deep.bin"),
}

in_each_bundle = pytest.mark.parametrize("kind", BUNDLES)
in_each = pytest.mark.parametrize("kind", EVERY)


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("sparing"), TREE)


def written(cache: Path, kind: str) -> set[str]:
    """Return the names of the files in the only site, with the suffix of source for modules of each *kind*."""
    folders = list((cache / "sites").iterdir()) if (cache / "sites").exists() else []
    names = {name for folder in folders for name in placed_files(folder)}
    assert len(folders) <= 1
    return {name.removesuffix("c") if kind == SOURCELESS and name.endswith(".pyc") else name for name in names}


@in_each_bundle
@pytest.mark.parametrize("probe", PURE.values(), ids=PURE)
def test_nothing_is_written_for_modules_without_files_to_look_for(
    places: Places, kind: str, probe: str, tmp_path: Path, unwritable: str
) -> None:
    cache = tmp_path / "cache"
    for folder in (str(cache), unwritable):
        places.as_in_directory(kind, IMPORTS + probe, BUNDLEIMP_CACHE_DIR=folder)
    assert not cache.exists()


@pytest.mark.parametrize("kind", [NO_BYTECODE, PLAIN_ZIP])
@pytest.mark.parametrize("probe", PURE.values(), ids=PURE)
def test_without_bytecode_only_that_is_written(places: Places, kind: str, probe: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    places.observe(kind, IMPORTS + probe, BUNDLEIMP_CACHE_DIR=str(cache))
    assert [path.name for path in cache.iterdir()] == ["code"]


@in_each_bundle
def test_nothing_is_loaded_for_modules_without_files_to_look_for(places: Places, kind: str) -> None:
    probe = IMPORTS + "import sys\nresult = [name for name in sys.modules if '.runtime.site' in name]"
    assert places.observe(kind, probe) == []


@in_each
def test_a_spec_that_is_only_found_writes_nothing(places: Places, kind: str, tmp_path: Path, unwritable: str) -> None:
    cache = tmp_path / "cache"
    for folder in (str(cache), unwritable):
        probe = FOUND.replace("PATH", repr(str(places.path(kind))))
        result = places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=folder)
        names = {"data": "data", "asks": "asks", "lister": "lister"}
        names |= {"data.mod": "data", "data.sub": "data.sub", "asks.mod": "asks"}
        expected = [[name, parent, True, None, "ModuleSpec(n", name, True] for name, parent in names.items()]
        assert result == expected
    assert not cache.exists()


@in_each
@pytest.mark.parametrize(
    "question", ["origin", "submodule_search_locations", "cached", "loader.path", "loader.get_filename()"]
)
def test_a_spec_that_is_only_found_writes_what_is_asked_for(
    places: Places, kind: str, question: str, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    probe = f"""
    from importlib.machinery import PathFinder
    spec = PathFinder.find_spec("data")
    result = [spec.{question}]
    result += [spec.origin, spec.submodule_search_locations, spec.loader.path, spec.loader.get_filename()]
    """
    file = "<place>/data/__init__.py" + "c" * (kind == SOURCELESS)
    found = places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache))
    assert found[1:5] == [file, ["<place>/data"], file, file]
    assert written(cache, kind) == DATA_PART


@in_each
@pytest.mark.parametrize("name", ["data", "data.sub.near", "data.far.mod"])
def test_modules_near_data_are_written_with_that_and_nothing_else(
    places: Places, kind: str, name: str, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    probe = f"import {name}\nresult = data.__file__"
    places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache))
    assert written(cache, kind) == DATA_PART


@in_each
def test_modules_far_from_data_are_under_the_bundle(places: Places, kind: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    probe = """
    import data.far.mod, data.sub, data.typed, os, sys
    packages = [data, data.sub, data.far, data.typed]
    files = [module.__file__ for module in [*packages, data.far.mod]]
    result = [[os.path.isfile(file), file.startswith(sys.path[1])] for file in files]
    result.append([package.__path__ == [os.path.dirname(package.__file__)] for package in packages])
    """
    found = places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache))
    assert found == [*[[True, False]] * 2, *[[False, True]] * 3, [True] * 4]


@in_each
def test_a_module_that_looks_for_files_is_written_with_its_distribution(
    places: Places, kind: str, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    probe = "import asks.mod\nresult = [asks.__file__, asks.mod.TABLE]"
    assert places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache))[1] == "<place>/asks/table.txt"
    assert written(cache, kind) == {name for name in TREE if name.startswith("asks/")}


@in_each
def test_a_module_that_lists_code_is_written_with_its_distribution(places: Places, kind: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    probe = "import lister\nresult = sorted(name.partition('.')[0] for name in lister.NAMES)"
    assert places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache)) == ["__init__", "a"]
    assert written(cache, kind) == {"lister/__init__.py", "lister/a.py"}


@in_each
def test_a_namespace_portion_is_written_where_it_has_data_itself(places: Places, kind: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    probe = "import os, portion.mod, portion.code.mod\nresult = os.listdir(portion.__path__[0] + '/tables')"
    assert places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache)) == ["table.txt"]
    assert written(cache, kind) == {"portion/mod.py", "portion/tables/table.txt"}


# Nothing can be written.


@in_each
@pytest.mark.parametrize("name", ["asks", "data"])
def test_where_nothing_can_be_written_there_is_one_warning_and_the_usual_place(
    places: Places, kind: str, name: str, unwritable: str
) -> None:
    script = places.laboratory.probe_file(
        f"import {name} as module, {name}.mod\n"
        "for _ in 1, 2:\n    print(module.__file__, module.__path__[0], module.__spec__.origin, module.mod.__file__)\n"
    )
    outcome = places.run(kind, "-W", "always", str(script), BUNDLEIMP_CACHE_DIR=unwritable)
    suffix = ".pyc" if kind == SOURCELESS else ".py"
    place = f"<place>/{name}/__init__{suffix}"
    line = f"{place} <place>/{name} {place} <place>/{name}/mod{suffix}\n"
    assert (outcome.status, outcome.stdout) == (0, line * 2)
    assert outcome.stderr.count("BundleWarning") == 1
    assert f"<place>: {name} looks for its files beside its modules, and {unwritable}, " in outcome.stderr
    assert "which BUNDLEIMP_CACHE_DIR names, cannot be used" in outcome.stderr
    assert "probe.py:" in outcome.stderr


@in_each_bundle
def test_where_warnings_are_errors_that_one_stops_the_import(places: Places, kind: str, unwritable: str) -> None:
    outcome = places.run(kind, "-W", "error", "-c", "import data", BUNDLEIMP_CACHE_DIR=unwritable)
    assert outcome.status == 1
    assert "which BUNDLEIMP_CACHE_DIR names, cannot be used" in outcome.stderr


@in_each
def test_resources_are_read_and_given_as_files_without_a_cache(places: Places, kind: str, unwritable: str) -> None:
    probe = """
    import importlib.resources, pkgutil
    with importlib.resources.as_file(importlib.resources.files("data") / "table.txt") as path:
        result = [path.read_text(), path.name]
    with importlib.resources.as_file(importlib.resources.files("asks")) as path:
        result += [(path / "table.txt").read_text(), path.name]
    files = importlib.resources.files("data.sub")
    result += [(files / "tables" / "deep.bin").read_bytes().hex(), pkgutil.get_data("data", "table.txt").decode()]
    """
    options = ("-W", "ignore")  # of the modules that look for files
    assert places.observe(kind, probe, options=options, BUNDLEIMP_CACHE_DIR=unwritable) == [
        *("row\n", "table.txt", "row\n", "asks", "0001", "row\n")
    ]
