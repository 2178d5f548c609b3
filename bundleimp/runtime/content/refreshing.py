"""A second look at a bundle's file, which may have been replaced, and a first one at a file that is not sound."""

from .. import TRACING, bundlefile, faults, trace
from . import status as statuses

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from ..archive import Archive
    from ..bundles import OpenBundle
    from ..faults.kinds import BundleFormatError

# How often a file is opened that is being written to.
_ATTEMPTS = 3


def refresh(
    bundle: "OpenBundle", status: "os.stat_result | None", opened: "Archive | BundleFormatError | None" = None
) -> bool:
    """Look at the file of *bundle* again, as of `OpenBundle.refresh`.

    Arguments:
        bundle: the bundle.
        status: the file status of a moment ago; default: it is asked for.
        opened: what it turned out to be when it had this *status*; None where it was not opened.

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
        status = now  # it was written to while it was opened
        opened = bundle.opened(status)
    fault = opened if isinstance(opened, faults.kinds.BundleFormatError) else None
    archive = opened if not isinstance(opened, faults.kinds.BundleFormatError) else None
    known = bundle.archive
    same = bundle.settled and bundle.status is not None and statuses.same_version(status, bundle.status)
    if same and archive and known and archive.key == known.key:
        bundle.status = status  # only its name or its permissions were changed
        return False
    exchange(bundle, status, archive, fault)
    if TRACING:
        trace(f"{bundle.path}: opened")
    return True


def exchange(
    bundle: "OpenBundle",
    status: "os.stat_result | None",
    archive: "Archive | None",
    fault: "BundleFormatError | None",
) -> None:
    """Take the new version; an interrupt in between leaves it to be taken again, and no thread sees neither."""
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
    # If the reason need not lie in the file, the next look may find it sound.
    bundle.settled = fault is None or not faults.opening.may_open_later(fault)


def check(bundle: "OpenBundle") -> None:
    """Raise BundleFormatError where the file of *bundle* is not sound, NotABundleError where it is gone."""
    if bundle.fault is not None:
        raise bundle.fault.with_traceback(None)
    if bundle.archive is None:
        raise faults.opening.missing(bundle.path)
