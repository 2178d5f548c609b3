"""What happens to a program when its bundle, its descriptors or its surroundings change underneath."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, make_tree, run_python
from .parts import PARTS
from .platforms import needs_limits, needs_threads

if TYPE_CHECKING:
    from pathlib import Path


def value_bundle(path: Path, value: int, **more: str) -> Path:
    return make_bundle(path, {"solo.py": f"# {'x' * value}\nV = {value}\n\ndef line():\n    return {value}\n", **more})


@pytest.mark.parametrize("entry", ["solo.pybundle", "./solo.pybundle", "{}"])
@pytest.mark.parametrize("forget", ["", "sys.path_importer_cache.clear()"])
def test_a_replaced_bundle_is_seen_after_invalidate_caches_however_it_is_named(
    tmp_path: Path, entry: str, forget: str
) -> None:
    value_bundle(tmp_path / "solo.pybundle", 1)
    value_bundle(tmp_path / "new.pybundle", 2)
    script = f"""
import importlib, linecache, os, sys
sys.path.append({entry.format(tmp_path / "solo.pybundle")!r})
import solo
before = solo.V, linecache.getline(solo.__file__, 5)
os.replace("new.pybundle", "solo.pybundle")
{forget}
importlib.invalidate_caches()
importlib.reload(solo)
print(before, (solo.V, linecache.getline(solo.__file__, 5)))
"""
    result = run_python("-c", script, cwd=tmp_path)
    assert result.stdout == "(1, '    return 1\\n') (2, '    return 2\\n')\n"


def test_a_bundle_that_becomes_a_directory_is_left_to_the_next_hook(tmp_path: Path) -> None:
    value_bundle(tmp_path / "solo.pybundle", 1)
    make_tree(tmp_path / "folder", {"solo.py": "V = 3\n"})
    script = """
import importlib, os, sys
sys.path.append(os.path.abspath("solo.pybundle"))
import solo
os.unlink("solo.pybundle")
os.rename("folder", "solo.pybundle")
importlib.invalidate_caches()
importlib.reload(solo)
print(solo.V, type(solo.__loader__).__name__)
"""
    assert run_python("-W", "error", "-c", script, cwd=tmp_path).stdout == "3 SourceFileLoader\n"


@needs_limits
@pytest.mark.skipif(os.name != "posix", reason="needs a limit of open files")
@pytest.mark.parametrize("loaded", [[], PARTS], ids=["nothing loaded", "all loaded"])
def test_a_bundle_that_could_not_be_opened_is_tried_again(loaded: list[str], tmp_path: Path) -> None:
    bundle = value_bundle(tmp_path / "solo.pybundle", 1)
    script = f"""
import importlib, os, resource, sys, warnings
warnings.simplefilter("ignore")
bundle_path = {str(bundle)!r}
import bundleimp.runtime.hook
for name in {loaded!r}:
    importlib.import_module(f"bundleimp.runtime.{{name}}")
sys.path.append(bundle_path)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
print(sys.meta_path[-1].find_spec("solo"))
for descriptor in taken:
    os.close(descriptor)
importlib.invalidate_caches()
import solo
print(solo.V)
"""
    assert run_python("-c", script).stdout == "None\n1\n"


@pytest.mark.skipif(os.name != "posix" or sys.platform == "emscripten", reason="a directory in use cannot be removed")
def test_a_working_directory_that_is_gone_stops_no_import(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "solo.pybundle", {"solo.py": "V = 1\n"}, bytecode=False)
    (tmp_path / "gone").mkdir()
    script = f"""
import os, sys
os.rmdir(os.getcwd())
sys.path.insert(0, "relative.pybundle")
sys.path.append({str(bundle)!r})
import colorsys, solo
print(solo.V)
"""
    result = run_python("-c", script, cwd=tmp_path / "gone", BUNDLEIMP_CACHE_DIR="relative")
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_a_meta_path_finder_of_the_old_kind_is_passed_over(tmp_path: Path) -> None:
    bundle = value_bundle(tmp_path / "solo.pybundle", 1)
    script = """
import sys, solo
class Legacy:
    def find_module(self, name, path=None): return None
