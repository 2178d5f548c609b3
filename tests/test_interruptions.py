"""An exception out of nowhere, an import inside of ours, a look at the files: all goes on, whatever step it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import run_python
from .interruptions import at_each_step, needs_fork
from .parts import PARTS
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, lay_out

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_fork


def tree(value: str) -> dict[str, str | bytes]:
    return {
        "pkg/__init__.py": f"V = {value!r}\n",
        "pkg/leaf.py": f"V = {value!r}\n",
        "pkg/located.py": f"import os\nV = {value!r}\nTEXT = open(os.path.dirname(__file__) + '/data.txt').read()\n",
        "pkg/data.txt": value,
        "space/portion.py": f"V = {value!r}\n",
        "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
    }


OTHER = {"other/__init__.py": "", "other/leaf.py": "V = 'other'\n"}

# What a program does; the names are in `tree`.
_WORK = """
place, other, cache = sys.argv[1:4]
sys.path += [place, other]


def work():
    os.environ["BUNDLEIMP_CACHE_DIR"] = f"{cache}/{os.getpid()}"
    import pkg.leaf, space.portion, pkg.located
    assert pkg.leaf.V == space.portion.V == pkg.located.V == pkg.located.TEXT == expected, pkg.leaf.V


def look_elsewhere():
    import other.leaf
    assert other.leaf.V == "other"


def check():
    work()
    look_elsewhere()
    import importlib.metadata, importlib.resources, linecache
    assert linecache.getline(os.path.join(place, "pkg", "leaf.py"), 1) == f"V = {expected!r}\\n"
    assert importlib.metadata.version("thing") == "1"
    assert importlib.resources.files("pkg").joinpath("data.txt").read_text() == expected
    assert type(sys.modules["pkg.leaf"].__spec__.loader).__module__.startswith("bundleimp."), "an import went past us"
    hooks = [hook for hook in sys.path_hooks if getattr(hook, "claims_bundles", False)]
    assert sys.path_hooks[0] is hooks[0] and len(hooks) == 1, sys.path_hooks
    assert sum(getattr(finder, "claims_bundles", False) for finder in sys.meta_path) == 1, sys.meta_path
    # From 3.15 on the interpreter itself prints with `linecache`, and its hook is left alone.
    hook = sys.unraisablehook
    assert hasattr(hook, "original") == (sys.version_info < (3, 15))
    assert not hasattr(getattr(hook, "original", None), "original")


expected = "old"
"""
# The runtime is loaded, but has done nothing yet.
_LOADED = f"""
import importlib.metadata, importlib.readers, bundleimp.runtime.hook
for name in {PARTS!r}:
    importlib.import_module(f"bundleimp.runtime.{{name}}")
"""
# Where what outlives an import is kept.
_STATE = {
    *("__init__.py", "archive.py", "bundlefile.py", "bundles.py", "distributions.py", "hook.py", "lines.py"),
    *("placing.py", "refreshing.py", "removing.py", "reopening.py", "sites.py", "telling.py", "waiting.py"),
}


# What `importlib.invalidate_caches` goes through.
_REFRESHING = {"archive.py", "bundlefile.py", "bundles.py", "hook.py", "refreshing.py"}


def laid_out(kind: str, tmp_path: Path) -> list[Path]:
    return [lay_out(kind, tmp_path, tree("old")), lay_out(kind, tmp_path / "b", OTHER), tmp_path / "cache"]


def test_an_interrupt_at_any_step_leaves_nothing_half_done(tmp_path: Path) -> None:
    program = f"{_LOADED}{_WORK}\nresult = each_step(work, interrupt, check, files={_STATE!r})"
    found = at_each_step(program, *laid_out(FLAT, tmp_path), cwd=tmp_path)
    assert found["steps"] > 100
    assert found["failed"] == []


@pytest.mark.parametrize(
    ("happening", "kind"),
    [("exhaust", NESTED), ("look_elsewhere", PLAIN_ZIP), ("importlib.invalidate_caches", NO_BYTECODE)],
)
def test_whatever_happens_on_the_way_the_next_import_works(happening: str, kind: str, tmp_path: Path) -> None:
    program = f"{_LOADED}{_WORK}\nresult = each_step(work, {happening}, check, stride=25)"
    found = at_each_step(program, *laid_out(kind, tmp_path), cwd=tmp_path)
    assert found["steps"] > 100
    assert found["failed"] == []


@pytest.mark.parametrize(("happening", "kind"), [("read", FLAT), ("reinstall", PLAIN_ZIP), ("interrupt", FLAT)])
def test_whatever_a_signal_handler_does_on_the_way_the_import_goes_on(
    happening: str, kind: str, tmp_path: Path
) -> None:
    handlers = """
