"""Bundles that were fetched from a URL: the entries of the cache for `bundleimp.fetching`.

The name of an entry is the SHA-256 of the file in it.  A note beside the file has the status that it had when its
digest was computed.
"""

import os

from .. import format as bundle_format
from . import folder as cachefolder

FOLDER = "fetched"
CHECKED = "checked"
_PIN = "#sha256="
_DIGEST_SIZE = 64


def note_of(status: os.stat_result) -> bytes:
    """Return the note for a file with this *status*."""
    return f"{status.st_size} {status.st_mtime_ns}\n".encode()


def pin_of(url: str) -> str:
    """Return the digest that *url* names in its fragment, in lower case; "" if it names none."""
    pin = url.rpartition(_PIN)[2].lower() if _PIN in url else ""
    return pin if len(pin) == _DIGEST_SIZE and not pin.strip("0123456789abcdef") else ""


def path_of(pin: str) -> "str | None":
    """Return the path of the file with the digest *pin*, if it was checked and is as it was then; else None.

    The entry is not locked: who imports from the file keeps it open.
    """
    root = cachefolder.folder(create=False) if pin else None
    if root is None:
        return None
    entry = os.path.join(root, FOLDER, pin)
    try:
        names = [name for name in os.listdir(entry) if name.endswith(bundle_format.SUFFIX)]
        with open(os.path.join(entry, CHECKED), "rb") as stream:
            note = stream.read()
        path = os.path.join(entry, min(names, default=""))
        if note_of(os.stat(path)) != note:
            return None
    except OSError:
        return None
    return path
