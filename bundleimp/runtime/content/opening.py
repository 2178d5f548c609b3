"""Open a file that need not be a bundle."""

from .. import bundlefile, faults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundlefile import BundleFile
    from ..sources.signatures import Signers


def open_file(path: str, signers: "Signers | None" = None) -> "BundleFile":
    """Open the file at *path*, which need not be a regular file.  Arguments and errors: as for `BundleFile`."""
    status = bundlefile.status_of(path)
    if status is not None and not bundlefile.is_regular(status):
        raise faults.opening.not_regular(path)
    return bundlefile.BundleFile(path, signers)
