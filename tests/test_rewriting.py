"""A file exchanged, rewritten, appended to or deleted while half of a package is imported: one version, whole.

What is written over a bundle is its twin: another version of the same size, whose members lie where its own do.  So
whatever is read from there looks sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .interruptions import at_each_step, needs_fork
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, Laboratory, lay_out
from .platforms import needs_threads

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

KINDS = (PLAIN_ZIP, FLAT, NESTED, NO_BYTECODE, SOURCELESS)
in_kinds = pytest.mark.parametrize("kind", KINDS)
# So long that the index takes several reads.
_LONG = "m" * 200
_FOLDERS, _MODULES, _TOP = 25, 6, 150


def tree(value: int) -> Tree:
    """Return a package in which every module has the same value."""
    made: Tree = {"pkg/__init__.py": f"V = {value}\n", "pkg/data.txt": str(value)}
    for folder in range(_FOLDERS):
        made[f"pkg/s{folder}/__init__.py"] = f"V = {value}\n"
        made |= {f"pkg/s{folder}/{_LONG}{number}.py": f"V = {value}\n" for number in range(_MODULES)}
    return made | {f"{_LONG}{number}.py": f"V = {value}\n" for number in range(_TOP)}


NAMES = [f"pkg.s{folder}.{_LONG}{number}" for folder in range(_FOLDERS) for number in range(_MODULES)]


class Twins:
    """Two bundles of the same size, of the values 'old' and 'new'."""

    def __init__(self, folder: Path, kind: str) -> None:
        found: dict[int, tuple[int, Path]] = {}
        for value in range(1000, 2000):
            path = lay_out(kind, folder / str(value), tree(value), "out")
            size = path.stat().st_size
            if size in found:
                (self.old, old), (self.new, new) = found[size], (value, path)
                self.old_bytes, self.new_bytes = old.read_bytes(), new.read_bytes()
                return
            found[size] = (value, path)
        message = "no two bundles have the same size"
        raise ValueError(message)

    def put(self, folder: Path) -> tuple[Path, Path]:
        """Write both into *folder*; return where."""
        folder.mkdir(exist_ok=True)
        (folder / "out.pybundle").write_bytes(self.old_bytes)
        (folder / "twin.pybundle").write_bytes(self.new_bytes)
        return folder / "out.pybundle", folder / "twin.pybundle"


@pytest.fixture(name="twins", scope="module")
def _twins(tmp_path_factory: pytest.TempPathFactory) -> Any:
    known: dict[str, Twins] = {}

    def twins(kind: str) -> Twins:
        if kind not in known:
            known[kind] = Twins(tmp_path_factory.mktemp("twins"), kind)
        return known[kind]

    return twins


# The beginning of a program that has imported a part; it tells what happens to what it imports then.
_HALF = """
import importlib, os, shutil, sys, threading, zipfile
bundle, twin, *names = sys.argv[1:]
sys.path.insert(1, bundle)
import pkg.s0
before = importlib.import_module(names[0]).V


def write_over(old, new):
    with open(new, "rb") as source, open(old, "r+b") as target:
        target.write(source.read())


def bring(name):
    try:
        return importlib.import_module(name).V
    except ImportError as error:
        assert bundle in str(error) and error.path == bundle, error
        return "rewritten" if "rewritten in place" in str(error) else "damaged"


def bring_all():
    return sorted(set(map(bring, names)), key=str)


def bring_all_anew():
    for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
        del sys.modules[name]
    return bring_all()
