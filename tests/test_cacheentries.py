"""Entries of the cache are kept by the processes that use them, and gone as a whole or not at all, whoever hurries."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundleimp.runtime.cache import entries as cacheentries

from .builders import Tree, make_bundle, run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

needs_locks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs flock and fork")
MARK = cacheentries.MARK
HELD = cacheentries._held  # noqa: SLF001 (a process that ends is played)
LOCK = cacheentries._lock  # noqa: SLF001 (the moment of the lock is what is tested)


@pytest.fixture(name="entry")
def _entry(tmp_path: Path) -> Iterator[Path]:
    """The place of an entry; what is held of it is let go afterwards, as when a process ends."""
    yield tmp_path / "cache" / "sites" / "entry"
    let_go()


def let_go() -> None:
    HELD.clear()


def fill(folder: str) -> None:
    Path(folder, "file").write_bytes(b"content")


def test_an_entry_is_made_whole_with_a_mark_that_can_be_mapped(entry: Path) -> None:
    assert cacheentries.use(str(entry), fill)
    assert sorted(os.listdir(entry)) == [MARK, "file"]
    assert (entry / "file").read_bytes() == b"content"
    assert (entry / MARK).read_bytes()
    assert os.listdir(entry.parent) == ["entry"]


def test_an_entry_that_is_there_is_not_filled_again(entry: Path) -> None:
    assert cacheentries.use(str(entry), fill)
    let_go()

    def never(_folder: str) -> None:
        pytest.fail("filled again")

    assert cacheentries.use(str(entry), never)
    assert cacheentries.use(str(entry), never)


def test_an_entry_that_cannot_be_filled_is_not_there(entry: Path) -> None:
    def full(folder: str) -> None:
        fill(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    def damaged(folder: str) -> None:
        fill(folder)
        raise ImportError

    assert not cacheentries.use(str(entry), full)
    with pytest.raises(ImportError):
        cacheentries.use(str(entry), damaged)
    assert os.listdir(entry.parent) == []


@needs_locks
def test_an_interrupt_when_a_folder_has_taken_its_place_goes_through(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.rename

    def rename(*places: str) -> None:
        really(*places)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        cacheentries.use(str(entry), fill)
    monkeypatch.undo()
    assert cacheentries.use(str(entry), fill)


def test_an_entry_in_use_is_not_set_aside(entry: Path) -> None:
    assert cacheentries.use(str(entry), fill)
    assert cacheentries.set_aside(str(entry)) is None
    let_go()
    aside = cacheentries.set_aside(str(entry))
    assert aside is not None
    assert Path(aside, "file").read_bytes() == b"content"
    with pytest.raises(FileNotFoundError):
        cacheentries.set_aside(str(entry))


def test_an_entry_that_must_stay_is_checked_while_no_process_can_begin_to_use_it(entry: Path) -> None:
    checked = []

    def check(path: str) -> None:
        checked.append(path)
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    assert cacheentries.use(str(entry), fill)
    assert cacheentries.set_aside(str(entry), check) is None  # in use
    let_go()
    assert checked == []
    with pytest.raises(OSError, match="not empty"):
        cacheentries.set_aside(str(entry), check)
    assert checked == [str(entry)]
    assert (entry / "file").read_bytes() == b"content"
    assert cacheentries.set_aside(str(entry)) is not None


# pytest-xdist has a thread, for which 3.15 warns before it forks.  The child waits for nothing that a thread may hold.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@needs_locks
def test_a_forked_child_keeps_what_its_parent_used(entry: Path) -> None:
    assert cacheentries.use(str(entry), fill)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    let_go()
    assert cacheentries.set_aside(str(entry)) is None
    os.close(writing)
    os.waitpid(child, 0)
    assert cacheentries.set_aside(str(entry)) is not None


@needs_locks
def test_a_lock_that_was_lost_is_taken_again_with_the_same_number(entry: Path) -> None:
    """Descriptors of others are left alone, and the new lock is kept when the old one is forgotten."""
    script = f"""
import fcntl, gc, os
from bundleimp.runtime.cache import entries as cacheentries
assert cacheentries.use({str(entry)!r}, lambda folder: 0)
os.closerange(3, 256)
others = []
for _ in range(3):
    assert cacheentries.use({str(entry)!r}, lambda folder: 0)
    gc.collect()
    others.append(os.open(os.devnull, os.O_RDONLY))
    with open({str(entry / MARK)!r}) as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
    raise SystemExit("the lock is lost")
