"""Whatever happens to the cache and to those who write it, imports go on and nothing partial is ever seen."""

from __future__ import annotations

import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.runtime.cache import folder as cachefolder

from .builders import Tree, clean_environment, make_bundle, run_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# Two units: the one with a RECORD is placed as a whole, of the other only the data part.
TREE: Tree = {
    "mod.py": "VALUE = 'mod'\n",
    "placed-1.dist-info/RECORD": "placed/__init__.py,,\nplaced/table.txt,,\n",
    "placed/__init__.py": "import os\nPLACE = os.path.dirname(__file__)\n",
    "placed/table.txt": "table\n" * 3000,
    "res/__init__.py": "",
    "res/one.txt": "one\n" * 3000,
    "res/folder/two.txt": "two\n" * 3000,
    "res/folder/deep/three.txt": "three\n" * 3000,
}
WORK = """
import os, mod
from importlib import resources

files = resources.files("res")
with resources.as_file(files / "one.txt") as one, resources.as_file(files / "folder") as folder:
    print(mod.VALUE, len(one.read_text()), len((folder / "two.txt").read_text()), end=" ")
    print(len((folder / "deep" / "three.txt").read_text()), sorted(os.listdir(folder)))
import placed
print(os.path.exists(placed.PLACE + "/table.txt"))
"""
READ = "mod 12000 12000 18000 ['deep', 'two.txt']\n"
WORKED = READ + "True\n"

posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and permissions are other things there")


@pytest.fixture(name="bundle", scope="module")
def _bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("accidents") / "out.pybundle", TREE, bytecode=False)


def work(bundle: Path, cache: Path | str, before: str = "", **variables: Any) -> subprocess.CompletedProcess[str]:
    return run_python("-c", before + WORK, path=[bundle], check=False, BUNDLEIMP_CACHE_DIR=str(cache), **variables)


def goes_on(result: subprocess.CompletedProcess[str], *, placed: bool = False) -> None:
    """Assert that the process did all its work, with at most one warning for the cache and for each unit."""
    assert (result.returncode, result.stdout) == (0, READ + f"{placed}\n"), result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.count("BundleWarning") <= 3


def is_sound(cache: Path) -> None:
    """Assert that all that can be seen in the cache is whole."""
    for site in cache.glob("sites/[!.]*"):
        files = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*") if path.is_file()}
        placed = {name: text for name, text in files.items() if not name.startswith(".")}
        assert placed.items() <= TREE.items()
        for suffix, folder in ((".whole", "placed/"), (".data", "res/")):
            if any(name.endswith(suffix) for name in files):
                assert {name for name in TREE if name.startswith(folder)} <= set(placed)
    for file in (*cache.glob("files/[!.]*/**/[!.]*"), *cache.glob("folders/[!.]*/[!.]*/[!.]*/**/[!.]*")):
        if file.is_file() and not any(part.endswith(".tmp") for part in file.parts):
            assert file.read_text() == f"{file.stem}\n" * 3000
    for copy in cache.glob("folders/[!.]*/[!.]*/[!.]*"):
        assert sorted(path.name for path in copy.rglob("*")) == ["deep", "three.txt", "two.txt"]


# Kills the process when it does something in the cache for the given time: before a file is opened, a folder made, or
# anything renamed or removed there, and wherever something is half written.
KILLED = """
import os, signal, sys
left = {count}


def step():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)


def audit(event, arguments):
    if event in ("open", "os.mkdir", "os.rename", "os.remove") and {cache} in str(arguments[0]):
        step()


def write(descriptor, data, really=os.write):
    written = really(descriptor, data[: len(data) // 2 + 1])
    step()
    return written


sys.addaudithook(audit)
os.write = write
"""


@posix
def test_of_many_processes_on_an_empty_cache_some_are_killed_and_the_rest_work(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    numbers = random.Random(20)  # noqa: S311 (no secret)
    counts = [numbers.randrange(1, 60) if number % 2 else 0 for number in range(32)]
    environment = clean_environment(PYTHONPATH=str(bundle), BUNDLEIMP_CACHE_DIR=str(cache))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", KILLED.format(count=count, cache=repr(str(cache))) + WORK],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for count in counts
    ]
    ended = [(*process.communicate(), process.returncode) for process in processes]
    worked = [end for end in ended if end == (WORKED, "", 0)]
    killed = [end for end in ended if end[1:] == ("", -signal.SIGKILL)]
    assert len(worked) + len(killed) == 32, [end for end in ended if end not in worked + killed]
    assert len(worked) >= 16
    assert killed
    is_sound(cache)
    assert work(bundle, cache).stdout == WORKED


