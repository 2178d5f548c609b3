"""Reads at an offset on platforms without ``os.pread``."""

import _thread
import os

# A signal handler may read, too, in the middle of a read.
_lock = _thread.RLock()


def pread(descriptor: int, size: int, offset: int) -> bytes:
    """Return at most *size* bytes at *offset* of the file behind *descriptor*, as ``os.pread`` does."""
    with _lock:
        while True:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, size)
            if os.lseek(descriptor, 0, os.SEEK_CUR) == offset + len(data):
                return data
