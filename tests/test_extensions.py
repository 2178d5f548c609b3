"""Extension modules and the libraries that they link to load from a bundle, as installed, or say what they lack."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .archives import placed_files
from .builders import make_bundle, make_tree, make_zip, run_python
from .compiling import compiled, extension
from .places import DIRECTORY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, Places

if TYPE_CHECKING:
    from .builders import Tree

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
KINDS = [PLAIN_ZIP, FLAT, NESTED, NO_BYTECODE, SOURCELESS]
REAL = ["markupsafe", "charset_normalizer", "coverage", "sqlalchemy", "typing_extensions"]
LINUX = sys.platform == "linux"

in_each = pytest.mark.parametrize("kind", KINDS)
on_linux = pytest.mark.skipif(not LINUX, reason="only Linux loads extension modules from memory")


@pytest.fixture(scope="module", name="binaries")
def _binaries(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Compiled modules by name, and one that links to a library in a folder beside its package."""
    folder = tmp_path_factory.mktemp("compiled")
    make_tree(folder, {"lib/keep": ""})
    library = compiled(folder / "library", "int number(void) { return 42; }\n", "-Wl,-soname,libnumber-1.so.1")
    (folder / "lib/libnumber-1.so.1").write_bytes(library)
    linking = ["-L", str(folder / "lib"), "-l:libnumber-1.so.1", "-Wl,-rpath,$ORIGIN/../linked.libs"]
    return {
        "_one": extension(folder, "_one"),
        "_two": extension(folder, "_two", "2", single_phase=True),
        "_three": extension(folder, "_three", "3"),
        "whole": extension(folder, "whole", "4"),
        "_linked": extension(folder, "_linked", "number()", *linking, declaration="int number(void);"),
        "library": library,
    }


@pytest.fixture(scope="module", name="tree")
def _tree(binaries: Tree) -> Tree:
    record = "".join(
        f"{name},,\n" for name in ("linked/__init__.py", f"linked/_linked{SUFFIX}", "linked.libs/libnumber-1.so.1")
    )
    return {
        "pkg/__init__.py": "",
        f"pkg/_one{SUFFIX}": binaries["_one"],
        f"pkg/deep/_two{SUFFIX}": binaries["_two"],
        "pkg/deep/__init__.py": "from pkg.deep import _two\n",
        f"_three{SUFFIX}": binaries["_three"],
        f"whole/__init__{SUFFIX}": binaries["whole"],
        "whole/part.py": "X = 'part'\n",
        "linked/__init__.py": "",
        f"linked/_linked{SUFFIX}": binaries["_linked"],
        "linked.libs/libnumber-1.so.1": binaries["library"],
        "Linked_Dist-1.0.dist-info/RECORD": record,
        "Linked_Dist-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Linked.Dist\nVersion: 1.0\n",
    }


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory, tree: Tree) -> Places:
    return Places(tmp_path_factory.mktemp("places"), tree)


@in_each
def test_extension_modules_load_and_look_as_installed(places: Places, kind: str) -> None:
    probe = """
    import importlib, inspect, os
    import pkg._one, pkg.deep, _three, whole, whole.part
    result = []
    for module in (pkg._one, pkg.deep._two, _three, whole):
        spec = module.__spec__
        result.append([
            module.__name__, module.value(), module.__file__, os.path.isfile(module.__file__), spec.origin, spec.parent,
            type(module.__loader__).__name__, module.__loader__ is spec.loader, spec.has_location, spec.cached,
            inspect.getfile(module), spec.loader.get_filename(), spec.loader.get_source(spec.name), repr(module),
            spec.loader.is_package(spec.name),
        ])
    result += [whole.part.X, whole.part.__file__, list(whole.__path__), whole.__package__]
    """
    oracle = places.observe(DIRECTORY, probe)
    found = places.observe(kind, probe)
    if kind == SOURCELESS:
        oracle[5] += "c"
    assert found == oracle


@in_each
def test_a_library_beside_the_package_is_found(places: Places, kind: str) -> None:
    assert places.as_in_directory(kind, "import linked._linked\nresult = linked._linked.value()") == 42


@in_each
def test_extension_modules_are_found_and_listed_without_being_written(
    places: Places, kind: str, unwritable: str
) -> None:
    probe = """
    import importlib.machinery, importlib.util, pkgutil
    finder = importlib.machinery.PathFinder
    spec = importlib.util.find_spec("_three")
    result = [spec.name, repr(spec.loader)[:1], spec.submodule_search_locations, sorted(
        [module.name, module.ispkg] for module in pkgutil.iter_modules(["{}"]))]
    """
    probe = probe.replace('["{}"]', "[__import__('sys').path[1]]")
    result = places.observe(kind, probe, BUNDLEIMP_CACHE_DIR=unwritable)
    names = [["_three", False], ["linked", True], ["pkg", True], ["whole", True]]
    assert result[0::3] == ["_three", names]


