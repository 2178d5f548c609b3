"""Files of a bundle by name or path, with the errors of a file system."""

import os
from _frozen_importlib_external import decode_source

from .. import TRACING, bundles, faults, trace
from .. import archive as archives
from . import naming, reading, refreshing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..annotations import Location
    from ..archive import Archive
    from ..bundles import OpenBundle
    from .member import Member


def find(archive: "Archive", path: str) -> "Member | None":
    """Return the member at *path* ("pkg/data.txt"), or None if there is none.

    Raises:
        BundleFormatError: the index is damaged.

    """
    folder, _, name = path.rpartition("/")
    directory = archive.directory(folder)
    if directory is None or not name or name not in directory.names:
        return None
    return directory.member(name)


def read(archive: "Archive", member: "Member") -> bytes:
    """Return the content of *member*, checked against its size and CRC-32.

    Raises:
        BundleFormatError: the member is damaged or refused.

    """
    data: bytes = archive.retried(lambda: reading.read(archive.file, member))
    if TRACING:
        trace("read", path=archive.path, member=member.name, size=len(data))
    return data


def member_named(archive: "Archive", name: str, path: str) -> "Member":
    """Return the member *name*, with the errors of a file system.

    Arguments:
        archive: the archive that contains the member.
        name: the name of the member.
        path: the path that errors report.

    Raises:
        OSError: the member is missing (FileNotFoundError), or is a directory (IsADirectoryError).
        BundleFormatError: the index is damaged.

    """
    member = find(archive, name)
    if member is None:
        if archive.directory(name) is not None:
            raise IsADirectoryError(faults.numbers.EISDIR, "Is a directory", path)
        raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", path)
    return member


def read_named(archive: "Archive", name: str, path: str) -> bytes:
    """Return the content of the file *name*, with the errors of a file system.  Audit hooks receive *path*.

    Arguments and errors: as for `member_named`.
    """
    member = member_named(archive, name, path)
    archives.audit_open(path)
    return read(archive, member)


def name_at(archive: "Archive", path: str) -> str:
    """Return the member name for *path*: absolute and under the bundle or its site, or relative to the bundle.

    Raises:
        FileNotFoundError: the path is not in the bundle.
        TypeError: *path* is not a path.

    """
    path = os.fspath(path)
    place = archive.path if path.startswith(archive.path + os.sep) else bundles.locate_site(path)
    if place is None and os.path.isabs(path):
        raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", path)
    return bundles.inner_name(path[len(place or "") :])


def read_at(archive: "Archive", path: str) -> bytes:
    """Return the content of the file at *path* (see `name_at`).  Audit hooks receive the path.

    Raises:
        OSError: the file is missing, or is a directory (IsADirectoryError).
        TypeError: *path* is not a path.
        BundleFormatError: the file is damaged.

    """
    return read_named(archive, name_at(archive, path), os.path.join(archive.path, path))


def read_for(loader: "Any", path: str) -> bytes:
    """Return the result of ``get_data`` of a *loader* (PEP 302): as `read_at`, in the archive of the loader.

    Raises:
        OSError: the bundle has no such file.
        BundleFormatError: the file is damaged.  The error contains the name of the loader's module.

    """
    try:
        return read_at(loader.archive, path)
    except faults.kinds.BundleFormatError as error:
        error.name = loader.name
        raise


def missing(path: str, reason: str) -> FileNotFoundError:
    """Return the error for *path*, at which no file exists."""
    return FileNotFoundError(faults.numbers.ENOENT, reason, path)


def open_source(path: str) -> "str | None":
    """Return the decoded source of the file at *path*, or None if it is not in a bundle or cannot be read."""
    location = naming.locate(path)
    archive = bundles.open_bundle(location.bundle).archive if location is not None else None
    if location is None or archive is None:
        return None
    try:
        archives.audit_open(path)
        member = find(archive, location.inner)
        return decode_source(read(archive, member)) if member is not None else None
    except (ImportError, OSError, UnicodeDecodeError, SyntaxError):
        return None


def sound_bundle_at(path: "str | os.PathLike[str]") -> "tuple[OpenBundle, Location]":
    """Return the bundle that *path* is in, and the location of *path*.

    Raises:
        NotABundleError: neither *path* nor a parent of it is a zip archive named ``*.pybundle``.
        BundleFormatError: the bundle is damaged.
        TypeError: *path* is not a path.

    """
    text: Any = os.fspath(path)
    if not isinstance(text, str):
        message = "a path is needed, and not bytes: bundleimp.mount imports from bytes"
        raise TypeError(message)
    location = naming.locate(text)
    if location is None:
        message = "neither this path nor a parent of it is a file named *.pybundle"
        raise faults.kinds.NotABundleError(message, file=text)
    bundle = bundles.open_bundle(location.bundle, location.status)
    refreshing.check(bundle)
    return bundle, location
