"""The user's cache: what is in it, and how what nobody uses is removed.

Only what is named as our own entries are is looked at, so a folder that holds other things, too, loses none of them.
A program may write files into a site or an unpacked bundle, as into an installation.  Such an entry is kept.  Nothing
is followed: a link is at most removed itself.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..runtime.cache import entries as cacheentries
from ..runtime.cache import folder as cachefolder
from ..runtime.faults.kinds import BundleError
from ..runtime.site import marks, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DAY = 24 * 60 * 60
_KEY = re.compile(r"[0-9a-f]{32}")
_KINDS = {
    "code": _KEY,
    "sites": re.compile(r"[0-9a-f]{32}\.pybundle"),
    "unpacked": re.compile(r"[0-9a-f]{32}-[\w.-]+\.pybundle"),
    "files": _KEY,
    "folders": _KEY,
    "scripts": _KEY,
    "fetched": re.compile(r"[0-9a-f]{64}"),
}
# What is on its way into the cache or out of it; see `cachefolder.aside_of`.
_ASIDE = re.compile(r"\.\d+-[0-9a-f]{8}\.tmp(?:\.sig)?|\.[0-9a-f]{64}\.lock")


@dataclass(frozen=True)
class Entry:
    """What the cache holds for one archive.

    Attributes:
        kind: "code" (bytecode of an archive), "sites" (real files of a bundle), "unpacked" (all of a bundle), "files"
            or "folders" (of an archive), "scripts" (links to a program), "fetched" (a bundle from a URL).
        name: its name in the folder of its kind.
        path: where it is.
        size: of its files, in bytes.
        last_use: when a process last used it, in seconds since the epoch; to the day, but for bytecode.

    """

    kind: str
    name: str
    path: str
    size: int
    last_use: float


@dataclass(frozen=True)
class Kept:
    """An entry that was to be removed, and is still there.

    Attributes:
        entry: the entry.
        reason: why it is still there.
        wanted: whether it should be there: a process uses it, or the user keeps it.

    """

    entry: Entry
    reason: str
    wanted: bool = False


@dataclass(frozen=True)
class Removal:
    """What was removed, and what not.

    Attributes:
        removed: the entries that are gone.
        kept: those that should have gone.
        left_overs: the paths of what killed processes had left, and is gone.

    """

    removed: list[Entry] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    left_overs: list[str] = field(default_factory=list)


def cache_folder() -> str:
    """Return the folder that the processes of this user have their cache in, there or not.

    Raises:
        BundleError: it is not to be trusted, or there can be none.

    """
    for candidate in cachefolder.candidates():
        path = candidate.path
        try:
            fault = cachefolder.fault_of(candidate)
        except FileNotFoundError:
            if _can_be_made(path):
                return path
            continue
        except (OSError, ValueError):
            continue
        if fault is None:
            return path
        message = f"this cache folder is not used: it {fault}; set BUNDLEIMP_CACHE_DIR to another"
        raise BundleError(message, file=path)
    message = "no cache folder can be made; set BUNDLEIMP_CACHE_DIR to one that can"
    raise BundleError(message)


def _can_be_made(path: str) -> bool:
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def entries(folder: str) -> list[Entry]:
    """Return what is in the cache *folder*, the least recently used first."""
    found = [_entry(kind, item) for kind, item in _items(folder) if _KINDS[kind].fullmatch(item.name)]
    return sorted(found, key=lambda entry: (entry.last_use, entry.path))


def prune(folder: str, *, older_than: float | None = None, max_size: int | None = None) -> Removal:
    """Remove what was not used for long, and what makes the cache too large, unless a process uses it.

    Arguments:
        folder: the cache.
        older_than: remove what was last used so many days ago; default: any age is right.
        max_size: remove the least recently used until the rest has so many bytes; default: any size is right.

    """
    found = entries(folder)
    total = sum(entry.size for entry in found)
    now = time.time()
    result = Removal()
    for entry in found:
        old = older_than is not None and entry.last_use < now - older_than * _DAY
        if old or (max_size is not None and total > max_size):
            _remove(entry, result)
            total -= entry.size if entry in result.removed else 0
    _remove_left_overs(folder, now, result)
    return result


def clear(folder: str) -> Removal:
    """Remove from the cache *folder* all that no process uses."""
    result = Removal()
    for entry in entries(folder):
        _remove(entry, result)
    _remove_left_overs(folder, time.time(), result)
    return result


def _items(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is in the folder of each kind, with the kind."""
    for kind in _KINDS:
        path = os.path.join(folder, kind)
        if not os.path.islink(path):
            try:
                items = list(os.scandir(path))
            except (FileNotFoundError, NotADirectoryError):
                continue
            yield from ((kind, item) for item in items)


