"""Files of several distributions, and of a project, find each other as in one site-packages: the oracle is one."""

from __future__ import annotations

import importlib.machinery
import sys
from typing import TYPE_CHECKING

import pytest

from .compiling import compiled, extension
from .places import FLAT, NESTED, PLAIN_ZIP, SOURCELESS, Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .builders import Tree

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="$ORIGIN is of ELF files")
in_each = pytest.mark.parametrize("kind", [FLAT, NESTED, SOURCELESS, PLAIN_ZIP])


def distribution(name: str, members: Mapping[str, str | bytes]) -> Tree:
    """Return *members* with the metadata of a distribution that records them."""
    info = f"{name}-1.0.dist-info"
    record = "".join(f"{member},,\n" for member in [*members, f"{info}/METADATA", f"{info}/RECORD"])
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    return {**members, f"{info}/METADATA": metadata, f"{info}/RECORD": record}


READ_BESIDE = """
import os
FOLDER = os.path.dirname(__file__)
def read(*names):
    with open(os.path.join(FOLDER, *names), encoding="utf-8") as file:
        return file.read()
"""
TREE: Tree = {
    # Data of one distribution in the package of another.
    **distribution("tables", {"tables/__init__.py": READ_BESIDE}),
    **distribution("tables_data", {"tables/data/one.txt": "one\n"}),
    # A project whose root has more than its packages.
    "shop/__init__.py": "",
    "shop/settings.py": "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n",
    "shop/own/page.html": "own page\n",
    "templates/base.html": "base\n",
    "static/css/a.css": "a {}\n",
    "VERSION": "1.2\n",
    "shop/version.py": (
        "import os\nROOT = os.path.dirname(os.path.dirname(__file__))\n"
        "with open(os.path.join(ROOT, 'VERSION')) as file:\n    TEXT = file.read()\n"
    ),
    # Files that are read as files although they are about code.
    **distribution(
        "stubs",
        {
            "stubs/__init__.py": READ_BESIDE,
            "stubs/__init__.pyi": "def read(*names: str) -> str: ...\n",
            "stubs/py.typed": "",
        },
    ),
    # A namespace package with data of its own.
    **distribution("space_one", {"space/one.py": "", "space/tpl/a.txt": "a\n"}),
    # Whoever asks, and however.
    **distribution(
        "ways",
        {
            "ways/__init__.py": "",
            "ways/d.txt": "found\n",
            "ways/code.py": "import os\nHERE = os.path.dirname((lambda: 0).__code__.co_filename)\n",
            "ways/stack.py": "import inspect, os\nHERE = os.path.dirname(inspect.stack()[0][1])\n",
            "ways/source.py": "import inspect, os\nHERE = os.path.dirname(inspect.getsourcefile(lambda: 0))\n",
            "ways/loader.py": "import os\nHERE = os.path.dirname(__loader__.path)\n",
            "ways/filename.py": "import os\nHERE = os.path.dirname(__loader__.get_filename())\n",
            "ways/spec.py": "import os\nHERE = os.path.dirname(__spec__.origin)\n",
            "ways/names.py": "import os\nHERE = os.path.dirname(globals()['__file__'])\n",
            "ways/frame.py": "import asking\nHERE = asking.folder_of_the_caller()\n",
        },
    ),
    **distribution(
        "asking",
        {
            "asking.py": (
                "import os, sys\n\n\ndef folder_of_the_caller():\n"
                "    return os.path.dirname(sys._getframe(1).f_globals['__file__'])\n"
            )
        },
    ),
    # It walks its own tree, and runs what it finds there.
    **distribution(
        "walker",
        {
            "walker/__init__.py": "import os, runpy\nHERE = os.path.dirname(__file__)\n"
            "NAMES = sorted(n for _, _, names in os.walk(HERE) for n in names if not n.endswith('.pyc'))\n",
            "walker/plugins/a.py": "NAME = 'a'\n",
            "walker/plugins/b.py": "NAME = 'b'\n",
        },
    ),
}


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("together"), TREE)


@in_each
def test_data_of_another_distribution_in_the_same_package(places: Places, kind: str) -> None:
    assert places.as_in_directory(kind, "import tables\nresult = tables.read('data', 'one.txt')") == "one\n"


@in_each
def test_a_project_finds_the_files_beside_its_packages(places: Places, kind: str) -> None:
    probe = """
    import os
    import shop.version
    from shop.settings import BASE_DIR

    result = [shop.version.TEXT, (BASE_DIR / "templates" / "base.html").read_text(), os.listdir(BASE_DIR / "static")]
    for path in (BASE_DIR / "templates" / "page.html", BASE_DIR / "shop" / "own" / "page.html"):
        try:
            result.append(path.read_text())
        except FileNotFoundError:
            result.append("next")
    """
    assert places.as_in_directory(kind, probe) == ["1.2\n", "base\n", ["css"], "next", "own page\n"]


@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
def test_stubs_and_markers_are_files_beside_the_module(places: Places, kind: str) -> None:
    probe = "import stubs\nresult = [stubs.read('__init__.pyi'), stubs.read('py.typed')]"
    assert places.as_in_directory(kind, probe) == ["def read(*names: str) -> str: ...\n", ""]


@in_each
def test_a_namespace_package_has_the_folder_of_its_data(places: Places, kind: str) -> None:
    probe = """
    import importlib.util, os, pathlib, space, space.one
    (portion,) = space.__path__
    found = importlib.util.find_spec("space").submodule_search_locations[0]
    text = pathlib.Path(portion, "tpl", "a.txt").read_text()
    result = [text, os.path.isdir(found), os.path.isfile(space.one.__file__)]
    """
    assert places.as_in_directory(kind, probe) == ["a\n", True, True]