@in_each
def test_extension_modules_load_in_threads_and_again(places: Places, kind: str) -> None:
    probe = """
    import importlib, sys, threading
    names = ["pkg._one", "pkg.deep._two", "_three", "whole"]
    threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in names * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = [sys.modules[name].value() for name in names]
    result += [importlib.reload(sys.modules[name]).value() for name in names]
    """
    assert places.as_in_directory(kind, probe) == [1, 2, 3, 4] * 2


@on_linux
@in_each
def test_without_a_cache_they_load_from_memory(places: Places, kind: str, unwritable: str) -> None:
    probe = """
    import importlib, os
    import _three, pkg._one, whole, whole.part, pkg.deep._two
    modules = (pkg._one, pkg.deep._two, _three, whole)
    result = [[module.value(), module.__file__, module.__spec__.origin] for module in modules]
    result += [whole.part.X, list(whole.__path__), [importlib.reload(module).value() for module in modules]]
    open_files = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    result.append([name for name in open_files if "memfd" in name])
    """
    files = [f"pkg/_one{SUFFIX}", f"pkg/deep/_two{SUFFIX}", f"_three{SUFFIX}", f"whole/__init__{SUFFIX}"]
    assert places.observe(kind, probe, options=("-W", "ignore"), BUNDLEIMP_CACHE_DIR=unwritable) == [
        *([number, *[f"<place>/{file}"] * 2] for number, file in enumerate(files, 1)),
        *("part", ["<place>/whole"], [1, 2, 3, 4], []),
    ]


@on_linux
@in_each
def test_without_a_cache_one_that_needs_its_library_says_what_to_do(places: Places, kind: str, unwritable: str) -> None:
    script = (
        "import linked\ntry:\n    import linked._linked\n"
        "except ImportError as error:\n    print(error.name, error.path, error, sep='|')"
    )
    outcome = places.run(kind, "-W", "ignore", "-c", script, BUNDLEIMP_CACHE_DIR=unwritable)
    name, path, message = outcome.stdout.split("|")
    assert (outcome.status, name, path) == (0, "linked._linked", f"<place>/linked/_linked{SUFFIX}")
    assert "libnumber-1.so.1" in message
    assert "; nothing could be written for it: " in message


def test_files_of_other_pythons_and_platforms_are_passed_over(tmp_path: Path, binaries: Tree) -> None:
    junk = b"not for this interpreter"
    others = [".cpython-39-x86_64-linux-gnu.so", ".cpython-311-darwin.so", ".cp311-win_amd64.pyd", ".pypy39-pp73.so"]
    tree: Tree = {f"pkg/_one{other}": junk for other in others if other not in importlib.machinery.EXTENSION_SUFFIXES}
    tree |= {"pkg/__init__.py": "", f"pkg/_one{SUFFIX}": binaries["_one"], "pkg/_one.py": "raise SystemExit\n"}
    places = Places(tmp_path, tree)
    for kind in KINDS:
        probe = (
            "import pkg._one as m, pkgutil\nresult = [m.value(), m.__file__, [i.name for i in pkgutil.iter_modules()]]"
        )
        assert places.as_in_directory(kind, probe)[0] == 1


@pytest.mark.skipif(".abi3.so" not in importlib.machinery.EXTENSION_SUFFIXES, reason="no such suffix here")
@pytest.mark.parametrize("kept", [SUFFIX, ".abi3.so", ".so"])
def test_of_several_files_the_interpreters_order_decides(tmp_path: Path, binaries: Tree, kept: str) -> None:
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    later = suffixes[suffixes.index(kept) :]
    tree: Tree = {f"_three{suffix}": binaries["_three"] for suffix in later} | {"_three.py": "raise SystemExit\n"}
    places = Places(tmp_path, tree)
    probe = "import _three\nresult = [_three.value(), _three.__file__]"
    for kind in KINDS:
        assert places.as_in_directory(kind, probe) == [3, f"<place>/_three{kept}"]


def test_where_none_is_for_this_interpreter_the_source_is_taken(tmp_path: Path) -> None:
    places = Places(tmp_path, {"pkg/__init__.py": "", "pkg/_fast.cpython-39-darwin.so": b"", "pkg/_fast.py": "X = 1\n"})
    for kind in KINDS:
        assert places.as_in_directory(kind, "import pkg._fast\nresult = [pkg._fast.X, pkg._fast.__file__]")[0] == 1


def test_what_is_no_library_is_an_import_error_that_names_the_file(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {f"_broken{SUFFIX}": b"no library"})
    for cache in (tmp_path / "cache", tmp_path / "out.pybundle" / "cache"):
        result = run_python(
            "-W", "ignore", "-c", "import _broken", path=[bundle], check=False, BUNDLEIMP_CACHE_DIR=str(cache)
        )
        assert result.returncode == 1
        assert f"ImportError: {cache if cache.exists() else bundle}" in result.stderr
        assert f"_broken{SUFFIX}: " in result.stderr


def _placed(cache: Path) -> set[str]:
    (site,) = (cache / "sites").iterdir()
    return set(placed_files(site))


