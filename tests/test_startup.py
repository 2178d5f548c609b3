"""A bundle just works: every way onto the path, in every kind of process, without a line of set-up code."""

from __future__ import annotations

import _imp
import importlib.metadata
import os
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

import bundleimp
from bundleimp import waiting
from bundleimp.encoding import encode_top_level
from bundleimp.runtime.content.decompression import crc32
from bundleimp.runtime.content.standard import standard_module

from .builders import Tree, make_bundle, make_tree, make_zip, run_python
from .platforms import needs_processes

TREE = {
    "mypkg/__init__.py": "from mypkg.mod import value\n",
    "mypkg/mod.py": "value = 42\n",
    "mypkg/__main__.py": "import sys; print('main', sys.argv[1:])\n",
}


@pytest.fixture(name="bundle", params=["flat", "nested", "zip"])
def _bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "zip":
        return make_zip(tmp_path / "out.pybundle", TREE)
    return make_bundle(tmp_path / "out.pybundle", TREE, layout=request.param)


Layout = Literal["flat", "nested"]
LAYOUTS: tuple[Layout, ...] = ("flat", "nested")
SHOW = "import mypkg, bundleimp; print(isinstance(mypkg.__loader__, bundleimp.BundleLoader), mypkg.value)"


def test_on_pythonpath(bundle: Path) -> None:
    assert run_python("-c", SHOW, path=[bundle]).stdout == "True 42\n"


def test_appended_to_sys_path(bundle: Path) -> None:
    result = run_python("-c", f"import sys; sys.path.append({str(bundle)!r}); {SHOW}")
    assert result.stdout == "True 42\n"


def test_as_a_line_of_a_pth_file(bundle: Path, tmp_path: Path) -> None:
    site = make_tree(tmp_path / "site", {"some.pth": f"{bundle}\n"})
    result = run_python("-c", f"import site; site.addsitedir({str(site)!r}); {SHOW}")
    assert result.stdout == "True 42\n"


def test_as_a_relative_path_that_stays_right_when_the_process_moves(bundle: Path) -> None:
    script = f"import mypkg, os; os.chdir('/'); import mypkg.__main__ as m; print(m.__file__); {SHOW}"
    result = run_python("-c", script, path=["out.pybundle"], cwd=bundle.parent)
    assert result.stdout.splitlines()[1:] == [os.path.join(bundle, "mypkg", "__main__.py"), "True 42"]


@pytest.mark.parametrize("entry", ["./out.pybundle", "out.pybundle/", "../{}/out.pybundle"])
def test_other_spellings_of_a_path(bundle: Path, entry: str) -> None:
    entry = entry.format(bundle.parent.name)
    assert run_python("-c", SHOW, path=[entry], cwd=bundle.parent).stdout == "True 42\n"


@needs_processes
def test_in_a_subprocess_of_a_subprocess(bundle: Path) -> None:
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SHOW!r}], check=True)"
    assert run_python("-c", inner, path=[bundle]).stdout == "True 42\n"


def test_as_a_module(bundle: Path) -> None:
    assert run_python("-m", "mypkg", "a", path=[bundle]).stdout == "main ['a']\n"


@needs_processes
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_in_multiprocessing_children(bundle: Path, method: str, tmp_path: Path) -> None:
    make_tree(
        tmp_path,
        {
            "job.py": "def job(n):\n    import mypkg, bundleimp\n"
            "    return isinstance(mypkg.__loader__, bundleimp.BundleLoader), mypkg.value + n\n",
            "program.py": "import multiprocessing, sys\nfrom job import job\n"
            "if __name__ == '__main__':\n"
            "    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:\n"
            "        print(pool.map(job, [1]))\n",
        },
    )
    result = run_python(str(tmp_path / "program.py"), method, path=[bundle])
    assert result.stdout == "[(True, 43)]\n"


