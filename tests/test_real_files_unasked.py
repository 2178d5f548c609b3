"""Nothing is written before somebody asks for a real place, and where nothing can be written imports go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .archives import mirrored_files
from .places import EVERY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, Places

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "pure/__init__.py": "import os\n\nNAME = os.path.basename(__file__)\n",
    "pure/mod.py": "X = 1\n",
    "data/__init__.py": "",
    "data/mod.py": (
        "import inspect\n\n\nclass Kind:\n    '''A kind.'''\n\n\ndef where():\n    return inspect.stack()[0][3]\n\n\n"
        "def fail():\n    raise ValueError\n"
    ),
    "data/table.txt": "row\n",
    "data/sub/__init__.py": "",
    "data/sub/deep.bin": b"\0\1",
    "data/__main__.py": "",
    "loose.py": "X = 1\n",
    "loose.txt": "loose\n",
    "asks/__init__.py": "import os\n\nTABLE = os.path.join(os.path.dirname(__file__), 'table.txt')\n",
    "asks/table.txt": "row\n",
    "asks/mod.py": "X = 1\n",
    "lister/__init__.py": "import os\n\nHERE = os.path.dirname(__file__)\nNAMES = os.listdir(HERE)\n",
}
IMPORTS = "import pure.mod, data.mod, data.sub, loose\n"
UNASKED = {
    "import": "result = data.mod.Kind.__name__",
    "find_spec": """
import importlib.util
specs = [importlib.util.find_spec(name) for name in ("data", "data.mod", "asks", "loose", "lister")]
result = [spec.name for spec in specs]
""",
    "find_spec alone": """
import importlib.machinery
result = [importlib.machinery.PathFinder.find_spec(name).parent for name in ("data", "asks", "loose", "lister")]
""",
    "repr": "result = [repr(data), repr(data.__spec__), str(data.mod), repr(data.__path__), repr(data.__loader__)]",
    "compared": "result = [data == data.mod, data.__spec__ == data.mod.__spec__, data.__path__ == []]",
    "iter_modules": """
import pkgutil
result = [sorted(module.name for module in pkgutil.iter_modules(data.__path__)), len(list(pkgutil.iter_modules()))]
""",
    "walk_packages": """
import pkgutil
result = sorted(module.name for module in pkgutil.walk_packages(data.__path__, "data."))
""",
    "stack": "result = data.mod.where()",
    "getmodule": """
import inspect
result = [inspect.getmodule(data.mod.where).__name__, inspect.getmodule(data.mod.Kind).__name__,
          inspect.getmodule(inspect.currentframe()).__name__, inspect.getmodule(pure.mod).__name__]
""",
    "all attributes": """
import inspect
def classes(module):
    found = []
    for name in dir(module):
        value = getattr(module, name)
        if isinstance(value, type):
            found.append(value.__name__)
    return found + [name for name in dir(module) if callable(getattr(module, name))]
result = [classes(data.mod), sorted(name for name, _ in inspect.getmembers(data.mod, inspect.isclass))]
""",
    "getsource": "import inspect\nresult = inspect.signature(data.mod.where).parameters == {}",
    "traceback": """
import traceback
try:
    data.mod.fail()
except ValueError:
    result = traceback.format_exc().count("\\n")
""",
    "warning": """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.warn("old", DeprecationWarning)
result = len(caught)
""",
    "reload": "from importlib import reload\nresult = [reload(each).__name__ for each in (data, data.mod, loose)]",
    "pickle": """
import pickle
result = [pickle.loads(pickle.dumps(thing)) is thing for thing in (data.mod.where, data.mod.Kind)]
""",
    "missing attribute": """
result = []
for module in (data, data.mod, loose):
    result += [hasattr(module, "missing"), getattr(module, "missing", 1)]
    try:
        module.missing
    except AttributeError as error:
        result.append(str(error))
try:
    from data import missing
except ImportError as error:
    result.append(error.name)
try:
    import data.missing
except ImportError as error:
    result.append(error.name)
""",
    "other attributes": """
result = [data.__name__, data.__package__, data.__doc__, len(data.__path__), bool(data.__path__), data.__spec__.name,
          data.__spec__.parent, data.__spec__.has_location, data.mod.__spec__.submodule_search_locations]
""",
    "read_text": """
import importlib.resources
result = [importlib.resources.read_text("data", "table.txt"), importlib.resources.is_resource("data", "table.txt"),
          importlib.resources.read_binary(data.sub, "deep.bin").hex()]
""",
    "files": """
import importlib.resources
files = importlib.resources.files("data")
result = [files.joinpath("table.txt").read_text(), (files / "sub" / "deep.bin").read_bytes().hex(), files.name,
          sorted(path.name for path in files.iterdir() if path.name[0] != "_"), repr(files)[:1]]
with (files / "table.txt").open(encoding="utf-8") as file:
    result.append(file.read())
""",
    "get_data": """
import pkgutil
result = [pkgutil.get_data("data", "table.txt").decode(), pkgutil.get_data("data.sub", "deep.bin").hex()]
""",
    "resolve_name": "import pkgutil\nresult = pkgutil.resolve_name('data.mod:where').__name__",
    "module_from_spec": """
import importlib.util
module = importlib.util.module_from_spec(importlib.util.find_spec("data"))
module.__spec__.loader.exec_module(module)
result = module.__name__
""",
    "threads": """