# One process is killed at its first step, one at its second, and so on, each with a cache of its own; after each, the
# next one works in that cache.
EACH_STEP = f"""
import os, shutil, sys
import bundleimp.runtime.cache.code, bundleimp.runtime.site.sites, bundleimp.runtime.site.native
import bundleimp.runtime.data.resources
import hashlib

folder = sys.argv[1]
KILLED = {KILLED!r}
WORK = {WORK!r}


def status(cache, count):
    child = os.fork()
    if not child:
        printed = []
        try:
            os.environ["BUNDLEIMP_CACHE_DIR"] = cache
            exec(KILLED.format(count=count, cache="'/cache-'"), {{}})
            exec(WORK, {{"print": lambda *words, end="\\n": printed.append(" ".join(map(str, words)) + end)}})
            os._exit("".join(printed) != {WORKED!r})
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


count = 0
ended = []
while 0 not in ended:
    count += 1
    cache = f"{{folder}}/cache-{{count}}"
    ended.append(status(cache, count))
    if os.path.exists(cache):
        shutil.copytree(cache, f"{{folder}}/seen-{{count}}")
    assert status(cache, 0) == 0, count
print(count, set(ended[:-1]))
"""


@posix
def test_wherever_a_process_is_killed_nothing_partial_is_seen_and_the_next_one_works(
    bundle: Path, tmp_path: Path
) -> None:
    result = run_python("-W", "error", "-c", EACH_STEP, str(tmp_path), path=[bundle])
    steps, statuses = result.stdout.split(maxsplit=1)
    assert (int(steps) > 50, statuses, result.stderr) == (True, f"{{{-signal.SIGKILL}}}\n", "")
    caches = [tmp_path / f"{kind}-{step}" for kind in ("seen", "cache") for step in range(1, int(steps) + 1)]
    for cache in caches:
        is_sound(cache)


# A disk that is full or can only be read, a quota

MOUNT = 'mount -t tmpfs -o "$1" none "$0" && shift && exec sh -c "$@"'


def mounting() -> list[str]:
    """Return a command that gives its arguments a name space for mounts of their own; skip where there are none."""
    program = shutil.which("unshare")
    options = ["--mount"] if ROOT else ["--map-root-user", "--mount"]
    if program is None or sys.platform != "linux":
        pytest.skip("nothing can be mounted here")
    with tempfile.TemporaryDirectory() as folder:
        trial = [program, *options, "sh", "-c", MOUNT, folder, "size=4k", "true"]
        if subprocess.run(trial, capture_output=True, check=False).returncode:
            pytest.skip("nothing can be mounted here")
    return [program, *options]


def work_mounted(
    bundle: Path, folder: Path, options: str, before: str = "true", after: str = "true", program: str = WORK
) -> subprocess.CompletedProcess[str]:
    """Do the work with the cache on a small disk of its own, between two commands for the shell."""
    cache = folder / "cache"
    cache.mkdir(mode=0o700)
    shell = f'{before} && "$1" -c "$2"; status=$?; {after}; exit $status'
    command = ["sh", "-c", MOUNT, str(cache), f"mode=700,{options}", shell, "sh", sys.executable, program]
    first, *arguments = [*mounting(), *command]
    return run_python(
        *arguments, executable=first, path=[bundle], check=False, cwd=folder, BUNDLEIMP_CACHE_DIR=str(cache)
    )


@pytest.mark.parametrize(
    "options",
    [*(f"size={size}k" for size in (4, 16, 32, 44, 60)), *(f"nr_inodes={number}" for number in (1, 2, 4, 7, 12, 17))],
)
def test_on_a_full_disk_or_with_a_quota_imports_go_on_and_nothing_partial_is_seen(
    bundle: Path, tmp_path: Path, options: str
) -> None:
    result = work_mounted(bundle, tmp_path, options, after="cp -a cache seen")
    seen = tmp_path / "seen"
    goes_on(result, placed=bool(list(seen.glob("sites/*/*/*.whole"))))
    is_sound(seen)
    assert list(seen.rglob("*.tmp")) == []


@pytest.mark.parametrize("state", ["empty", "full", "damaged", "without marks"])
def test_a_cache_that_can_only_be_read_is_read(bundle: Path, tmp_path: Path, state: str) -> None:
    full = tmp_path / "full"
    assert work(bundle, full).stdout == WORKED
    if state == "damaged":
        table = next(full.glob("sites/*/placed/table.txt"))
        table.unlink()
        table.write_text("less")
        next(full.glob("files/*/res/one.txt")).write_text("less")
        next(full.glob("folders/*/*/folder/two.txt")).write_text("less")
    elif state == "without marks":
        for mark in full.rglob(".bundleimp"):
            mark.unlink()
    copy = "cp -a full/. cache && " if state != "empty" else ""
    result = work_mounted(bundle, tmp_path, "size=1m", before=f"{copy}mount -o remount,ro cache")
    goes_on(result, placed=state == "full")


