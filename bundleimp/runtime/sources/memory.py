"""Files in memory: what a `BundleFile` is where the bytes of a bundle are in no file."""

import os

from .. import bundlefile, bundles
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundlefile import BundleFile


def path_of(name: str) -> str:
    """Return the path for the bundle or mapping *name*: below a file, where no file can be."""
    return os.path.join(bundles.absolute(os.devnull), name + bundle_format.SUFFIX)


def is_path(path: str) -> bool:
    """Return whether *path* is, or is below, a path that `path_of` gives in some process."""
    return path.startswith(path_of("").removesuffix(bundle_format.SUFFIX))


def status_of(size: int) -> os.stat_result:
    """Return the status of a file in memory with *size* bytes: a regular file that nobody can write to."""
    return os.stat_result((0o100444, 0, 0, 1, 0, 0, size, 0, 0, 0))


def file_of(path: str, data: bytes) -> "BundleFile":
    """Return the file that has the bytes *data*, and is named *path*."""
    file = object.__new__(bundlefile.BundleFile)
    file.path, file.content, file.size = path, data, len(data)
    file.descriptor, file.signers, file.status = -1, None, status_of(len(data))
    return file