"""


def observe(tmp_path: Path, twins: Twins, program: str) -> Any:
    """Return what *program*, which goes on where `_HALF` ends, leaves in ``result``; old and new by these words."""
    places = twins.put(tmp_path / "places")
    laboratory = Laboratory(tmp_path / "laboratory", PYTHONDONTWRITEBYTECODE="1")  # the cache, too, has whole versions
    seen = laboratory.observe([], _HALF + program, *map(str, places), *NAMES)
    words = {twins.old: "old", twins.new: "new"}
    return [
        [words.get(item, item) for item in part] if isinstance(part, list) else words.get(part, part) for part in seen
    ]


REWRITTEN = {
    "at another time": "write_over(bundle, twin); os.utime(bundle, (1, 1))",
    "and given its old time": "status = os.stat(bundle); write_over(bundle, twin);"
    " os.utime(bundle, ns=(status.st_atime_ns, status.st_mtime_ns))",
}


@pytest.mark.parametrize("how", REWRITTEN)
@in_kinds
def test_of_a_twin_written_over_the_file_nothing_is_imported(kind: str, how: str, tmp_path: Path, twins: Any) -> None:
    before, after, again = observe(
        tmp_path, twins(kind), f"{REWRITTEN[how]}\nresult = [before, bring_all(), bring_all_anew()]"
    )
    assert before == "old"
    error = "rewritten" if how == "at another time" else "damaged"
    assert after == ["old", error]  # what was imported before; the rest
    assert again == [error]


@pytest.mark.parametrize("how", REWRITTEN)
@in_kinds
def test_after_invalidate_caches_a_rewritten_file_is_seen_whole(
    kind: str, how: str, tmp_path: Path, twins: Any
) -> None:
    program = f"{REWRITTEN[how]}\nimportlib.invalidate_caches()\nresult = [before, bring_all_anew()]"
    assert observe(tmp_path, twins(kind), program) == ["old", ["new"]]


APPENDED = "archive = zipfile.ZipFile(bundle, 'a'); archive.writestr('added.py', f'V = {before}'); archive.close()"
# What happens to the file, and what is found once the program has looked again.
UNHARMED = {
    "renamed over": ("os.replace(twin, bundle)", "new"),
    "renamed over by a link": ("os.symlink(twin, bundle + '.link'); os.replace(bundle + '.link', bundle)", "new"),
    "renamed over by a hard link": ("os.link(twin, bundle + '.link'); os.replace(bundle + '.link', bundle)", "new"),
    "deleted and made anew": ("os.unlink(bundle); shutil.copyfile(twin, bundle)", "new"),
    "appended to": (f"{APPENDED}; names.append('added')", "old"),
    "garbage behind": ("file = open(bundle, 'ab'); file.write(b'garbage' * 100); file.close()", None),
    "given other permissions": ("os.chmod(bundle, 0o640)", "old"),
    "given another name": ("os.link(bundle, bundle + '.link')", "old"),
}


@pytest.mark.parametrize("how", UNHARMED)
@in_kinds
def test_the_version_that_was_opened_is_imported_to_the_end(kind: str, how: str, tmp_path: Path, twins: Any) -> None:
    happening, found = UNHARMED[how]
    program = f"""
known = list(names)
{happening}
names, known = known, names
first = bring_all()
names = known
importlib.invalidate_caches()
importlib.reload(pkg)
result = [before, first, pkg.V, bring_all_anew()]
"""
    if found is None:  # zip tools read over what stands behind an archive, or do not: what matters is that it is said
        program = program.partition("importlib.invalidate_caches()")[0] + "result = [before, first]"
    after = [] if found is None else [found, [found]]
    assert observe(tmp_path, twins(kind), program) == ["old", ["old"], *after]


@in_kinds
def test_a_deleted_bundle_is_imported_to_the_end(kind: str, tmp_path: Path, twins: Any) -> None:
    program = """
os.unlink(bundle)
first = bring_all()
importlib.invalidate_caches()
for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
    del sys.modules[name]
try:
    import pkg
except ModuleNotFoundError as error:
    result = [before, first, error.name]
"""
    assert observe(tmp_path, twins(kind), program) == ["old", ["old"], "pkg"]


@in_kinds
def test_a_link_that_is_led_elsewhere_is_followed_after_invalidate_caches(
    kind: str, tmp_path: Path, twins: Any
) -> None:
    """As with the folder ``current`` of a deployment, of which the bundle's path is only a part."""
    program = """
for name, source in ("one", bundle), ("two", twin):
    os.mkdir(name)
    os.rename(source, os.path.join(name, "out.pybundle"))
os.symlink("one", "current")
sys.path[1] = os.path.abspath("current/out.pybundle")
del names[0]
first = bring_all_anew()
os.symlink("two", "next")
os.replace("next", "current")
second = bring_all_anew()
importlib.invalidate_caches()
result = [first, second, bring_all_anew()]
"""
    assert observe(tmp_path, twins(kind), program) == [["old"], ["old"], ["new"]]