sys.meta_path.insert(0, Legacy())
sys.meta_path.insert(2, Legacy())
import importlib.abc, linecache, threading
print(linecache.getline(solo.__file__, 2), end="")
"""
    assert run_python("-W", "ignore", "-c", script, path=[bundle]).stdout == "V = 1\n"


def test_asking_for_the_spec_of_an_adapted_module_changes_nothing(tmp_path: Path) -> None:
    bundle = value_bundle(tmp_path / "solo.pybundle", 1)
    script = """
import importlib.util, sys, solo
for name in ("linecache", "threading"):
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        assert spec.loader.is_package(name) is False
import linecache, runpy
runpy.run_module("threading")
print(linecache.getline(solo.__file__, 2), linecache.__loader__ is linecache.__spec__.loader, end="")
print("bundleimp" in type(linecache.__loader__).__module__)
"""
    assert run_python("-c", script, path=[bundle]).stdout == "V = 1\n TrueFalse\n"


@needs_threads
@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by number")
def test_threads_read_on_when_the_program_closes_all_descriptors(tmp_path: Path) -> None:
    tree = {f"pkg/m{number}.py": f"V = {number}\n" for number in range(60)} | {"pkg/__init__.py": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    script = """
import os, sys, threading
import pkg
faults = []
def read():
    for number in range(60):
        try:
            assert pkg.__loader__.get_data(f"pkg/m{number}.py") == b"V = %d\\n" % number
        except Exception as error:
            faults.append(error)
for turn in range(20):
    threads = [threading.Thread(target=read) for _ in range(8)]
    os.closerange(3, 100)
    other = [os.open(os.devnull, os.O_RDONLY) for _ in range(turn % 3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print(faults, len(os.listdir("/dev/fd")) < 20)
"""
    assert run_python("-c", script, path=[bundle]).stdout == "[] True\n"


def test_a_form_feed_is_no_end_of_a_line(tmp_path: Path) -> None:
    source = "def first():\n    return 1\n\x0c\ndef second():\n    text = '\\x1c \u2028'\n    return 1 / 0\n"
    bundle = make_bundle(tmp_path / "out.pybundle", {"odd.py": source, "empty.py": ""})
    script = """
import empty, inspect, linecache, odd, traceback
print(inspect.getsource(odd.second).splitlines()[0], linecache.getline(odd.__file__, 6), end="")
try:
    odd.second()
except ZeroDivisionError as error:
    print(traceback.extract_tb(error.__traceback__)[-1].line)
"""
    result = run_python("-c", script, path=[bundle], PYTHONUTF8="1")
    assert result.stdout == "def second():     return 1 / 0\nreturn 1 / 0\n"


def test_a_console_still_writes_tracebacks_its_own_way(tmp_path: Path) -> None:
    bundle = value_bundle(tmp_path / "solo.pybundle", 1)
    script = """
import code, sys, solo
class Console(code.InteractiveConsole):
    written = ""
    def write(self, data):
        self.written += data
console = Console()
console.push("1 / 0")
print("ZeroDivisionError" in console.written)
"""
    result = run_python("-c", script, path=[bundle])
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_a_group_shows_the_lines_of_bundled_code_in_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"bad.py": "def fail():\n    return 1 / 0\n"})
    script = """
import bad
try:
    bad.fail()
except ZeroDivisionError as error:
    kept = error
def outside():
    raise ExceptionGroup("several", [kept])
kept.__context__ = None
outside()
"""
    assert "    return 1 / 0\n" in run_python("-c", script, path=[bundle], check=False).stderr.replace("|     ", "    ")


def test_a_folder_in_the_cache_that_was_damaged_is_mended(tmp_path: Path) -> None:
    tree = {"pkg/__init__.py": "", "pkg/data/a.txt": "a", "pkg/data/sub/b.txt": "b", "pkg/data!sub/b.txt": "other"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    script = """
import importlib.resources as resources, os
def folder(*parts):
    with resources.as_file(resources.files("pkg").joinpath(*parts)) as path:
        return path
path = folder("data")
(path / "a.txt").write_text("damaged")
(path / "sub" / "b.txt").unlink()
(path / "sub" / "more.txt").write_text("more")
again = folder("data")
print(again == path, (path / "a.txt").read_text(), sorted(os.listdir(path / "sub")))
print((folder("data", "sub") / "b.txt").read_text(), (folder("data!sub") / "b.txt").read_text())
"""
    result = run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert result.stdout == "True a ['b.txt', 'more.txt']\nb other\n"
