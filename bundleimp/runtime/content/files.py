"""Files of a bundle by name or path, with the errors of a file system."""

import os
from _frozen_importlib_external import decode_source

from .. import archive as archives
from .. import bundles, faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..archive import Archive
    from ..content.member import Member


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
    member = archive.member(name)
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
    return archive.read(member)


def name_at(archive: "Archive", path: str) -> str:
    """Return the member name for *path*: absolute and under the bundle or a mirror, or relative to the bundle.

    Raises:
        FileNotFoundError: the path is not in the bundle.
        TypeError: *path* is not a path.

    """
    path = os.fspath(path)
    place = archive.path if path.startswith(archive.path + os.sep) else bundles.locate_mirrored(path)
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
    location = bundles.locate(path) if bundle_format.SUFFIX in path else None
    archive = bundles.open_bundle(location.bundle).archive if location is not None else None
    if location is None or archive is None:
        return None
    try:
        archives.audit_open(path)
        member = archive.member(location.inner)
        return decode_source(archive.read(member)) if member is not None else None
    except (ImportError, OSError, UnicodeDecodeError, SyntaxError):
        return None