@needs_threads
@pytest.mark.parametrize("happening", ["os.replace(twin, bundle)", REWRITTEN["at another time"]])
@in_kinds
def test_threads_that_import_meanwhile_see_one_version(kind: str, happening: str, tmp_path: Path, twins: Any) -> None:
    program = f"""
import faulthandler
faulthandler.dump_traceback_later(240, exit=True)
sys.setswitchinterval(1e-6)
seen = set()
started = threading.Barrier(9)


def go(part):
    started.wait()
    seen.update(map(bring, part))


threads = [threading.Thread(target=go, args=[names[number::8]]) for number in range(8)]
for thread in threads:
    thread.start()
started.wait()
{happening}
for thread in threads:
    thread.join()
result = [before, sorted(seen, key=str)]
faulthandler.cancel_dump_traceback_later()
"""
    before, seen = observe(tmp_path, twins(kind), program)
    assert before == "old"
    allowed = {"old", "rewritten"} if "replace" not in happening else {"old"}
    assert set(seen) <= allowed


# Of some hundred steps each; all of them were tried when this was written.
STRIDES = {PLAIN_ZIP: 29, FLAT: 7, NO_BYTECODE: 13}
STEPS = {
    "written over": ("write_over(bundle, twin)", True),
    "written over and given its old time": (REWRITTEN["and given its old time"], True),
    "renamed over": ("os.replace(twin, bundle)", False),
    "deleted": ("os.unlink(bundle)", True),
    "appended to": (APPENDED, False),
    "cut off": ("os.truncate(bundle, 100)", True),
}


@needs_fork
@pytest.mark.parametrize("how", STEPS)
@pytest.mark.parametrize("kind", STRIDES)
def test_whatever_step_of_an_import_it_meets_one_version_is_seen(
    kind: str, how: str, tmp_path: Path, twins: Any
) -> None:
    """From the first look at the file on: its end, its directories and its members are read one after the other.

    And nothing of the one version is in the cache for the other.
    """
    happening, may_fail = STEPS[how]
    pair = twins(kind)
    program = f"""
import importlib, shutil, warnings, zipfile
import bundleimp.runtime.hook, bundleimp.runtime.plain.zipdirectory, bundleimp.runtime.cache.code
before = old = {pair.old}
new, names = {pair.new}, {NAMES[:: 5 * _MODULES + 1]!r}
warnings.simplefilter("ignore")  # of a file that is not sound when it is opened


def write_over(old, new):
    with open(new, "rb") as source, open(old, "r+b") as target:
        target.write(source.read())


def work():
    global bundle, twin, seen
    os.environ["BUNDLEIMP_CACHE_DIR"] = os.path.abspath(f"cache-{{os.getpid()}}")
    bundle, twin, seen = os.path.abspath(f"{{os.getpid()}}.pybundle"), os.path.abspath(f"{{os.getpid()}}.new"), set()
    shutil.copyfile(sys.argv[1], bundle)
    shutil.copyfile(sys.argv[2], twin)
    sys.path.insert(0, bundle)
    for name in ["pkg", *names]:
        try:
            seen.add(importlib.import_module(name).V)
        except ImportError:
            seen.add("error")


def happening():
    {happening}


def check():
    for path in bundle, twin:
        if os.path.exists(path):
            os.unlink(path)
    assert len(seen - {{"error"}}) <= 1, f"a mixture: {{seen}}"
    assert {may_fail} or "error" not in seen, seen
    for path, value in (sys.argv[1], old), (sys.argv[2], new):
        sys.path[0] = path
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
            del sys.modules[name]
        found = {{importlib.import_module(name).V for name in ["pkg", *names]}}
        assert found == {{value}}, f"{{found}} in the cache for {{value}}"


files = {{
    *("archive.py", "bundlefile.py", "bundles.py", "format.py", "finder.py"),
    *("listing.py", "localheader.py", "reading.py", "refreshing.py", "reopening.py"),
}}
result = each_step(work, happening, check, files=files, stride={STRIDES[kind]})
"""
    found = at_each_step(program, *pair.put(tmp_path / "places"), cwd=tmp_path)
    assert found["steps"] > 60
    assert found["failed"] == []
