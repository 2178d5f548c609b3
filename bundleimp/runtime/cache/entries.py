"""Entries of the cache: the folders directly below ``mirrors``, ``files`` and ``folders``, whose paths are handed out.

In each is a small file, the *mark*.  A process that uses an entry holds a shared lock on it until it ends, and who
removes an entry takes the exclusive one first: a running process never loses a file that it uses.  The mark says how
many bytes the other files had when the entry was made, and its time is that of the last use, to the day.  Loaded when
something first needs a real file.
"""

import os
import sys
import time

from .. import TRACING, content, faults, trace
from . import folder as cachefolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

MARK = ".bundleimp"
"""The name of the mark."""

_DAY = 24 * 60 * 60
# An entry may be removed between its making and its use, again and again; but for more than a few times, no chance.
_ATTEMPTS = 20

_errno = content.standard.standard_module("errno")  # it need not be loaded yet


class _Held:
    """A lock on a mark.  It goes with the interpreter that holds it, which may be one of several in the process."""

    __slots__ = ("descriptor", "mapping", "status")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.status = os.fstat(descriptor)
        self.mapping = _mapped(descriptor)

    def give_up(self) -> None:
        """Forget the descriptor where the program has closed it: it may be another lock's on the same mark soon."""
        if not self._is_ours():
            self.descriptor = -1

    def _is_ours(self) -> bool:
        try:
            return content.status.same_file(os.fstat(self.descriptor), self.status)
        except OSError:
            return False

    def __del__(self) -> None:
        # With the last interpreter ends the process, to its very end with the lock.
        if self._is_ours() and not sys.is_finalizing():
            os.close(self.descriptor)
        elif self.mapping is not None:
            # Up to Python 3.12, a mapping closes a descriptor of its own, which may be somebody else's by now, or keep
            # the lock that is to last to the end: it stays with `sys`, which goes last.
            vars(sys).setdefault("_bundleimp_mappings", []).append(self.mapping)


def _mapped(descriptor: int) -> "Any":
    """Return what keeps the lock on the file behind *descriptor* also where the program closes all descriptors.

    Daemons do.  On Linux a lock belongs to the opened file, which a mapping of it keeps open, too, also in a child.
    """
    if sys.platform != "linux":
        return None
    try:
        mmap = content.standard.standard_module("mmap")
        untracked = {"trackfd": False} if sys.version_info >= (3, 13) else {}
        return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ, **untracked)
    except (ImportError, OSError, ValueError):  # the mark may be empty: a cleaner took the one that had the size
        return None


# The locks that this interpreter holds, by entry.
_held: "dict[str, _Held]" = {}


def use(path: str, fill: "Callable[[str], int] | None" = None) -> bool:
    """Keep the entry at *path* for this process, making it where it is missing.  Return whether it is there.

    Arguments:
        path: the entry's folder.
        fill: writes what is in a new one into the folder that it is given, and returns how many bytes that is;
            what it raises goes through, and there is no entry then.

    """
    mark = os.path.join(path, MARK)
    held = _held.get(path)
    # A program may have closed all descriptors, and somebody may have removed the folder by hand.
    if held is not None and _is_at(held.descriptor, mark):
        return True
    if held is not None:
        held.give_up()
    for _ in range(_ATTEMPTS):
        try:
            descriptor = _open(mark)
        except FileNotFoundError:
            if not publish_folder(path, lambda folder: _fill(folder, fill)):
                return False
            continue
        except (OSError, ValueError):
            return False
        _lock(descriptor, exclusive=False)
        if _is_at(descriptor, mark):
            _note_use(descriptor, mark)  # before another thread can put its lock in the place of ours, which closes it
            _held[path] = _Held(descriptor)
            return True
        os.close(descriptor)  # removed while we waited
    return False


def set_aside(path: str) -> "str | None":
    """Take the entry at *path* out of sight.  Return where it is then, to be deleted; None where a process uses it.

    A link is removed at once, not what it leads to.

    Raises:
        OSError: it cannot be taken away, or is not there (FileNotFoundError).

    """
    aside = cachefolder.aside_of(path)
    folder = os.lstat(path).st_mode & 0o170000 == 0o040000
    mark = _mark_to_lock(path, folder=folder)
    descriptor = _open(mark, os.O_RDWR) if mark is not None else None  # NFS gives the lock only to who may write
    try:
        if mark is not None and descriptor is not None:
            if not _lock(descriptor, exclusive=True):
                return None
            if not _is_at(descriptor, mark):
                raise FileNotFoundError(faults.numbers.ENOENT, "No such entry any more", path)
        if folder:
            os.rename(path, aside)
        else:
            os.unlink(path)  # which takes no folder that was made here meanwhile
    except PermissionError:
        if os.name == "nt":  # a file in it is open
            return None
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return aside