def test_where_nothing_in_the_cache_can_be_executed_extension_modules_load_from_memory(tmp_path: Path) -> None:
    compiled = importlib.import_module("markupsafe._speedups").__file__
    if compiled is None or compiled.endswith(".py"):
        pytest.skip("it is not compiled here")
    name = os.path.basename(compiled)
    with open(compiled, "rb") as stream:
        bundle = make_bundle(tmp_path / "out.pybundle", {name: stream.read()})
    program = "import _speedups\nprint(_speedups._escape_inner('<'))"
    result = work_mounted(bundle, tmp_path, "size=1m,noexec", program=program)
    assert (result.stdout, result.stderr) == ("&lt;\n", "")


@posix
def test_a_folder_that_another_process_makes_at_the_same_moment_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.mkdir

    def late(path: str, mode: int) -> None:
        really(path, mode)
        really(path, mode)

    monkeypatch.setattr(os, "mkdir", late)
    cachefolder.make_folders(str(tmp_path / "code" / "key"))
    assert (tmp_path / "code" / "key").is_dir()


@posix
def test_where_no_file_can_grow_imports_go_on(bundle: Path, tmp_path: Path) -> None:
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
import mod, placed, res
print(mod.VALUE, placed.PLACE)
"""
    work(bundle, tmp_path / "other")  # else the limit would cut bundleimp's own bytecode short
    cache = tmp_path / "cache"
    result = run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert result.stdout == f"mod {bundle / 'placed'}\n"
    assert result.stderr.count("BundleWarning") == 1
    assert [path for path in cache.rglob("*") if path.is_file()] == []


# What is in the way, or was planted


@posix
def test_no_folder_of_the_cache_can_be_written_to_by_others_whatever_the_umask(bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "not" / "yet" / "cache"
    goes_on(work(bundle, cache, "import os\nos.umask(0)\n"), placed=True)
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "not", cache.parent, cache)} == {"0o700"}
    folders = [path for path in cache.rglob("*") if path.is_dir()]
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o755"}  # others may read, if they may enter
    assert all(path.stat().st_mode & 0o022 == 0 for path in cache.rglob("*"))


@posix
@pytest.mark.parametrize("kind", ["code", "sites", "files", "folders"])
@pytest.mark.parametrize("level", ["kind", "entry"])
@pytest.mark.parametrize("obstacle", ["dangling link", "file"])
def test_what_is_in_the_way_of_a_folder_stays_and_nothing_is_written_behind_it(
    bundle: Path, tmp_path: Path, kind: str, level: str, obstacle: str
) -> None:
    cache = tmp_path / "cache"
    work(bundle, cache)
    place = cache / kind if level == "kind" else next((cache / kind).iterdir())
    shutil.rmtree(place)
    if obstacle == "file":
        place.write_text("in the way")
    else:
        place.symlink_to(tmp_path / "nothing")
    goes_on(work(bundle, cache), placed=kind != "sites")
    assert not (tmp_path / "nothing").exists()
    assert place.is_symlink() if obstacle != "file" else place.read_text() == "in the way"


PLANTED = ["link to a folder", "dangling link", "file", "folder that others can write to", "foreign folder"]


@posix
@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_planted_in_the_shared_temporary_folder_is_not_used(
    bundle: Path, tmp_path: Path, planted: str
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    target = tmp_path / "mine"
    place = shared / f"bundleimp-{os.getuid()}"
    if planted == "file":
        place.write_text("planted")
    elif "link" in planted:
        place.symlink_to(target)
        if planted == "link to a folder":
            target.mkdir(mode=0o700)
    else:
        place.mkdir(mode=0o700)
        if planted == "foreign folder":
            if not ROOT:
                pytest.skip("only root can give a folder away")
            os.chown(place, 12345, -1)
        else:
            place.chmod(0o777)
    goes_on(work(bundle, "", HOME="", XDG_CACHE_HOME="", TMPDIR=str(shared)))
    assert list(shared.iterdir()) == [place]
    assert not place.is_dir() or list(place.iterdir()) == []
    assert place.is_symlink() == ("link" in planted)


@posix
def test_what_was_damaged_is_mended_file_by_file_and_what_a_program_added_stays(bundle: Path, tmp_path: Path) -> None:
    """Running processes use the same folders: these are not taken away for a moment, as a new one would have to."""
    cache = tmp_path / "cache"
    work(bundle, cache)
    site, copy = next(cache.glob("sites/*")), next(cache.glob("folders/*/*/folder"))
    (copy / "deep" / "three.txt").unlink()
    (site / "placed" / "table.txt").unlink()
    added = [site / "placed" / "added", copy / "deep" / "added"]
    for damaged in (site / "placed/table.txt", copy / "two.txt", next(cache.glob("files/*/res/one.txt")), *added):
        damaged.write_text("x")
    before = [path.stat().st_ino for path in (site, copy, copy / "deep", site / ".bundleimp")]
    goes_on(work(bundle, cache), placed=True)
    assert [path.stat().st_ino for path in (site, copy, copy / "deep", site / ".bundleimp")] == before
    assert [path.read_text() for path in added] == ["x", "x"]
    for path in added:
        path.unlink()
    is_sound(cache)


@posix
@pytest.mark.parametrize("text", ["", "x", "TABLE\n" * 3000, None], ids=["empty", "shorter", "as long", "same"])
def test_what_lies_in_a_site_without_a_mark_is_replaced_unless_it_is_the_same(
    bundle: Path, tmp_path: Path, text: str | None
) -> None:
    """After a power failure, a file may have its size and not its content."""
    cache = tmp_path / "cache"
    work(bundle, cache)
    table = next(cache.glob("sites/*/placed/table.txt"))
    if text is not None:
        table.unlink()
        table.write_text(text)
    for mark in cache.glob("sites/*/.bundleimp-units/*.whole"):
        mark.unlink()
    before = table.stat().st_ino
    goes_on(work(bundle, cache), placed=True)
    is_sound(cache)
    assert (table.stat().st_ino == before) == (text is None)


# Two users


@pytest.fixture(name="other")
def _other_user() -> list[str]:
    """A command that runs its arguments as another user, who may read what is root's but owns none of it."""
    program = shutil.which("setpriv")
    if not ROOT or program is None:
        pytest.skip("only root can become somebody else, with setpriv")
    powers = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [program, "--reuid=12345", "--regid=12345", "--clear-groups", *powers]