import threading
threads = [threading.Thread(target=__import__, args=(name,)) for name in ("data.sub", "data.mod", "pure") * 3]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
result = "data" in __import__("sys").modules
""",
}
# With deprecated parts of importlib.resources.
OPTIONS = ("-W", "error", "-W", "ignore::DeprecationWarning")
BUNDLES = [FLAT, NESTED, SOURCELESS]

in_each_bundle = pytest.mark.parametrize("kind", BUNDLES)


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("unasked"), TREE)


@in_each_bundle
@pytest.mark.parametrize("probe", UNASKED.values(), ids=UNASKED)
def test_nothing_is_written_before_somebody_asks(
    places: Places, kind: str, probe: str, tmp_path: Path, unwritable: str
) -> None:
    cache = tmp_path / "cache"
    for folder in (str(cache), unwritable):
        if "traceback" not in probe and "repr" not in probe:
            places.as_in_directory(kind, IMPORTS + probe, options=OPTIONS, BUNDLEIMP_CACHE_DIR=folder)
        else:
            places.observe(kind, IMPORTS + probe, options=OPTIONS, BUNDLEIMP_CACHE_DIR=folder)
    assert not cache.exists()


@pytest.mark.parametrize("kind", [NO_BYTECODE, PLAIN_ZIP])
@pytest.mark.parametrize("probe", UNASKED.values(), ids=UNASKED)
def test_without_bytecode_nothing_but_that_is_written(places: Places, kind: str, probe: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    places.observe(kind, IMPORTS + probe, options=OPTIONS, BUNDLEIMP_CACHE_DIR=str(cache))
    assert [path.name for path in cache.iterdir()] == ["code"]


@pytest.mark.parametrize("kind", EVERY)
def test_what_asks_but_has_nothing_to_find_is_never_written(places: Places, kind: str, tmp_path: Path) -> None:
    probe = (
        "import os, pure.mod\nresult = [pure.NAME, os.path.exists(pure.__file__), pure.__file__, len(pure.__path__)]"
    )
    cache = tmp_path / "cache"
    result = places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=str(cache))
    suffix = ".pyc" if kind == SOURCELESS else ".py"
    assert result == [f"__init__{suffix}", False, f"<place>/pure/__init__{suffix}", 1]
    assert not (cache / "mirrors").exists()


@in_each_bundle
def test_the_first_who_asks_has_it_written_and_only_what_was_asked_for(
    places: Places, kind: str, tmp_path: Path
) -> None:
    probe = IMPORTS + "import os\nresult = [open(os.path.join(data.__path__[0], 'table.txt')).read()]"
    cache = tmp_path / "cache"
    assert places.observe(kind, probe, options=("-W", "ignore"), BUNDLEIMP_CACHE_DIR=str(cache)) == ["row\n"]
    (mirror,) = (cache / "mirrors").iterdir()
    assert mirror.name.startswith("data-")
    suffix = ".pyc" if kind == SOURCELESS else ".py"
    assert set(mirrored_files(mirror)) == {
        name.removesuffix(".py") + (suffix if name.endswith(".py") else "") for name in TREE if name.startswith("data/")
    }


@in_each_bundle
def test_an_importing_process_loads_nothing_for_modules_that_nobody_asks(places: Places, kind: str) -> None:
    probe = "import pure.mod, sys\nresult = [name for name in sys.modules if name.endswith(('.located', '.mirrors'))]"
    assert places.observe(kind, probe) == []


@in_each_bundle
@pytest.mark.parametrize("name", ["asks", "data"])
def test_where_nothing_can_be_written_who_asks_gets_one_warning_and_the_usual_place(
    places: Places, kind: str, name: str, unwritable: str
) -> None:
    script = places.laboratory.probe_file(
        f"import {name} as asked, {name}.mod\n"
        "for _ in 1, 2:\n    print(asked.__file__, asked.__path__[0], asked.__spec__.origin)\n"
    )
    outcome = places.run(kind, "-W", "always", str(script), BUNDLEIMP_CACHE_DIR=unwritable)
    suffix = ".pyc" if kind == SOURCELESS else ".py"
    place = f"<place>/{name}/__init__{suffix}"
    assert (outcome.status, outcome.stdout) == (0, f"{place} <place>/{name} {place}\n" * 2)
    assert outcome.stderr.count("BundleWarning") == 1
    assert (
        f"<place>: {name} looks for its files beside its modules, and no cache folder can be written" in outcome.stderr
    )
    assert "probe.py:" in outcome.stderr


@in_each_bundle
def test_where_warnings_are_errors_that_one_stops_who_asks(places: Places, kind: str, unwritable: str) -> None:
    outcome = places.run(kind, "-W", "error", "-c", "import data; data.__file__", BUNDLEIMP_CACHE_DIR=unwritable)
    assert outcome.status == 1
    assert "set BUNDLEIMP_CACHE_DIR" in outcome.stderr


@in_each_bundle
def test_resources_are_read_and_given_as_files_without_a_cache(places: Places, kind: str, unwritable: str) -> None:
    probe = """
    import importlib.resources
    with importlib.resources.as_file(importlib.resources.files("data") / "table.txt") as path:
        result = [path.read_text(), path.name]
    with importlib.resources.as_file(importlib.resources.files("asks")) as path:
        result += [(path / "table.txt").read_text(), path.name]
    """
    options = ("-W", "ignore")  # of the module that asks
    assert places.observe(kind, probe, options=options, BUNDLEIMP_CACHE_DIR=unwritable) == [
        *("row\n", "table.txt", "row\n", "asks")
    ]
