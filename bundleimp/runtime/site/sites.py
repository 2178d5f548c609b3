"""Sites: folders of the cache that are laid out like ``site-packages``, one for each version of a bundle.

The name of a site is the SHA-256 of the bundle's table of units and its key, so copies of a bundle share it.  Units are
*placed* in the site when they are first needed (`filling`).  Code still comes from the bundle.
"""

import os
import sys

from .. import bundlefile, bundles, cache, content, faults
from .. import format as bundle_format
from . import filling, listing, marks, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..archive import Archive
    from .units import Unit

FOLDER = "sites"

_complained: "set[str]" = set()


def name_of(archive: "Archive") -> str:
    """Return the name of the archive's site.  Raise BundleFormatError if the table of units is damaged."""
    table = units.encode_units(listing.units_of(archive))
    return str(units.sha256()(table + archive.key.encode()).hexdigest()[:32]) + bundle_format.SUFFIX


def path_of(archive: "Archive") -> "str | None":
    """Return the folder of the archive's site, there or not, or None if no cache folder can be used.

    Raises:
        BundleFormatError: the table of units is damaged.

    """
    root = cache.folder.folder(create=True)
    return os.path.join(root, FOLDER, name_of(archive)) if root is not None else None


def site_of(archive: "Archive") -> "filling.Site | None":
    """Return the site of the archive, reserved for this process.  Make it if it is missing.

    Return None if no cache folder can be used.

    Raises:
        BundleFormatError: the table of units is damaged.

    """
    known: filling.Site | None = archive.site
    if known is not None and bundles.sites.get(known.path) is archive and marks.bundle_of(known.path) is not None:
        return known
    path = path_of(archive)
    if path is None or not cache.entries.use(path, lambda folder: marks.write_bundle(folder, archive.path)):
        return None
    bundle = marks.bundle_of(path)
    if bundle is None or not bundlefile.is_regular(bundlefile.status_of(bundle)):  # or it is that of a deleted copy
        try:
            marks.write_bundle(path, archive.path)
        except OSError:  # a site that is only read: the next process looks again
            pass
    if known is None or known.path != path or bundle is None:
        known = archive.site = filling.Site(path)
    _use(path, archive)
    return known


def _use(path: str, archive: "Archive") -> None:
    """Make *archive* the one of the site at *path*, unless that is in use for a copy of the same bundle."""
    present = bundles.sites.get(path)
    if present is archive:
        return
    opened = bundles.in_use.get(present.path) if present is not None else None
    if present is None or opened is None or opened.archive is not present:
        bundles.sites[path] = archive
        for entry in list(sys.path_importer_cache):  # finders of a copy that is gone
            if isinstance(entry, str) and entry.startswith(path):
                sys.path_importer_cache.pop(entry, None)


def at(path: str) -> "str | None":
    """Return the folder of the site that contains *path*, or None.  Another process may have made the site."""
    return bundles.locate_site(path) or claim(path)


def claim(path: str) -> "str | None":
    """Return the folder of the site that contains *path* and that another process made, or None.

    The site is reserved for this process.  What is not placed in it is found in the bundle that its note names.
    """
    end = 0
    while (end := path.find(bundle_format.SUFFIX, end)) >= 0:
        end += len(bundle_format.SUFFIX)
        if path[end : end + 1] in {"", os.sep, os.altsep}:
            try:
                root = bundles.absolute(path[:end])
            except OSError:  # the working directory is gone
                return None
            if _is_claimed(root):
                return root
    return None


def _is_claimed(root: str) -> bool:
    bundle = marks.bundle_of(root)
    if bundle is None:
        return False
    archive = None
    reason = f"{bundle} is gone"
    status = bundlefile.status_of(bundle)
    if bundlefile.is_regular(status):
        content.naming.admit(bundle)
        opened = bundles.open_bundle(bundle, status)
        opened.report()
        archive = opened.archive
        reason = f"{bundle} is another bundle now" if opened.fault is None else ""  # which has been reported
        try:
            if archive is not None and (name_of(archive) != os.path.basename(root) or not cache.entries.use(root)):
                archive = None
        except faults.kinds.BundleFormatError:
            archive = None
    if archive is None:
        is_free = bundles.OpenBundle.signers is None  # to be imported from by other finders
        if reason:
            rest = "only what is placed there" if is_free else "nothing"
            _warn_once(root, f"{root}: {rest} can be imported: {reason}")
        if is_free:
            return False
    bundles.sites[root] = archive
    return True


def placed_files(path: str, unit: "Unit") -> "list[str]":
    """Return the files of the *unit* that the site at *path* must have, according to its marks."""
    for data in (False, True):
        if os.path.exists(os.path.join(path, marks.NOTES, marks.name_of(unit, data=data))):
            return unit.part(data=data)
    return []


def place(archive: "Archive", unit: "Unit", *, data: bool) -> "str | None":
    """Place the *unit*, or only its data part, and the units that it brings along.  Return the folder of the site.

    Return None if the files cannot be written.

    Raises:
        BundleFormatError: a member is damaged, or the files do not match the unit's digest.

    """
    site = site_of(archive)
    return site.path if site is not None and filling.fill(archive, site, unit, [], data=data) else None


def unit_of(archive: "Archive", member: str) -> "Unit | None":
    """Return the unit that *member* belongs to, or None if its unit needs no real files."""
    return next((unit for unit in listing.units_of(archive) if member in unit), None)


def real_path(archive: "Archive", inner: str) -> "str | None":
    """Return the real path of the file or directory *inner* of the archive, or None if it is never placed.

    Raises:
        BundleFormatError: the bundle is damaged.

    """
    unit = unit_of(archive, inner)
    if unit is not None:
        return placed_path(archive, inner, [(unit, unit.files[inner] in units.DATA_PART)])
    return placed_path(archive, inner, _below_folder(archive, inner + "/"))


def placed_path(archive: "Archive", inner: str, found: "Iterable[tuple[Unit, bool]]") -> "str | None":
    """Return the real path of *inner*.  Place the units *found*, or only the data part of those with True.

    Return None if none was found, or they cannot be written.
    """
    path = None
    for each, data in found:
        path = place(archive, each, data=data)
        if path is None:
            complain(archive, each)
            return None
    return marks.below(path, inner) if path is not None else None


def _below_folder(archive: "Archive", folder: str) -> "Iterator[tuple[Unit, bool]]":
    """Yield each unit with files in *folder*, and whether the data part has all that are there."""
    for unit in listing.units_of(archive):
        letters = {letter for name, letter in unit.files.items() if name.startswith(folder)}
        if letters:
            yield unit, letters.issubset(units.DATA_PART)


def complain(archive: "Archive", unit: "Unit") -> None:
    """Warn that the files of *unit* cannot be written, once for each bundle.

    It is no warning for extension modules alone: those are loaded from memory, or raise an error.
    """
    if not unit.native or unit.part(data=True):
        reason = cache.folder.lack()
        message = f"{archive.path}: {unit.name} looks for its files beside its modules, and {reason}"
        _warn_once(archive.path, message)


def _warn_once(key: str, message: str) -> None:
    if key not in _complained:
        _complained.add(key)
        faults.warning.warn(message)


def is_whole(archive: "Archive", path: str) -> bool:
    """Return whether *path* is a file in the site of *archive*, and all files of its unit are placed there."""
    known: filling.Site | None = archive.site
    if known is None or not path.startswith(known.path + os.sep):
        return False
    unit = unit_of(archive, bundles.inner_name(path[len(known.path) :]))
    return unit is not None and marks.name_of(unit, data=False) in known.placed
