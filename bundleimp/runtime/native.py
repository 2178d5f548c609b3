"""Members that the platform needs as real files: published in the cache under the bundle's key, once."""

import os

from . import cachefolder
from .codec import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .archive import Archive
    from .format import Member


def real_file(archive: "Archive", member: "Member") -> "str | None":
    """Return the path of a real file with the content of *member*, or None where no cache can be written.

    The file keeps its name, stays valid, and is shared by all processes.

    Raises:
        BundleFormatError: the member is damaged.

    """
    root = cachefolder.folder(create=True)
    if root is None:
        return None
    path = os.path.join(root, "files", archive.key, *member.name.split("/"))
    try:
        with open(path, "rb") as stream:
            data: bytes | None = stream.read()
    except OSError:
        data = None
    if data is not None and len(data) == member.size and crc32(data) == member.crc:
        return path
    return path if cachefolder.publish(path, archive.read(member), 0o700) else None