def _entry(kind: str, item: os.DirEntry[str]) -> Entry:
    own = _status(item.path)
    files = [status for status in map(_status, _below(item)) if status is not None and stat.S_ISREG(status.st_mode)]
    if kind == "code":
        times = [max(status.st_atime, status.st_mtime) for status in files]
    else:
        mark = _status(os.path.join(item.path, cacheentries.MARK))
        times = [mark.st_mtime] if mark is not None else []
    if not times and own is not None:
        times = [own.st_mtime]
    return Entry(kind, item.name, item.path, sum(status.st_size for status in files), max(times, default=0))


def _below(item: os.DirEntry[str]) -> Iterator[str]:
    """Yield the path of everything below a folder; nothing below a link or a file."""
    if item.is_dir(follow_symlinks=False):
        for folder, folders, files in os.walk(item.path):
            yield from (os.path.join(folder, name) for name in (*folders, *files))


def _status(path: str) -> os.stat_result | None:
    """Return what is at *path*, not where a link leads; None where another process has just removed it."""
    try:
        return os.lstat(path)
    except OSError:
        return None


def _remove(entry: Entry, result: Removal) -> None:
    """Remove the *entry* unless it is in use or has other files, and note in *result* how that went."""
    if os.path.exists(os.path.join(entry.path, unpacked.KEEP)):
        result.kept.append(Kept(entry, "made with `bundleimp site --keep`", wanted=True))
        return
    try:
        aside = cacheentries.set_aside(entry.path, _check_files if entry.kind in {"sites", "unpacked"} else None)
    except FileNotFoundError:  # another process removed it
        return
    except _OtherFilesError as error:
        result.kept.append(Kept(entry, str(error)))
        return
    except OSError as error:
        result.kept.append(Kept(entry, f"cannot be removed: {error.strerror}"))
        return
    if aside is None:
        result.kept.append(Kept(entry, "in use", wanted=True))
    elif _delete(aside):
        result.removed.append(entry)
    else:
        result.kept.append(Kept(entry, f"cannot be removed whole: the rest is {aside}"))


class _OtherFilesError(OSError):
    """A site has files that bundleimp has not placed there."""


def _check_files(path: str) -> None:
    """Raise _OtherFilesError if the site or unpacked bundle at *path* has a file that is in none of its lists."""
    for other in foreign_files(path):
        message = f"{other} is not a file of the bundle; move or delete it"
        raise _OtherFilesError(message)


def foreign_files(path: str) -> Iterator[str]:
    """Yield the path of each file in the site at *path* that is in none of its lists."""
    notes = os.path.join(path, marks.NOTES)
    own = {os.path.join(path, cacheentries.MARK)}
    for name in _names(notes):
        own.add(os.path.join(notes, name))
        if name.endswith(marks.LIST):
            with open(os.path.join(notes, name), encoding="utf-8", errors="surrogateescape", newline="") as stream:
                own |= {os.path.join(path, *member.split("/")) for member in stream.read().split("\0")}
    for folder, folders, files in os.walk(path):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*links, *files):
            other = os.path.join(folder, name)
            # Interpreters and tools write bytecode beside the sources, and write it again.
            is_bytecode = name.endswith(".pyc") and os.path.basename(folder) == "__pycache__"
            if other not in own and not is_bytecode:
                yield other


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _delete(path: str) -> bool:
    """Delete the file, link or folder at *path*, which is out of sight.  Return whether it is gone."""
    delete: Callable[[str], None] = os.unlink
    if os.path.isdir(path) and not os.path.islink(path):
        delete = shutil.rmtree
    try:
        delete(path)
    except OSError:  # a process that began earlier wrote into it, or another one deletes it, too
        shutil.rmtree(path, ignore_errors=True)
    return not os.path.lexists(path)


def _remove_left_overs(folder: str, now: float, result: Removal) -> None:
    """Remove what killed processes left behind, where it is too old to be anybody's."""
    for kind, item in _items(folder):
        for path in [item.path, *(_below(item) if _KINDS[kind].fullmatch(item.name) else ())]:
            status = _status(path) if _ASIDE.fullmatch(os.path.basename(path)) else None
            if status is not None and status.st_mtime < now - _DAY and _delete(path):
                result.left_overs.append(path)
