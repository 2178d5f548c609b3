"""Bytecode that a plain zip contains beside its source."""

import _imp
from _frozen_importlib_external import MAGIC_NUMBER

from .. import archive as archives
from .. import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..content.member import Member
    from ..format import Directory
    from .zipdirectory import ListedDirectory

_HEADER = 16
_HASH_BASED = 0b01
_CHECK_SOURCE = 0b10


def beside(archive: "Archive", directory: "Directory | ListedDirectory", source: "Member") -> "bytes | None":
    """Return the pyc image that the archive contains beside the *source* member, or None if none is valid.

    The image may be ``mod.pyc`` or ``__pycache__/mod.<tag>.pyc``.  Times in a zip have steps of two seconds, so a
    difference of one second is ignored.  The returned image contains the source's own time.

    Raises:
        BundleFormatError: the member with the image is damaged.

    """
    stem = source.name[len(directory.prefix) :].rpartition(".")[0]
    pycache = archive.directory(directory.prefix + "__pycache__")
    for place, name in ((directory, f"{stem}.pyc"), (pycache, f"{stem}.{archives.code_tag()}.pyc")):
        if place is not None and name in place.names:
            image = _valid(content.files.read(archive, place.member(name)), archive, source)
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
            if _imp.source_hash(token, content.files.read(archive, source)) != image[8:16]:
                return None
        return image
    mtime = content.member.local_seconds(source.stamp)
    size = int.from_bytes(image[12:16], "little")
    if abs(int.from_bytes(image[8:12], "little") - mtime) > 1 or size != source.size & 0xFFFFFFFF:
        return None
    return image[:8] + mtime.to_bytes(4, "little") + image[12:]