import bundleimp, importlib.resources


def read():
    assert importlib.resources.files("other").joinpath("__init__.py").read_text() == ""
    with importlib.resources.as_file(importlib.resources.files("other").joinpath("leaf.py")) as path:
        assert path.read_text() == "V = 'other'\\n"
    importlib.invalidate_caches()


def reinstall():
    bundleimp.uninstall()
    bundleimp.install()
"""
    step = f"in_handler({happening})"
    program = f"{_LOADED}{_WORK}{handlers}\nresult = each_step(work, {step}, check, stride=25)"
    found = at_each_step(program, *laid_out(kind, tmp_path), cwd=tmp_path)
    assert found["steps"] > 100
    assert found["failed"] == []


_ATTEMPT = """
def attempt():
    try:
        look_elsewhere()
    except ImportError:
        pass
    sys.modules.pop("other", None), sys.modules.pop("other.leaf", None)
"""


@pytest.mark.parametrize("kind", [NO_BYTECODE, PLAIN_ZIP])
@pytest.mark.parametrize("before", ["", "import bundleimp.runtime.hook"])
def test_an_import_while_a_part_of_ours_is_loaded_fails_at_most_itself(before: str, kind: str, tmp_path: Path) -> None:
    program = f"{before}{_WORK}{_ATTEMPT}\nresult = each_step(work, attempt, check, stride=25)"
    found = at_each_step(program, *laid_out(kind, tmp_path), cwd=tmp_path)
    assert found["steps"] > 500
    assert found["failed"] == []


def test_an_import_at_any_step_of_what_loads_the_runtime_fails_at_most_itself(tmp_path: Path) -> None:
    program = f"{_WORK}{_ATTEMPT}\nresult = each_step(work, attempt, check, files={{'waiting.py'}})"
    found = at_each_step(program, *laid_out(PLAIN_ZIP, tmp_path), cwd=tmp_path)
    assert found["steps"] > 50
    assert found["failed"] == []


def test_a_handler_may_use_an_entry_of_the_cache_that_its_program_is_about_to_lock(tmp_path: Path) -> None:
    """Whichever of the two locks is kept, the entry stays."""
    place, other, cache = laid_out(FLAT, tmp_path)
    script = """
import fcntl, importlib.resources, os, signal
from bundleimp.inspection import cache
import pkg


def handle(number, frame):
    import other.leaf
    with open(str(importlib.resources.files("pkg") / "data.txt")) as file:
        print(other.leaf.V, file.read())


def flock(descriptor, how, really=fcntl.flock):
    fcntl.flock = really
    os.kill(os.getpid(), signal.SIGUSR1)
    really(descriptor, how)


signal.signal(signal.SIGUSR1, handle)
fcntl.flock = flock
import pkg.located
print(pkg.located.TEXT, [kept.wanted for kept in cache.clear(os.environ["BUNDLEIMP_CACHE_DIR"]).kept])
"""
    result = run_python("-W", "ignore", "-c", script, path=[place, other], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == "other old\nold [True]\n"


@pytest.mark.parametrize("before", ["pass", "open(place, 'wb').close(); importlib.invalidate_caches()"])
@pytest.mark.parametrize("happening", ["interrupt", "importlib.invalidate_caches"])
def test_an_interrupt_while_a_bundle_is_exchanged_does_not_keep_the_old_one(
    happening: str, before: str, tmp_path: Path
) -> None:
    program = f"""
{_LOADED}{_WORK}
import linecache, pkg.leaf, pkg.located
{before}
os.replace(sys.argv[4], place)


def look():
    importlib.invalidate_caches()


def check():
    global expected
    look()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("pkg", "space")]:
        del sys.modules[name]
    expected = "new"
    work()


result = each_step(look, {happening}, check, files={_REFRESHING!r})
"""
    found = at_each_step(program, *laid_out(FLAT, tmp_path), lay_out(FLAT, tmp_path / "c", tree("new")), cwd=tmp_path)
    assert found["steps"] > 30
    assert found["failed"] == []
