"""Locks between processes that want the same file, so that one fetches it and the others wait.

A lock is a small file, locked with ``flock``.  The system releases the lock of a killed process.  Where the platform or
the file system has no locks, each process fetches.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..runtime.content.status import same_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Deadline

_PAUSE = 0.02  # seconds between two looks at a lock that another process holds


@contextmanager
def held(path: str, deadline: Deadline) -> Iterator[None]:
    """Hold the lock at *path*.

    Arguments:
        path: the lock's file, which is made, and removed afterwards.
        deadline: until when to wait for it.

    Raises:
        OutOfTimeError: another process held it for too long.

    """
    descriptor = _acquired(path, deadline)
    try:
        yield
    finally:
        if descriptor is not None:
            _release(path, descriptor)


def _acquired(path: str, deadline: Deadline) -> int | None:
    try:
        import fcntl  # noqa: PLC0415 (Windows has none)
    except ImportError:
        return None
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError:  # the cache is read-only: what has to be written will say so
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if same_file(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:  # its last holder has just removed it
            pass
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                os.close(descriptor)
                return None  # the file system has no locks
            os.close(descriptor)
            time.sleep(min(_PAUSE, deadline.left()))
            continue
        os.close(descriptor)


def _release(path: str, descriptor: int) -> None:
    import fcntl  # noqa: PLC0415 (the lock was made with it)

    with suppress(OSError):
        os.unlink(path)  # while it is locked: a process that waits for it sees that, and makes another
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # a child process may have a copy of the descriptor
    os.close(descriptor)
