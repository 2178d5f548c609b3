"""Path entries in a site.  The files are in the site; the code comes from the bundle."""

from .. import bundles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..annotations import Location
    from ..archive import Archive


class SiteBundle:
    """What a `BundleFinder` reads of an `OpenBundle`, for a path entry in a site.

    A site stands for the version that it was made for.  So its path entries do not follow the bundle's path when the
    file is replaced.  Neither do they change to a copy of the bundle at another path, which has the same site.
    """

    interrupted = False
    fault = None

    def __init__(self, archive: "Archive | None") -> None:
        self._archive = archive

    @property
    def archive(self) -> "Archive | None":
        """The archive whose modules are found, or None if no signer has signed it."""
        archive = self._archive
        signers = bundles.OpenBundle.signers
        return archive if archive is None or signers is None or archive.file.signers is signers else None

    def refresh(self) -> bool:
        """Return False: the version stays."""
        return False

    def report(self) -> None:
        """Do nothing: the path entry of the bundle itself reports."""


def location(path: str, root: str) -> "tuple[Any, Location]":
    """Return the bundle and the location in it for the path entry *path* in the site *root*.

    Raises:
        ImportError: the bundle has no such directory (`importlib.machinery.FileFinder` raises this, too).

    """
    archive = bundles.sites[root]
    inner = bundles.inner_name(path[len(root) :])
    if archive is not None and archive.directory(inner) is None:
        message = "only directories are supported"
        raise ImportError(message, path=path)
    return SiteBundle(archive), bundles.Location(bundle=archive.path if archive else root, inner=inner, status=None)