@in_each
@pytest.mark.parametrize("way", ["code", "stack", "source", "loader", "filename", "spec", "names", "frame"])
def test_whoever_asks_where_a_module_is_gets_the_same_answer(places: Places, kind: str, way: str) -> None:
    if kind == SOURCELESS and way == "source":
        pytest.skip("without source there is no source file")
    probe = f"import os, pathlib\nfrom ways.{way} import HERE\nresult = [HERE, pathlib.Path(HERE, 'd.txt').read_text()]"
    assert places.as_in_directory(kind, probe, options=("-W", "ignore")) == ["<place>/ways", "found\n"]


@in_each
def test_all_that_tells_where_a_module_is_agrees(places: Places, kind: str) -> None:
    probe = """
    import importlib, sys, types
    result = []
    for name in ("tables", "shop", "shop.settings", "shop.version", "ways", "walker", "asking"):
        module = importlib.import_module(name)
        spec, loader = module.__spec__, module.__loader__
        told = {module.__file__, spec.origin, loader.path, loader.get_filename(), loader.get_filename(name)}
        functions = [value for value in vars(module).values() if type(value) is types.FunctionType]
        code = {function.__code__.co_filename for function in functions}
        agree = code <= told or module.__file__.endswith("c")
        paths = [list(found or ()) for found in (getattr(module, "__path__", None), spec.submodule_search_locations)]
        result.append([name, len(told), agree, paths[0] == paths[1]])
    """
    assert all(item[1:] == [1, True, True] for item in places.as_in_directory(kind, probe))


@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
def test_a_package_walks_its_own_tree_and_runs_what_it_finds(places: Places, kind: str) -> None:
    probe = """
    import os, runpy, walker
    plugin = os.path.join(walker.HERE, "plugins", "a.py")
    result = [walker.NAMES, runpy.run_path(plugin)["NAME"]]
    """
    assert places.as_in_directory(kind, probe, options=("-W", "ignore")) == [["__init__.py", "a.py", "b.py"], "a"]


# Shared libraries: as PyQt6 finds Qt, and torch finds CUDA.


@pytest.fixture(scope="module", name="linked_places")
def _linked_places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("linked")
    named = {name: f"-Wl,-soname,{name}" for name in ("libblas.so.1", "libbase.so.1", "libqt.so.6")}
    base = compiled(folder / "base", "int base(void) { return 40; }\n", named["libbase.so.1"])
    (folder / "base" / "libbase.so.1").write_bytes(base)
    needs_base = ["-L", str(folder / "base"), "-l:libbase.so.1", "-Wl,-rpath,$ORIGIN/../../base/lib"]
    source = "int base(void);\nint blas(void) { return base() + 2; }\n"
    blas = compiled(folder / "blas", source, named["libblas.so.1"], *needs_base)
    (folder / "blas" / "libblas.so.1").write_bytes(blas)
    options = ["-L", str(folder / "blas"), "-l:libblas.so.1", f"-Wl,-rpath-link,{folder / 'base'}"]
    run_path = "-Wl,-rpath,$ORIGIN/../nv/blas/lib"
    torch = extension(folder, "_torch", "blas()", *options, run_path, declaration="int blas(void);")
    qt = compiled(folder / "qt", "int qt(void) { return 6; }\n", named["libqt.so.6"])
    (folder / "qt" / "libqt.so.6").write_bytes(qt)
    options = ["-L", str(folder / "qt"), "-l:libqt.so.6", "-Wl,-rpath,$ORIGIN/Qt/lib"]
    core = extension(folder, "core", "qt()", *options, declaration="int qt(void);")
    outside = extension(folder, "_out", "5", "-Wl,-rpath,$ORIGIN/../../../../lib")
    tree: Tree = {
        # A chain: the extension module needs a library of another distribution, and that one of a third.
        **distribution("torch_like", {"torch_like/__init__.py": "", f"torch_like/_torch{SUFFIX}": torch}),
        **distribution("nv_blas", {"nv/blas/__init__.py": "", "nv/blas/lib/libblas.so.1": blas}),
        **distribution("nv_base", {"nv/base/__init__.py": "", "nv/base/lib/libbase.so.1": base}),
        # One package folder, filled by two distributions.
        **distribution("qt_like", {"qt_like/__init__.py": "", f"qt_like/core{SUFFIX}": core}),
        **distribution("qt_like_libs", {"qt_like/Qt/lib/libqt.so.6": qt}),
        # It points out of the site, where nothing is.
        **distribution("out", {"out/__init__.py": "", f"out/_out{SUFFIX}": outside}),
        "pure.py": "VALUE = 1\n",
    }
    return Places(folder / "places", tree)


@on_linux
@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
@pytest.mark.parametrize(("module", "value"), [("torch_like._torch", 42), ("qt_like.core", 6), ("out._out", 5)])
def test_libraries_are_found_by_run_paths(linked_places: Places, kind: str, module: str, value: int) -> None:
    probe = f"import importlib\nresult = importlib.import_module({module!r}).value()"
    assert linked_places.as_in_directory(kind, probe) == value


@on_linux
def test_only_what_is_pointed_to_comes_along(linked_places: Places) -> None:
    """The second extension module does not bring the libraries of the first."""
    script = """
    import os, out._out
    root = os.path.dirname(os.path.dirname(out._out.__file__))
    result = sorted(name for name in os.listdir(root) if name[0] != ".")
    """
    laboratory = linked_places.laboratory
    cache = laboratory.folder / "another cache"
    assert linked_places.observe(FLAT, script, BUNDLEIMP_CACHE_DIR=str(cache)) == ["out"]