def test_a_plain_wheel_is_placed_by_distribution(tmp_path: Path, tree: Tree) -> None:
    wheel = make_zip(tmp_path / "linked_dist-1.0-py3-none-any.pybundle", tree)
    cache = tmp_path / "cache"
    script = "import linked._linked\nprint(linked._linked.value(), linked._linked.__file__)"
    result = run_python("-W", "error", "-c", script, path=[wheel], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout.startswith("42 " + str(cache))
    own = {"linked/__init__.py", f"linked/_linked{SUFFIX}", "linked.libs/libnumber-1.so.1"}
    assert _placed(cache) == own
    script = "import pkg._one\nprint(pkg._one.value(), pkg._one.__file__)"
    result = run_python("-W", "error", "-c", script, path=[wheel], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout.startswith("1 " + str(cache))
    assert _placed(cache) == {name for name in tree if ".dist-info/" not in name}


@in_each
def test_a_library_of_another_distribution_is_found(tmp_path: Path, tree: Tree, kind: str) -> None:
    """As that of PyQt6-Qt6 by PyQt6: its run path leads from one distribution's folder to the other's."""
    names = {"Linked_Dist": ["linked/__init__.py", f"linked/_linked{SUFFIX}"], "Libs": ["linked.libs/libnumber-1.so.1"]}
    parts: Tree = {file: tree[file] for own in names.values() for file in own}
    parts |= {f"{name}-1.0.dist-info/RECORD": "".join(f"{file},,\n" for file in own) for name, own in names.items()}
    places = Places(tmp_path, parts)
    assert places.as_in_directory(kind, "import linked._linked\nresult = linked._linked.value()") == 42
    assert {name.removesuffix("c") for name in _placed(tmp_path / "cache")} == {*names["Linked_Dist"], *names["Libs"]}


def test_no_unpack_leaves_extension_modules_to_memory(tmp_path: Path, tree: Tree) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", tree, no_unpack=["pkg"])
    cache = tmp_path / "cache"
    script = "import pkg._one, pkg.deep\nprint(pkg._one.value(), pkg.deep._two.value(), pkg._one.__file__)"
    result = run_python("-W", "error", "-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == f"1 2 {bundle}/pkg/_one{SUFFIX}\n"
    assert not (cache / "sites").exists()


# Real ones.


@pytest.fixture(scope="module", name="real")
def _real(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The installed distributions with extension modules that the tests come with, whichever were built so."""
    tree: Tree = {}
    for name in REAL:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        tree |= {
            file.as_posix(): Path(str(file.locate())).read_bytes()
            for file in files
            if ".." not in file.parts and "__pycache__" not in file.parts and not file.name.endswith(".pth")
        }
    if not any(name.endswith(SUFFIX) for name in tree):
        pytest.skip("none of them was built with extension modules")
    return Places(tmp_path_factory.mktemp("real"), tree)


PROGRAMS = {
    "markupsafe": """
import markupsafe, markupsafe._speedups
result = [markupsafe.escape("<x>"), markupsafe._speedups.__file__]
""",
    "charset_normalizer": """
import charset_normalizer, charset_normalizer.md
result = [charset_normalizer.from_bytes("Grüße, schöne Welt; äöü".encode("utf-8")).best().encoding]
result.append(charset_normalizer.md.__file__)
""",
    "sqlalchemy": """
import sqlalchemy
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    result = [list(connection.execute(sqlalchemy.text("select 1, 'x'")).first()), sqlalchemy.util.has_compiled_ext()]
engine.dispose()
""",
    "coverage": "import coverage.tracer\nresult = [coverage.tracer.CTracer.__name__, coverage.tracer.__file__]",
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("kind", [PLAIN_ZIP, NESTED])
def test_real_packages_work(real: Places, kind: str, name: str) -> None:
    clean = "import sys\nsys.path = [entry for entry in sys.path if 'site-packages' not in entry]\n"
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed")
    real.as_in_directory(kind, clean + PROGRAMS[name])


@on_linux
@pytest.mark.parametrize("name", ["markupsafe", "sqlalchemy", "coverage"])
def test_real_packages_work_from_memory(real: Places, name: str, unwritable: str) -> None:
    clean = "import sys\nsys.path = [entry for entry in sys.path if 'site-packages' not in entry]\n"
    expected = real.observe(DIRECTORY, clean + PROGRAMS[name])
    assert (
        real.observe(NESTED, clean + PROGRAMS[name], options=("-W", "ignore"), BUNDLEIMP_CACHE_DIR=unwritable)
        == expected
    )


def test_the_manifest_says_what_is_placed_and_why(tmp_path: Path, tree: Tree) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    manifest = bundleimp.open_bundle(bundle).manifest
    assert manifest is not None
    assert {(unit["name"], unit["files"], unit["reason"]) for unit in manifest["placed"]} == {
        ("Linked_Dist", 3, f"linked/_linked{SUFFIX} is an extension module"),
        ("own-files", 7, f"_three{SUFFIX} is an extension module"),
    }