def work_as(prefix: Sequence[str], bundle: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", WORK]
    return run_python(*command[1:], executable=command[0], path=[bundle], check=False, **variables)


def test_two_users_have_two_caches_in_the_shared_temporary_folder(
    other: list[str], bundle: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for _ in range(2):
        for prefix in ([], other):
            result = work_as(prefix, bundle, TMPDIR=str(shared), HOME="", XDG_CACHE_HOME="", BUNDLEIMP_CACHE_DIR="")
            assert (result.stdout, result.stderr) == (WORKED, "")
    found = {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in shared.iterdir()}
    assert found == {"bundleimp-0": (0, 0o700), "bundleimp-12345": (12345, 0o700)}
    is_sound(shared / "bundleimp-0")
    is_sound(shared / "bundleimp-12345")


def test_nobody_uses_the_cache_of_another_user(other: list[str], bundle: Path, tmp_path: Path) -> None:
    cache = tmp_path / "bundleimp"
    work(bundle, cache)
    for path in (cache, *cache.rglob("*")):
        os.chown(path, 4711, 4711, follow_symlinks=False)
    before = {path: path.lstat().st_mtime_ns for path in cache.rglob("*")}
    nowhere = str(tmp_path / "nowhere")
    result = work_as(other, bundle, XDG_CACHE_HOME=str(tmp_path), TMPDIR=nowhere, BUNDLEIMP_CACHE_DIR="")
    goes_on(result)
    assert f"{cache}: this cache folder is not used: it belongs to another user" in result.stderr
    assert {path: path.lstat().st_mtime_ns for path in cache.rglob("*")} == before


@pytest.mark.parametrize("owner", [0, 4711])
def test_a_cache_of_another_user_that_a_variable_names_is_read(
    other: list[str], bundle: Path, tmp_path: Path, owner: int
) -> None:
    cache = tmp_path / "cache"
    work(bundle, cache)
    for path in (cache, *cache.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)
    before = {path: path.lstat().st_mtime_ns for path in cache.rglob("*")}
    result = work_as(other, bundle, BUNDLEIMP_CACHE_DIR=str(cache))
    assert (result.stdout, result.stderr) == (WORKED, "")
    assert {path: path.lstat().st_mtime_ns for path in cache.rglob("*")} == before
