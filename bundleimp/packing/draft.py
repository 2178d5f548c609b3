"""The output while it is written: a temporary file beside it, which replaces it when it is complete.

An error, an interrupt or the end of the process removes the draft.  SIGKILL leaves it.  The next `pack` to the same
output removes each draft that no process has locked.
"""

from __future__ import annotations

import importlib
import os
import weakref
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

_fcntl: ModuleType | None
try:
    _fcntl = importlib.import_module("fcntl")
except ImportError:  # on Windows, where nobody can remove an open file
    _fcntl = None

_SUFFIX = ".tmp"


class Draft:
    """A file that is to take the place of another.

    Attributes:
        file: the file, open for writing and reading.

    """

    def __init__(self, output: Path) -> None:
        """Make the file beside *output*; remove what processes that were killed have left there.

        Raises:
            OSError: its folder cannot be written to.

        """
        self._output = output
        # Not the output's name, which may already have the maximum length.
        prefix = f".bundleimp-{zlib.crc32(os.fsencode(output.name)):08x}-"
        _remove_abandoned(output.parent, prefix)
        while True:
            self._path = output.with_name(f"{prefix}{os.urandom(8).hex()}{_SUFFIX}")
            # Before the file exists, so that an interrupt leaves no file.
            self._discard = weakref.finalize(self, _remove, self._path)
            self.file = _create(self._path)
            if _lock(self.file.fileno(), wait=True) and os.path.lexists(self._path):
                break
            self.file.close()  # another process took it for abandoned before it was locked

    def place(self, mode: int) -> None:
        """Put the file in the place of the output, with what the umask leaves of *mode* as its permissions."""
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(self._path, mode & ~mask)
        self.file.flush()
        os.fsync(self.file.fileno())
        if _fcntl is None:
            self.file.close()
        os.replace(self._path, self._output)  # while it is locked, where it can be
        self.file.close()

    def discard(self) -> None:
        """Close the file, and remove it where it is not in its place."""
        with suppress(OSError):  # buffered data is discarded
            self.file.close()
        self._discard()


def _create(path: Path) -> BinaryIO:
    return open(path, "x+b", opener=lambda name, flags: os.open(name, flags, 0o600))


def _remove(path: Path) -> None:
    with suppress(OSError):  # it is in its place by then
        os.unlink(path)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock a file until it is closed; return False where another process has locked it."""
    if _fcntl is None:
        return True
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | (0 if wait else _fcntl.LOCK_NB))
    except OSError:
        return wait  # a file system without locks: what is left there stays
    return True


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the drafts in *folder* that nobody has locked; one that cannot be removed is no error."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(prefix) and name.endswith(_SUFFIX):
                _remove_if_abandoned(folder / name)


def _remove_if_abandoned(path: Path) -> None:
    if _fcntl is None:
        _remove(path)
        return
    with suppress(OSError):
        # In a folder that others write to, there may be anything of that name.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            if _lock(descriptor, wait=False):
                os.unlink(path)  # while it is locked: its maker checks afterwards that it still exists
        finally:
            os.close(descriptor)