for descriptor in others:
    os.fstat(descriptor)
"""
    begun = "from bundleimp.runtime.cache import entries as cacheentries\n{}\nimport fcntl"
    again = script.replace("import fcntl", begun, 1)
    run_python("-c", again.format("cacheentries._mapped = lambda descriptor: None  # as elsewhere than on Linux"))
    run_python("-c", script)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a lock goes with the last descriptor")
def test_a_daemon_that_closes_all_descriptors_keeps_what_it_used(entry: Path) -> None:
    """So does its child when it ends, and neither closes what others opened in the place of ours."""
    import fcntl  # noqa: PLC0415 (Windows has none)

    script = f"""
import gc, os, sys
from bundleimp.runtime.cache import entries as cacheentries
assert cacheentries.use({str(entry)!r}, lambda folder: 0)
os.closerange(3, 256)
others = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
if os.fork():
    os._exit(0)
print("closed", flush=True)
sys.stdin.readline()
for _ in range(2):  # what was lost is taken again, with other descriptors
    assert cacheentries.use({str(entry)!r}, lambda folder: 0)
    gc.collect()
for descriptor in others:
    os.fstat(descriptor)
print("sound", flush=True)
sys.stdin.readline()
"""
    program = [sys.executable, "-c", script]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "closed\n"
        assert cacheentries.set_aside(str(entry)) is None
        daemon.stdin.write("\n")
        daemon.stdin.flush()
        assert daemon.stdout.readline() == "sound\n"
        assert cacheentries.set_aside(str(entry)) is None
        daemon.stdin.write("\n")
        daemon.stdin.close()
    with (entry / MARK).open() as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)  # waits until the child has ended, too
    assert cacheentries.set_aside(str(entry)) is not None


def test_a_lock_on_what_was_removed_meanwhile_is_none(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the opening of the mark and the lock on it, another process removes the entry."""
    assert cacheentries.use(str(entry), fill)
    let_go()
    really = LOCK
    locked = []

    def late(descriptor: int, *, exclusive: bool) -> bool:
        locked.append(exclusive)
        if len(locked) == 1:
            entry.rename(entry.with_name("aside"))
        return really(descriptor, exclusive=exclusive)

    monkeypatch.setattr(cacheentries, "_lock", late)
    assert cacheentries.use(str(entry), fill)
    assert locked == [False, False]
    assert (entry / "file").read_bytes() == b"content"
    assert cacheentries.set_aside(str(entry)) is None


