"""Unpack a whole bundle, for tools that need real files."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..runtime.cache import entries as cacheentries
from ..runtime.cache import folder as cachefolder
from ..runtime.content import files
from ..runtime.faults.kinds import BundleError
from ..runtime.site import listing, sites, unpacked

if TYPE_CHECKING:
    from ..runtime.archive import Archive


def unpack(
    bundle: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None, *, keep: bool = False
) -> str:
    """Write all files of *bundle*, and its bytecode for this Python, into a folder; return the folder's path.

    Without *directory*, the folder is in the user's cache, where ``BUNDLEIMP_UNPACK=1`` finds it, and the bundle's site
    is filled, too.  A folder that is there already is checked, and what is missing is written again.

    Arguments:
        bundle: path of the bundle.
        directory: a folder that does not exist yet, or is empty.
        keep: whether ``bundleimp cache prune`` and ``clear`` leave the folders in the cache alone.

    Raises:
        BundleError: the bundle is damaged, the folder cannot be written, or *directory* has other files.

    """
    path = os.path.abspath(bundle)
    if not os.path.exists(path):
        message = "cannot be opened: No such file or directory"
        raise BundleError(message, file=str(bundle))
    opened, location = files.sound_bundle_at(path)
    archive = opened.archive
    if archive is None or location.inner:
        message = "is a directory in a bundle; name the bundle itself"
        raise BundleError(message, file=str(bundle))
    if directory is not None:
        return _into(archive, os.path.abspath(directory))
    _make_readable_cache()
    found = unpacked.folder_of(archive)
    if found is None:
        message = f"cannot be unpacked: {cachefolder.lack()}"
        raise BundleError(message, file=archive.path)
    places = {found, *(sites.place(archive, unit, data=False) for unit in listing.units_of(archive))}
    for place in places if keep else ():
        if place is not None and not os.path.exists(os.path.join(place, unpacked.KEEP)):
            cachefolder.publish(os.path.join(place, unpacked.KEEP), b"", 0o644)
    return found


def _make_readable_cache() -> None:
    """Make a cache folder that a variable names: it is an image's or a service's, and other users read it."""
    for candidate in cachefolder.candidates():
        if candidate.variable:
            with contextlib.suppress(OSError):
                cachefolder.make_folders(candidate.path)


def _into(archive: Archive, directory: str) -> str:
    if os.path.isdir(directory) and os.listdir(directory):
        if unpacked.is_whole(archive, directory):
            return directory
        message = "has other files in it; name a folder that does not exist yet, or is empty"
        raise BundleError(message, file=directory)
    if not cacheentries.publish_folder(directory, lambda folder: unpacked.write_all(folder, archive)):
        raise BundleError(cachefolder.failure, file=directory)
    return directory