@needs_processes
def test_a_function_of_a_bundled_module_goes_to_a_spawned_process(tmp_path: Path) -> None:
    tree = {
        "app/__init__.py": "",
        "app/work.py": "def double(n):\n    return 2 * n\n",
        "app/__main__.py": "import multiprocessing\nfrom app.work import double\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [21]), __spec__.name, __file__[-28:])\n",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    result = run_python("-m", "app", path=[bundle])
    assert result.stdout == "[42] app.__main__ out.pybundle/app/__main__.py\n"


def test_the_environment_can_turn_it_off(bundle: Path) -> None:
    script = "import sys; print(any(getattr(h, 'claims_bundles', False) for h in sys.path_hooks))"
    assert run_python("-c", script, path=[bundle], BUNDLEIMP_DISABLE="1").stdout == "False\n"


def test_install_and_uninstall_do_what_the_start_does(bundle: Path) -> None:
    script = f"""
import sys, bundleimp
sys.path.append({str(bundle)!r})
bundleimp.install(); bundleimp.install()
assert sum(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks) == 1
import mypkg.mod
print(isinstance(mypkg.__loader__, bundleimp.BundleLoader))
bundleimp.uninstall()
assert not any(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks)
assert not any("bundleimp" in type(finder).__module__ for finder in sys.meta_path)
print(mypkg.__loader__.get_source("mypkg")[:4])
import importlib.util
bundleimp.install()
print(isinstance(importlib.util.find_spec("mypkg.__main__").loader, bundleimp.BundleLoader))
"""
    expected = "True\nfrom\nTrue\n"
    assert run_python("-c", script, BUNDLEIMP_DISABLE="1").stdout == expected
    assert run_python("-c", script).stdout == expected


def test_tracing_says_what_was_claimed_and_found(bundle: Path) -> None:
    result = run_python("-c", "import mypkg", path=[bundle], BUNDLEIMP_TRACE="1", PYTHONDONTWRITEBYTECODE="1")
    lines = result.stderr.splitlines()
    assert f"bundleimp: claimed path entry {bundle}" in lines
    assert f"bundleimp: mypkg.mod: found {os.path.join(bundle, 'mypkg', 'mod.py')}" in lines
    assert all(line.startswith("bundleimp: ") for line in lines)


def test_a_bundle_may_shadow_standard_modules_that_the_runtime_would_like(tmp_path: Path) -> None:
    names = ["zlib", "struct", "warnings", "traceback", "linecache", "contextlib", "functools", "re", "__future__"]
    # What is built in or frozen (`linecache`, on 3.15) is found before any path is looked at.
    names = [name for name in names if not (_imp.is_builtin(name) or _imp.is_frozen(name))]
    tree = {f"{name}.py": f"shadow = {name!r}\n" for name in names} | {"mypkg/__init__.py": "value = 42\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout="nested", bytecode=False)
    script = f"import mypkg, {', '.join(names)}; print(mypkg.value, [m.shadow for m in ({', '.join(names)})])"
    # The interpreter's own start needs some of these itself, so the path is extended by hand.
    result = run_python(
        "-c", f"import sys; [sys.modules.pop(n, None) for n in {names}]; sys.path.insert(0, {str(bundle)!r}); {script}"
    )
    assert result.stdout == f"42 {names}\n"


def test_what_is_loaded_under_the_name_of_a_standard_module_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = ModuleType("zlib")
    monkeypatch.setitem(sys.modules, "zlib", other)
    assert standard_module("zlib").crc32(b"x") == crc32(b"x")
    assert sys.modules["zlib"] is other


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_finding_and_loading_need_no_import(tmp_path: Path, layout: str) -> None:
    tree = {"one/__init__.py": "", "one/two/__init__.py": "", "one/two/three.py": "x = 1\n", "four.py": "x = 2\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout=layout)
    script = f"""
import sys
sys.path[:] = [{str(bundle)!r}]
import one.two
sys.path_hooks[:] = [hook for hook in sys.path_hooks if getattr(hook, "claims_bundles", False)]
for name in list(sys.modules):
    if name not in ("sys", "builtins", "__main__", "_frozen_importlib", "_imp", "_warnings", "_thread", "_weakref"):
        if not name.startswith("one"):
            del sys.modules[name]
before = {{*sys.modules, "bundleimp.runtime"}}  # which puts itself back
import one.two.three, four
print(one.two.three.x, four.x, sorted(set(sys.modules) - before))
"""
    assert run_python("-c", script).stdout == "1 2 ['four', 'one.two.three']\n"


def test_modules_that_zipimport_loaded_before_the_hook_do_not_keep_their_packages(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout="flat")
    script = f"import sys; sys.path.insert(0, {str(bundle)!r}); import mypkg; print(type(mypkg.__loader__).__name__); "
    script += "import bundleimp; bundleimp.install(); import mypkg.__main__ as m; print(type(m.__loader__).__name__)"
    result = run_python("-c", script, BUNDLEIMP_DISABLE="1")
    assert result.stdout.splitlines()[::2] == ["zipimporter", "BundleLoader"]


def test_the_distribution_brings_the_pth_file_and_no_start_file() -> None:
    """From Python 3.15 on, a .start file (PEP 829) would import much at each start; see pyproject.toml."""
    files = [path for path in importlib.metadata.files("bundleimp") or () if path.suffix in {".pth", ".start"}]
    (own,) = [path for path in files if path.name.startswith("bundleimp.")]
    assert own.read_text() == "import bundleimp; bundleimp._start()\n"


def test_the_hook_is_asked_first() -> None:
    script = "import sys; print([getattr(hook, 'claims_bundles', False) for hook in sys.path_hooks])"
    assert run_python("-c", script).stdout == "[True, False, False]\n"


def test_an_archive_that_stops_no_interpreter_from_starting(tmp_path: Path) -> None:
    tree = {f"pkg{n}/__init__.py": "" for n in range(50)} | {"größe.py": "x = 1\n", "data/日本.txt": "x"}
    for layout in ("flat", "nested"):
        bundle = make_bundle(tmp_path / f"{layout}.pybundle", tree, layout=layout)
        result = run_python("-c", "import größe; print(größe.x)", path=[bundle], PYTHONUTF8="1")
        assert (result.stdout, result.stderr) == ("1\n", "")


CUSTOMIZED = {
    "module": {"sitecustomize.py": "import mypkg; print('customized', mypkg.value)\n"},
    "package": {
        "sitecustomize/__init__.py": "from sitecustomize.part import show\nshow()\n",
        "sitecustomize/part.py": "def show():\n    import mypkg\n    print('customized', mypkg.value)\n",
    },
}


@pytest.mark.parametrize("kind", CUSTOMIZED)
def test_what_customizes_the_start_comes_from_a_bundle(tmp_path: Path, kind: str) -> None:
    tree = TREE | CUSTOMIZED[kind]
    bundles = [
        *(make_bundle(tmp_path / f"{layout}.pybundle", tree, layout=layout) for layout in LAYOUTS),
        make_bundle(tmp_path / "bytecode.pybundle", tree, source=False),
        make_zip(tmp_path / "plain.pybundle", tree),
    ]
    script = "import sys; print(type(sys.modules['sitecustomize'].__loader__).__module__)"
    for bundle in bundles:
        home = {"bytecode": "plain.sourceless", "plain": "cache.loader"}.get(bundle.stem, "loaders")
        assert run_python("-c", script, path=[bundle]).stdout == f"customized 42\nbundleimp.runtime.{home}\n"


def test_a_zip_of_another_name_stays_zipimports(tmp_path: Path) -> None:
    folder = tmp_path / "folder.pybundle"
    folder.mkdir()
    for path in (tmp_path / "out.pybundle.old", folder / "plain.zip"):
        plain = make_zip(path, TREE | CUSTOMIZED["module"])
        script = "import mypkg.mod; print(type(mypkg.__loader__).__name__)"
        assert run_python("-c", script, path=[plain]).stdout == "customized 42\nzipimporter\n"


NAMES = "import sys; print([name for name in sys.modules if name.startswith('bundleimp.runtime')])"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_program_that_imports_nothing_from_a_bundle_loads_no_runtime(tmp_path: Path, layout: Layout) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    assert run_python("-c", "import json, unittest; " + NAMES, path=[bundle]).stdout == "[]\n"


def test_names_of_every_kind_are_found_at_the_first_import(tmp_path: Path) -> None:
    tree: Tree = {
        "größe.py": "",
        "package/__init__.py": "",
        "space/portion.py": "",
        "deep/er/__init__.py": "",
        f"native{EXTENSION_SUFFIXES[0]}": b"\x7fELF",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout="nested")
    for name in ("größe", "package", "space.portion", "deep.er", "native"):
        script = f"import importlib.util; print(importlib.util.find_spec({name!r}) is not None)"
        assert run_python("-c", script, path=[bundle], PYTHONUTF8="1").stdout == "True\n"


def test_a_module_that_another_tool_has_added_is_found(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        bundle = make_bundle(tmp_path / f"{layout}.pybundle", TREE, layout=layout)
        with zipfile.ZipFile(bundle, "a") as archive:
            archive.writestr("added.py", "X = 1\n")
        assert run_python("-c", "import added, mypkg; print(added.X, mypkg.value)", path=[bundle]).stdout == "1 42\n"


def test_a_damaged_list_of_names_is_not_believed(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout="nested")
    data = bundle.read_bytes()
    start = data.index(waiting.TOP_LEVEL.encode())
    bundle.write_bytes(data[:start] + data[start:].replace(b"\0mypkg\0", b"\0mypkh\0", 1))
    assert run_python("-c", "import mypkg; print(mypkg.value)", path=[bundle]).stdout == "42\n"
    assert [finding.member for finding in bundleimp.open_bundle(bundle).verify()] == [waiting.TOP_LEVEL]


def test_a_list_of_other_names_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = encode_top_level(["other.py"])
    monkeypatch.setattr("bundleimp.packing.writer.encode_top_level", lambda _members: other)
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    (finding,) = bundleimp.open_bundle(bundle).verify()
    assert (finding.member, "lists other names" in finding.message) == (waiting.TOP_LEVEL, True)


# Without `site`, which runs whatever else is installed here.  It looks for `sitecustomize`, which is a module of the
# standard library in some distributions (Debian's), so another name stands for it.
START = """
import sys, bundleimp
bundleimp._start()
try:
    import nobody_has_this
except ImportError as error:
    print(error.name)
"""
OURS = Path(bundleimp.__file__).parent.parent


def test_the_finder_of_the_start_gives_way_at_the_first_question(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = f"""{START}
waiting = sys.path_importer_cache[{str(bundle)!r}]
print(type(waiting).__name__, [name for _, name, _ in __import__("pkgutil").iter_modules([{str(bundle)!r}])])
print(type(sys.path_importer_cache[{str(bundle)!r}]).__name__, list(waiting.iter_modules()), waiting.find_spec("no"))
"""
    expected = "module ['mypkg']\nBundleFinder [('mypkg', True)] None\n"
    assert run_python("-S", "-c", script, path=[bundle, OURS]).stdout == "nobody_has_this\n" + expected


def test_a_bundle_that_is_deleted_after_the_start_has_no_modules(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    script = f"""{START}
import os
waiting = sys.path_importer_cache[{str(bundle)!r}]
os.unlink({str(bundle)!r})
print(hasattr(waiting, "iter_modules"), waiting.find_spec("mypkg"))
import mypkg
"""
    result = run_python("-S", "-c", script, path=[bundle, OURS], check=False)
    assert result.stdout == "nobody_has_this\nFalse None\n"
    # Without `site`, 3.15 goes on with a hint: ". Site initialization is disabled, ...".
    assert result.stderr.splitlines()[-1].partition(". ")[0] == "ModuleNotFoundError: No module named 'mypkg'"
