"""Cached bytecode of sources that have no embedded bytecode.

A cached file is an ordinary pyc (PEP 552, PEP 3147) with a trailer: the archive's key and a CRC-32.  The key rejects
bytecode of another version of the bundle.  The checksum covers the file, its name and the member's.  So it rejects
bytecode that a broken disk has damaged, or that was swapped with that of another module.  ``marshal`` stops before the
trailer.
"""

import os
import sys
from _io import open_code

from .. import TRACING, bundlefile, content, trace
from . import folder as cachefolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..content.member import Member

_HEADER = 16
_TRAILER = 20


def _location(archive: "Archive", member: "Member", bytecode_path: str, *, create: bool) -> "str | None":
    if sys.pycache_prefix is not None:
        return bytecode_path
    root = cachefolder.folder(create=create)
    if root is None:
        return None
    folder = os.path.dirname(member.name)
    return os.path.join(root, "code", archive.key, folder, os.path.basename(bytecode_path))


def load(archive: "Archive", member: "Member", bytecode_path: str) -> "bytes | None":
    """Return the cached pyc image of the source *member*, or None if the cache has no valid one.

    Arguments:
        archive: the archive that contains the source.
        member: the source.
        bytecode_path: the result of `importlib.util.cache_from_source` for the source's path.

    """
    path = _location(archive, member, bytecode_path, create=False)
    if path is None:
        return None
    try:
        with bundlefile.retried(open_code, path) as stream:
            data: bytes = stream.read()
    except (OSError, ValueError):
        if TRACING:
            trace("cache-miss", path=path, member=member.name)
        return None
    body = data[:-4]
    if len(data) < _HEADER + _TRAILER or _checksum(body, member, path) != data[-4:]:
        if TRACING:
            trace("cache-refused", path=path, member=member.name, reason="it is damaged, or belongs to another module")
        return None
    if body[-16:].hex() != archive.key:
        if TRACING:
            trace("cache-refused", path=path, member=member.name, reason="it belongs to another bundle")
        return None
    if TRACING:
        trace("cache-hit", path=path, member=member.name, size=len(data))
    return data[:-_TRAILER]


def store(archive: "Archive", member: "Member", bytecode_path: str, image: bytes) -> None:
    """Write a pyc *image* to the cache.  If the cache cannot be written, do nothing.

    Arguments: as for `load`, and the image.
    """
    path = _location(archive, member, bytecode_path, create=True)
    if path is not None:
        body = bytes(image) + bytes.fromhex(archive.key)
        cachefolder.publish(path, body + _checksum(body, member, path))


def _checksum(body: bytes, member: "Member", path: str) -> bytes:
    names = f"{member.name}\0{os.path.basename(path)}".encode("utf-8", "surrogateescape")
    return content.decompression.crc32(body + names).to_bytes(4, "little")
