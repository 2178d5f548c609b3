"""Cache entries: the folders directly below ``sites``, ``files`` and ``folders``, whose paths programs receive.

Each entry contains a small file, the *mark*.  A process that uses an entry holds a shared lock on its mark until the
process ends.  A process that removes an entry takes the exclusive lock first, so a running process never loses a file
that it uses.  The mark's modification time is the time of the last use, to the day.  This module is loaded when
something first needs a real file.
"""

import os
import sys
import time

from .. import TRACING, bundlefile, content, faults, trace
from . import folder as cachefolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

MARK = ".bundleimp"
"""The name of the mark."""

_DAY = 24 * 60 * 60
# Other processes may remove an entry repeatedly between its creation and its use.  More than a few times is unlikely.
_ATTEMPTS = 20
# What makes a mapping that has no descriptor of its own.
_UNTRACKED = {"trackfd": False} if sys.version_info >= (3, 13) else {}

_errno = content.standard.standard_module("errno")  # it need not be loaded yet


class _Held:
    """A lock on a mark, held by one interpreter.  A process may have several interpreters, each with its own locks."""

    __slots__ = ("descriptor", "mapping", "status")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.status = os.fstat(descriptor)
        self.mapping = _mapped(descriptor)

    def give_up(self) -> None:
        """Forget the descriptor if the program has closed it.  A new lock on the same mark may soon get its number."""
        if not self._is_ours():
            self.descriptor = -1

    def rest(self) -> bool:
        """Close the descriptor.  Return whether the lock is still held, by a mapping that has no descriptor."""
        if self.mapping is None or not _UNTRACKED or not self._is_ours():
            return False
        os.close(self.descriptor)
        self.descriptor = -1
        return True

    def _is_ours(self) -> bool:
        try:
            present = os.fstat(self.descriptor)
        except OSError:
            return False
        # Call no function of another module: at the end of the process, that module may already be cleared.
        return (present.st_dev, present.st_ino) == (self.status.st_dev, self.status.st_ino)

    def __del__(self) -> None:
        # When the last interpreter ends, keep the lock: it must last until the very end of the process.
        if self._is_ours() and not sys.is_finalizing():
            os.close(self.descriptor)
        elif self.mapping is not None:
            # Up to Python 3.12, a mapping closes its own descriptor when it is deleted.  By then the number may belong
            # to another file, or to the lock that must last until the end.  `sys` keeps the mapping, because `sys` is
            # cleared last.
            vars(sys).setdefault("_bundleimp_mappings", []).append(self.mapping)


def _mapped(descriptor: int) -> "Any":
    """Return a mapping that keeps the lock on the file behind *descriptor*, or None if that is not possible.

    Daemons close all their descriptors.  On Linux, a lock belongs to the opened file.  A mapping keeps that file open,
    in a child process, too.
    """
    if sys.platform != "linux":
        return None
    try:
        mmap = content.standard.standard_module("mmap")
        return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ, **_UNTRACKED)
    except (ImportError, OSError, ValueError):  # the mark may be empty: a cleaner removed the first one
        return None


# The locks that this interpreter holds, by entry.
_held: "dict[str, _Held]" = {}


def give_up() -> bool:
    """Close the descriptors of all locks.  Return whether there were any.

    On Linux, from Python 3.13 on, the locks stay.  Elsewhere, they end with the descriptors.  Another process may then
    remove an entry that this process has not used today.
    """
    found = False
    for path, held in list(_held.items()):
        if held.descriptor >= 0:
            found = True
            if not held.rest():
                _held.pop(path, None)
    return found


bundlefile.givers.append(give_up)


def use(path: str, fill: "Callable[[str], object] | None" = None) -> bool:
    """Reserve the entry at *path* for this process.  Make the entry if it is missing.  Return whether it exists.

    Arguments:
        path: the entry's folder.
        fill: writes the content of a new entry into the given folder.  If it raises an exception, no entry is made.
            Exceptions other than OSError and ValueError propagate.

    """
    mark = os.path.join(path, MARK)
    held = _held.get(path)
    # The program may have closed all descriptors, or the user may have removed the folder.
    if held is not None and _is_at(held.descriptor, mark):
        return True
    if held is not None:
        held.give_up()
    for _ in range(_ATTEMPTS):
        try:
            descriptor = bundlefile.retried(_open, mark)
        except FileNotFoundError:
            if not publish_folder(path, lambda folder: _fill(folder, fill)):
                return False
            continue
        except (OSError, ValueError):
            return False
        descriptor = bundlefile.spared(descriptor)
        _lock(descriptor, exclusive=False)
        if _is_at(descriptor, mark):
            _note_use(descriptor, mark)  # before another thread replaces and closes our lock
            if bundlefile.is_among_last(descriptor):
                os.close(descriptor)  # the program needs it more than the lock: only `prune` would wait for that
            else:
                _held[path] = _Held(descriptor)
            return True
        os.close(descriptor)  # another process removed it while we waited
    return False


