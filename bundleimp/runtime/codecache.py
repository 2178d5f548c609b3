"""Bytecode that is not embedded: pyc images beside their source in a plain zip, and those in the user's cache.

A cached file is an ordinary pyc (PEP 552, PEP 3147) with a trailer: the archive's key and a CRC-32.  The key makes
bytecode of another version of the bundle worthless, the checksum that of a broken disk.  ``marshal`` stops before it.
"""

import _imp
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER
from _io import open_code

from . import cachefolder
from .archive import code_tag
from .codec import crc32
from .errors import TRACING, trace
from .format import local_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .archive import Archive
    from .format import Directory, Member
    from .zipdirectory import ListedDirectory

_HEADER = 16
_TRAILER = 20
_HASH_BASED = 0b01
_CHECK_SOURCE = 0b10


def _location(archive: "Archive", member: "Member", bytecode_path: str, *, create: bool) -> "str | None":
    if sys.pycache_prefix is not None:
        return bytecode_path
    root = cachefolder.folder(create=create)
    if root is None:
        return None
    folder = os.path.dirname(member.name)
    return os.path.join(root, "code", archive.key, folder, os.path.basename(bytecode_path))


def load(archive: "Archive", member: "Member", bytecode_path: str) -> "bytes | None":
    """Return the cached pyc image of the source *member*, or None where there is no sound one.

    Arguments:
        archive: the archive that holds the source.
        member: the source.
        bytecode_path: what `importlib.util.cache_from_source` gives for the source's path.

    """
    path = _location(archive, member, bytecode_path, create=False)
    if path is None:
        return None
    try:
        with open_code(path) as stream:
            data = stream.read()
    except (OSError, ValueError):
        return None
    body = data[:-4]
    if len(data) < _HEADER + _TRAILER or crc32(body).to_bytes(4, "little") != data[-4:]:
        if TRACING:
            trace(f"cache: refused {path}: it is damaged")
        return None
    if body[-16:].hex() != archive.key:
        if TRACING:
            trace(f"cache: refused {path}: it belongs to another bundle")
        return None
    return data[:-_TRAILER]


def store(archive: "Archive", member: "Member", bytecode_path: str, image: bytes) -> None:
    """Write a pyc *image* to the cache; where that is impossible, nothing happens.

    Arguments: as of `load`, and the image.
    """
    path = _location(archive, member, bytecode_path, create=True)
    if path is not None:
        body = bytes(image) + bytes.fromhex(archive.key)
        cachefolder.publish(path, body + crc32(body).to_bytes(4, "little"))


def beside(archive: "Archive", directory: "Directory | ListedDirectory", source: "Member") -> "bytes | None":
    """Return the pyc image that stands in the archive beside the *source* member, or None where no valid one does.

    It may be ``mod.pyc`` or ``__pycache__/mod.<tag>.pyc``.  Its times have steps of two seconds in a zip, so a
    difference of one second is none; the image returned carries the source's own time.

    Raises:
        BundleFormatError: the member that holds it is damaged.

    """
    stem = source.name[len(directory.prefix) :].rpartition(".")[0]
    pycache = archive.directory(directory.prefix + "__pycache__")
    for place, name in ((directory, f"{stem}.pyc"), (pycache, f"{stem}.{code_tag()}.pyc")):
        if place is not None and name in place.names:
            image = _valid(archive.read(place.member(name)), archive, source)
            if image is not None:
                return image
    return None


def _valid(image: bytes, archive: "Archive", source: "Member") -> "bytes | None":
    if len(image) < _HEADER or image[:4] != MAGIC_NUMBER:
        return None
    flags = int.from_bytes(image[4:8], "little")
    if flags & ~(_HASH_BASED | _CHECK_SOURCE):
        return None
    if flags & _HASH_BASED:
        mode = _imp.check_hash_based_pycs
        if mode == "always" or (mode == "default" and flags & _CHECK_SOURCE):
            token = int.from_bytes(MAGIC_NUMBER, "little")
            if _imp.source_hash(token, archive.read(source)) != image[8:16]:
                return None
        return image
    mtime = local_seconds(source.stamp)
    size = int.from_bytes(image[12:16], "little")
    if abs(int.from_bytes(image[8:12], "little") - mtime) > 1 or size != source.size & 0xFFFFFFFF:
        return None
    return image[:8] + mtime.to_bytes(4, "little") + image[12:]
