"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress


def write_whole(content: bytes, output: str) -> None:
    """Put a file with this *content* at *output*, in the place of an older one; it appears whole or not at all.

    Raises:
        OSError: it cannot be written.

    """
    descriptor, aside = tempfile.mkstemp(dir=os.path.dirname(output) or ".", prefix=".bundleimp-", suffix=".tmp")
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
