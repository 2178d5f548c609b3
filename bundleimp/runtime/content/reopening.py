"""Find out why a read of an open file failed."""

import os

from .. import faults
from . import opening, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..bundlefile import BundleFile


def reopen(archive: "Archive", file: "BundleFile", error: ImportError) -> None:
    """Reopen the *file* of *archive* if a read failed with *error* because its descriptor was closed.

    The program has closed it, or it was given up.  If another thread has replaced the file meanwhile, do nothing.

    Raises:
        BundleChangedError: the file has changed.
        BundleUnreadableError: the file cannot be opened: the program has taken all descriptors.
        ImportError: *error*, if another attempt would fail in the same way.

    """
    if archive.file is not file and isinstance(error, faults.kinds.BundleFormatError):
        return
    fresh = None
    if isinstance(error, faults.kinds.BundleFormatError):
        if not isinstance(error, faults.kinds.BundleChangedError):
            fresh = reopened(file)
        error.file = error.path = archive.path
    if fresh is None:
        raise error
    archive.file = fresh


def reopened(file: "BundleFile") -> "BundleFile | None":
    """Find out why a read of *file* failed.  Return the file reopened if the program has closed its descriptor.

    Return None if the descriptor is open and the file has not changed: the fault is in the file.

    Raises:
        BundleChangedError: the file has changed.
        BundleUnreadableError: the file cannot be opened: the program has taken all descriptors.

    """
    present = _present(file)
    if present is not None:
        if status.same_version(present, file.status):
            return None
        message = (
            "was rewritten in place while it was imported from; restart the program,"
            " and replace bundles by renaming a new file over them"
        )
        raise faults.kinds.BundleChangedError(message, file=file.path)
    file.descriptor = -1  # the number belongs to another file, or soon will
    try:
        fresh: BundleFile | None = opening.open_file(file.path, file.signers)
    except faults.kinds.NotABundleError:
        if os.path.isfile(file.path):
            raise
        fresh = None
    if fresh is None or not status.same_version(fresh.status, file.status):
        message = "its descriptor had been closed, and the file was replaced since; restart the program"
        raise faults.kinds.BundleChangedError(message, file=file.path)
    return fresh


def _present(file: "BundleFile") -> "os.stat_result | None":
    """Return the current status of *file*, or None if its descriptor is no longer ours.

    A daemon closes all descriptors that it finds, and the numbers are used again.
    """
    descriptor = file.descriptor
    if file.content is not None:
        return file.status
    try:
        present = os.fstat(descriptor)
    except OSError:
        return None
    # Another thread may have replaced the descriptor meanwhile, and the same file may be open under the same number.
    return present if status.same_file(present, file.status) and descriptor == file.descriptor else None