def set_aside(path: str, check: "Callable[[str], None] | None" = None) -> "str | None":
    """Rename the entry at *path* to a temporary name.  Return the new path, or None if a process uses the entry.

    The caller deletes the renamed entry.  If *path* is a link, only the link is removed, at once.

    Arguments:
        path: the entry's folder.
        check: called with *path* if no process uses the entry; raises OSError if the entry must stay.

    Raises:
        OSError: the entry cannot be moved or removed, or must stay.  FileNotFoundError: it does not exist.

    """
    aside = cachefolder.aside_of(path)
    folder = os.lstat(path).st_mode & 0o170000 == 0o040000
    mark = _mark_to_lock(path, folder=folder)
    descriptor = _open(mark, os.O_RDWR) if mark is not None else None  # NFS gives an exclusive lock only to writers
    try:
        if mark is not None and descriptor is not None:
            if not _lock(descriptor, exclusive=True):
                return None
            if not _is_at(descriptor, mark):
                raise FileNotFoundError(faults.numbers.ENOENT, "No such entry any more", path)
        if folder:
            if check is not None:
                check(path)
            os.rename(path, aside)
        else:
            os.unlink(path)  # fails if another process made a folder here meanwhile
    except PermissionError:
        if os.name == "nt":  # a file in the entry is open
            return None
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return aside


def _mark_to_lock(path: str, *, folder: bool) -> "str | None":
    """Return the mark that users of the entry at *path* lock, or None if no user can have a lock."""
    mark = os.path.join(path, MARK)
    # No process locks a mark that is a link, or a mark behind a link.
    if _fcntl() is None or os.path.islink(mark) or not (folder or os.path.exists(mark)):
        return None
    return mark


def publish_folder(path: str, fill: "Callable[[str], object]") -> bool:
    """Make the folder *path* as a whole or not at all, and its parents.  Return whether the folder exists.

    Arguments:
        path: the path of the new folder.
        fill: writes the content into the given folder.  Its exceptions propagate, except OSError and ValueError.

    """
    aside = cachefolder.aside_of(path)
    try:
        cachefolder.make_folders(aside)
        try:
            fill(aside)
            wrote = _take_place(aside, path)
        except BaseException:
            try:
                remove_folder(aside)
            except OSError:  # the folder was renamed already, or cannot be removed
                pass
            raise
        if not wrote:
            remove_folder(aside)
    except (OSError, ValueError) as error:
        cachefolder.failed(f"write {path}", error)
        return False
    if wrote and TRACING:
        trace("cache-wrote", path=path)
    return True


def _take_place(aside: str, path: str) -> bool:
    """Rename the folder *aside* to *path*.  Return False if another process was faster."""
    try:
        os.rename(aside, path)
    except OSError as error:
        # Check the error, not the path: the other process's folder may already have been removed again.
        if error.errno in {_errno.EEXIST, _errno.ENOTEMPTY}:
            return False
        raise
    return True


def _fill(folder: str, fill: "Callable[[str], object] | None") -> None:
    if fill is not None:
        fill(folder)
    cachefolder.write(os.path.join(folder, MARK), b"bundleimp", 0o644)  # an empty file cannot be mapped


def remove_folder(path: str) -> None:
    """Delete the folder *path* and all that is in it.  Links are not followed.  Raise OSError if that fails."""
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*folders, *files):
            whole = os.path.join(folder, name)
            if os.path.isdir(whole) and not os.path.islink(whole):
                os.rmdir(whole)
            else:
                os.unlink(whole)
    os.rmdir(path)


def _open(mark: str, how: int = os.O_RDONLY) -> int:
    """Return a descriptor of the *mark*.  Make the mark if only the mark is missing.  Do not follow links."""
    flags = getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(mark, how | flags)
    except FileNotFoundError:  # there is no entry, or a cleaner of old files removed its mark
        if os.path.islink(os.path.dirname(mark)):
            raise
        return os.open(mark, os.O_RDWR | os.O_CREAT | flags, 0o644)


def _fcntl() -> "ModuleType | None":
    """Return `fcntl`, or None on Windows, where a folder with an open file cannot be removed."""
    find = content.standard.standard_module  # outside of `try`: its own ImportError must propagate
    try:
        return find("fcntl")
    except ImportError:
        return None


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    """Lock the file behind *descriptor*, without waiting if *exclusive*.  Return whether that worked."""
    fcntl = _fcntl()
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH)
    except OSError:  # it is in use, or the file system has no locks and never grants an exclusive one
        return False
    return True


def _is_at(descriptor: int, path: str) -> bool:
    """Return whether the file behind *descriptor* is the one at *path*."""
    try:
        return content.status.same_file(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _note_use(descriptor: int, mark: str) -> None:
    """Set the time of the *mark* to now, at most once a day: most starts of a process then write nothing."""
    if abs(time.time() - os.fstat(descriptor).st_mtime) > _DAY:
        try:
            os.utime(mark)
        except OSError:  # the cache is read-only
            pass
