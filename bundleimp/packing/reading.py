"""Reads source files, which may change, vanish or become something else meanwhile: what comes is whole, or an error."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..runtime.format import LOCATOR_MAGIC, LOCATOR_SIZE, SUFFIXES
from .errors import PackError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator


def _open(path: str, flags: int) -> int:
    # Opening what has become a FIFO would wait for somebody who writes to it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _changed(path: str | os.PathLike[str]) -> PackError:
    message = "changed while it was read; pack again, or leave it out with --exclude"
    return PackError(message, file=os.fspath(path))


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a source file; on leaving, make sure that it is as it was.

    Raises:
        PackError: it cannot be opened, is no regular file, or has another size or time on leaving than before.

    """
    try:
        stream = open(path, "rb", opener=_open)  # noqa: SIM115 (an error here is another one than within)
    except OSError as error:
        raise unreadable(error, path) from None
    with stream:
        before = os.fstat(stream.fileno())
        if not stat.S_ISREG(before.st_mode):
            message = "is no longer a file; pack again, or leave it out with --exclude"
            raise PackError(message, file=os.fspath(path))
        yield stream
        after = os.fstat(stream.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise _changed(path)


def read(path: str | os.PathLike[str], size: int = -1) -> bytes:
    """Return the content of a source file, or its first *size* bytes.

    Raises:
        PackError: it cannot be read, or changes meanwhile.

    """
    with opened(path) as stream:
        length = os.fstat(stream.fileno()).st_size
        try:
            # No more than one byte more, lest a file that somebody writes to goes on for ever.
            data = stream.read(length + 1 if size < 0 else min(size, length + 1))
        except OSError as error:
            raise unreadable(error, path) from None
        if len(data) > length:
            raise _changed(path)
        return data


def has_bundle_name(path: str | os.PathLike[str]) -> bool:
    """Return whether a file has the name of a bundle: one of `SUFFIXES`, and something before it."""
    name = Path(path).name
    return name.endswith(SUFFIXES) and name not in SUFFIXES


def is_bundle(path: str) -> bool:
    """Return whether a regular file ends as bundles do.

    Raises:
        PackError: it cannot be read.

    """
    with opened(path) as stream:
        if stream.seek(0, os.SEEK_END) < LOCATOR_SIZE:
            return False
        stream.seek(-LOCATOR_SIZE, os.SEEK_END)
        return stream.read(len(LOCATOR_MAGIC)) == LOCATOR_MAGIC
