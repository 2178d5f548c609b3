"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress

from .runtime.faults.kinds import BundleError


def write_whole(content: bytes, output: str) -> None:
    """Write *content* to the file *output*, whole or not at all.  An existing file is replaced.

    A link stays a link.  A device or a pipe, such as ``/dev/stdout``, is written to.

    Raises:
        BundleError: the file cannot be written.

    """
    try:
        _write(content, output)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise BundleError(message, file=output) from None


def _write(content: bytes, output: str) -> None:
    if _is_special(output):
        with open(output, "wb") as special:
            special.write(content)
        return
    output = os.path.realpath(output)
    descriptor, aside = tempfile.mkstemp(dir=os.path.dirname(output), prefix=".bundleimp-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(aside, 0o666 & ~mask)
        os.replace(aside, output)
    finally:
        with suppress(FileNotFoundError):  # it is in its place by then
            os.unlink(aside)


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False