def _mark_to_lock(path: str, *, folder: bool) -> "str | None":
    """Return the mark that a user of the entry at *path* has a lock on; None where there can be none."""
    mark = os.path.join(path, MARK)
    # A mark that is a link is nobody's, and none is made on the other side of a link.
    if _fcntl() is None or os.path.islink(mark) or not (folder or os.path.exists(mark)):
        return None
    return mark


def announced_size(path: str) -> int:
    """Return how many bytes the files of the entry at *path* had when it was made, beside the mark.

    Raises:
        OSError, ValueError: the mark is damaged.

    """
    with open(os.path.join(path, MARK), "rb") as stream:
        return int(stream.read())


def announce_size(path: str, size: int) -> None:
    """Make the mark of the entry at *path*, which this process uses, say *size*.

    It stays the same file, for the locks that others have on it.

    Raises:
        OSError: that is impossible.

    """
    with open(os.path.join(path, MARK), "r+b") as stream:
        stream.write(str(size).encode())
        stream.truncate()


def publish_folder(path: str, fill: "Callable[[str], object]") -> bool:
    """Make the folder *path*, whole or not at all, and the folders above it.  Return whether it is there.

    Arguments:
        path: where it shall be.
        fill: writes what is in it into the folder that it is given; what it raises goes through, but for OSError.

    """
    aside = cachefolder.aside_of(path)
    try:
        cachefolder.make_folders(aside)
        try:
            fill(aside)
            wrote = _take_place(aside, path)
        except BaseException:
            try:
                _remove_folder(aside)
            except OSError:  # it has taken its place already, or cannot be removed
                pass
            raise
        if not wrote:
            _remove_folder(aside)
    except (OSError, ValueError) as error:
        if TRACING:
            trace(f"cache: cannot write {path}: {error}")
        return False
    if wrote and TRACING:
        trace(f"cache: wrote {path}")
    return True


def _take_place(aside: str, path: str) -> bool:
    """Rename the folder *aside* to *path*; return False where another process was faster."""
    try:
        os.rename(aside, path)
    except OSError as error:
        # It may be gone again already, so that one cannot ask whether it is there.
        if error.errno in {_errno.EEXIST, _errno.ENOTEMPTY}:
            return False
        raise
    return True


def _fill(folder: str, fill: "Callable[[str], int] | None") -> None:
    size = fill(folder) if fill is not None else 0
    cachefolder.write(os.path.join(folder, MARK), str(size).encode())


def _remove_folder(path: str) -> None:
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*folders, *files):
            whole = os.path.join(folder, name)
            if os.path.isdir(whole) and not os.path.islink(whole):
                os.rmdir(whole)
            else:
                os.unlink(whole)
    os.rmdir(path)


def _open(mark: str, how: int = os.O_RDONLY) -> int:
    """Return a descriptor of the *mark*, made where only that is missing; never by a link, or behind one."""
    flags = getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(mark, how | flags)
    except FileNotFoundError:  # there is no entry, or a cleaner of old files took the mark out of it
        if os.path.islink(os.path.dirname(mark)):
            raise
        return os.open(mark, os.O_RDWR | os.O_CREAT | flags, 0o600)


def _fcntl() -> "ModuleType | None":
    """Return the module with the locks; None on Windows, where a folder with an open file cannot be removed."""
    try:
        return content.standard.standard_module("fcntl")
    except ImportError:
        return None


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    """Lock the file behind *descriptor*, and wait for that unless *exclusive*.  Return whether that worked."""
    fcntl = _fcntl()
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:  # it is in use; or the file system has no locks, and nobody gets an exclusive one
        return False
    return True


def _is_at(descriptor: int, path: str) -> bool:
    """Return whether the file behind *descriptor* is the one at *path*."""
    try:
        return content.status.same_file(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _note_use(descriptor: int, mark: str) -> None:
    """Set the time of the *mark*, at most once a day: a process that starts need not write for it."""
    if abs(time.time() - os.fstat(descriptor).st_mtime) > _DAY:
        try:
            os.utime(mark)
        except OSError:  # a cache that can only be read
            pass
