"""Check again whether a bundle's file was replaced, or whether a file that was not sound is sound now."""

from .. import TRACING, bundlefile, faults, trace
from . import status as statuses

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from ..archive import Archive
    from ..bundles import OpenBundle
    from ..faults.kinds import BundleFormatError

# How often to open a file that another process is writing to.
_ATTEMPTS = 3


def refresh(
    bundle: "OpenBundle", status: "os.stat_result | None", opened: "Archive | BundleFormatError | None" = None
) -> bool:
    """Check the file of *bundle* again (see `OpenBundle.refresh`).

    Arguments:
        bundle: the bundle.
        status: a recent file status; default: the function reads it.
        opened: the archive or error from opening the file with this *status*, or None if it was not opened.

    """
    status = status or bundlefile.status_of(bundle.path)
    if status is None or not (bundlefile.is_regular(status) or bundle.signers is not None):
        gone = bundle.archive or bundle.fault
        bundle.status = bundle.archive = bundle.fault = None
        return gone is not None
    if bundle.settled and bundle.status is not None and statuses.is_untouched(status, bundle.status):
        return False
    opened = opened or bundle.opened(status)
    for _ in range(_ATTEMPTS - 1):
        unsound = isinstance(opened, faults.kinds.BundleFormatError) and faults.opening.may_be_in_the_making(opened)
        now = bundlefile.status_of(bundle.path) if unsound else None
        if now is None or statuses.is_untouched(now, status):
            break
        status = now  # the file was written to while it was opened
        opened = bundle.opened(status)
    fault = opened if isinstance(opened, faults.kinds.BundleFormatError) else None
    archive = opened if not isinstance(opened, faults.kinds.BundleFormatError) else None
    known = bundle.archive
    same = bundle.settled and bundle.status is not None and statuses.same_version(status, bundle.status)
    if same and archive and known and archive.key == known.key:
        bundle.status = status  # only the file's name or permissions were changed
        return False
    exchange(bundle, status, archive, fault)
    return True


def exchange(
    bundle: "OpenBundle",
    status: "os.stat_result | None",
    archive: "Archive | None",
    fault: "BundleFormatError | None",
) -> None:
    """Switch to the new version.  An interrupted switch is repeated.  Threads always see an archive or a fault."""
    bundle.settled = False
    if status is None or bundle.status is None or not statuses.same_version(status, bundle.status):
        bundle.reported = False
    if archive is not None:
        bundle.archive = archive
        bundle.fault = None
    else:
        bundle.fault = fault
        bundle.archive = None
    bundle.reported = bundle.reported or getattr(fault, "told", False)
    bundle.status = status
    # If the reason need not be in the file itself, the next check may find the file sound.
    bundle.settled = fault is None or not faults.opening.may_open_later(fault)
    if TRACING and archive is not None:
        trace("opened", path=bundle.path, size=archive.file.size)
    elif TRACING and fault is not None:
        trace("refused", path=bundle.path, member=fault.member, reason=fault.message)
    if archive is not None and archive.file.signers is not bundle.signers:  # required while the file was opened
        bundle.require(bundle)


def check(bundle: "OpenBundle") -> None:
    """Raise BundleFormatError if the file of *bundle* is not sound, NotABundleError if it is gone."""
    if bundle.fault is not None:
        raise bundle.fault.with_traceback(None)
    if bundle.archive is None:
        raise faults.opening.missing(bundle.path)
