"""What went wrong with a file that was open."""

import os

from .. import faults
from . import opening, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundlefile import BundleFile


def reopened_after(error: ImportError, file: "BundleFile") -> "BundleFile | None":
    """Return *file* opened anew, if a read of it went wrong with that *error* because its descriptor was closed.

    Return None where another try would end the same way.

    Raises:
        BundleChangedError: the file is not what it was.

    """
    if not isinstance(error, faults.kinds.BundleFormatError) or isinstance(error, faults.kinds.BundleChangedError):
        return None
    return _reopened(file)


def _reopened(file: "BundleFile") -> "BundleFile | None":
    """Find out why a read of *file* went wrong; return it opened anew where the program has closed its descriptor.

    Return None where it is there, and is what it was when it was opened: the fault is in the file.

    Raises:
        BundleChangedError: the file is not what it was.

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
    file.descriptor = -1  # the number is somebody else's, or the next one's
    try:
        fresh: BundleFile | None = opening.open_file(file.path, file.signers)
    except faults.kinds.NotABundleError:
        fresh = None
    if fresh is None or not status.same_version(fresh.status, file.status):
        message = "its descriptor was closed by the program, and the file was replaced since; restart the program"
        raise faults.kinds.BundleChangedError(message, file=file.path)
    return fresh


def _present(file: "BundleFile") -> "os.stat_result | None":
    """Return the status of *file* now; None where its descriptor is not ours any more.

    A daemon closes all that it finds, and the number is used again.
    """
    descriptor = file.descriptor
    if file.content is not None:
        return file.status
    try:
        present = os.fstat(descriptor)
    except OSError:
        return None
    # Another thread may have given it up meanwhile, and opened the same file under the same number.
    return present if status.same_file(present, file.status) and descriptor == file.descriptor else None