def test_an_entry_that_another_process_made_and_a_third_removed_meanwhile_is_made_again(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.rename
    failed: list[str] = []

    def busy(source: str, target: str) -> None:
        if target == str(entry) and not failed:
            failed.append(target)
            raise OSError(errno.ENOTEMPTY, "Directory not empty", source, None, target)
        really(source, target)

    monkeypatch.setattr(os, "rename", busy)
    assert cacheentries.use(str(entry), fill)
    assert failed
    assert os.listdir(entry.parent) == ["entry"]


@needs_locks
def test_who_removes_does_not_take_what_was_made_anew_meanwhile(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is on the mark of the old entry, which is gone; the new one is in use."""
    assert cacheentries.use(str(entry), fill)
    let_go()
    really = LOCK

    def late(descriptor: int, *, exclusive: bool) -> bool:
        if exclusive:
            entry.rename(entry.with_name("aside"))
            assert cacheentries.use(str(entry), fill)
        return really(descriptor, exclusive=exclusive)

    monkeypatch.setattr(cacheentries, "_lock", late)
    with pytest.raises(FileNotFoundError):
        cacheentries.set_aside(str(entry))
    assert (entry / "file").read_bytes() == b"content"


@needs_locks
def test_who_removes_what_is_gone_takes_nothing_that_was_made_meanwhile(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(path: str, really: Callable[[str], os.stat_result]) -> os.stat_result:
        try:
            return really(path)
        except FileNotFoundError:
            if path == str(entry):
                monkeypatch.undo()
                assert cacheentries.use(str(entry), fill)
            raise

    for look in (os.stat, os.lstat):
        monkeypatch.setattr(os, look.__name__, partial(late, really=look))
    with pytest.raises(FileNotFoundError):
        cacheentries.set_aside(str(entry))
    assert (entry / "file").read_bytes() == b"content"


@needs_locks
def test_where_there_are_no_locks_nothing_is_removed(entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems refuse them; the entry may be in use, and nobody can know."""
    import fcntl  # noqa: PLC0415 (not everywhere)

    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert cacheentries.use(str(entry), fill)
    let_go()
    assert cacheentries.set_aside(str(entry)) is None


@needs_locks
def test_a_mark_that_a_cleaner_took_is_put_back_and_the_entry_kept(entry: Path) -> None:
    assert cacheentries.use(str(entry), fill)
    let_go()
    (entry / MARK).unlink()
    assert cacheentries.use(str(entry), fill)
    assert cacheentries.set_aside(str(entry)) is None


@needs_locks
@pytest.mark.parametrize("lost", ["by hand", "all descriptors are closed"])
def test_a_lock_that_was_lost_is_taken_again_at_the_next_use(entry: Path, lost: str) -> None:
    assert cacheentries.use(str(entry), fill)
    if lost == "by hand":
        entry.rename(entry.with_name("aside"))
    else:
        (held,) = HELD.values()
        os.close(held.descriptor)
    assert cacheentries.use(str(entry), fill)
    assert (entry / "file").read_bytes() == b"content"
    assert cacheentries.set_aside(str(entry)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("what", ["entry", "mark"])
@pytest.mark.parametrize("dangling", [False, True])
def test_nothing_is_written_or_removed_behind_a_planted_link(
    entry: Path, tmp_path: Path, what: str, dangling: bool
) -> None:
    target = tmp_path / "outside"
    if not dangling:
        (target.mkdir if what == "entry" else target.touch)()
    if what == "entry":
        entry.parent.mkdir(parents=True)
        entry.symlink_to(target)
    else:
        entry.mkdir(parents=True)
        (entry / MARK).symlink_to(target)
    assert not cacheentries.use(str(entry), fill)
    aside = cacheentries.set_aside(str(entry))
    assert aside is not None
    assert not os.path.lexists(entry)
    assert os.path.exists(aside) == (what == "mark")
    assert target.exists() != dangling
    assert target.read_bytes() == b"" if target.is_file() else dangling or os.listdir(target) == []


# Many processes at once.

TREE: Tree = {
    "pkg/__init__.py": "import os\n",
    "res/__init__.py": "",
    "res/one.txt": "one\n",
    "res/folder/two.txt": "two\n",
    **{f"res/folder/{number}.bin": bytes([number]) * 2000 for number in range(20)},
}
USERS, ROUNDS, CLEANERS = 4, 15, 2
RACE = f"""
import os, sys, pkg
from importlib import resources
import bundleimp.runtime.data.resources, bundleimp.runtime.site.native, bundleimp.runtime.site.sites
from bundleimp.inspection import cache

folder = os.environ["BUNDLEIMP_CACHE_DIR"]


def look():
    files = resources.files("res")
    with resources.as_file(files / "one.txt") as one, resources.as_file(files / "folder") as two:
        placed = str(files / "folder")
        assert all(str(path).startswith(folder) for path in (one, two, placed)), "no cache"
        for _ in range(5):
            assert one.read_text() == "one\\n"
            for place in (str(two), placed):
                assert len(os.listdir(place)) == 21, os.listdir(place)
                for number in range(20):
                    with open(os.path.join(place, f"{{number}}.bin"), "rb") as stream:
                        assert stream.read() == bytes([number]) * 2000


def ends_well(work):
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def use():
    assert all([ends_well(look) for _ in range({ROUNDS})])


def clean(stop):
    removed = 0
    while not os.path.exists(stop):
        removal = cache.clear(folder)
        assert all(kept.wanted for kept in removal.kept), removal
        removed += len(removal.removed)
    assert removed, "nothing was ever removed"


stop = folder + ".stop"
children = []
for work in [use] * {USERS} + [lambda: clean(stop)] * {CLEANERS}:
    child = os.fork()
    if not child:
        os._exit(not ends_well(work))
    children.append(child)
results = [os.waitpid(child, 0)[1] for child in children[:{USERS}]]
open(stop, "w").close()
results += [os.waitpid(child, 0)[1] for child in children[{USERS}:]]
print(results)
"""


@needs_locks
def test_many_processes_publish_and_remove_at_once_and_nobody_loses_a_file(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    cache = tmp_path / "cache"
    result = run_python("-W", "ignore", "-c", RACE, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert (json.loads(result.stdout), result.stderr) == ([0] * (USERS + CLEANERS), "")
    left = [path for path in cache.glob("*/*") if path.name.startswith(".")]
    assert left == []
