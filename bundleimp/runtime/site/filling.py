"""Placing: writing the files of a unit into a site, as a whole or not at all.

They are written beside the site, checked, and moved into it.  A unit counts as placed when its mark is there, which is
written last.  What another site has already is linked, not copied.
"""

import os
import time

from .. import TRACING, cache, content, faults, trace
from .. import format as bundle_format
from . import listing, marks, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from .units import Unit


class Site:
    """The site of an archive.

    Attributes:
        path: its folder.
        placed: the marks of the units that this process has checked.

    """

    __slots__ = ("path", "placed")

    def __init__(self, path: str) -> None:
        self.path = path
        self.placed: set[str] = set()


def fill(archive: "Archive", site: Site, unit: "Unit", asked: "list[Unit]", *, data: bool) -> bool:
    """Place the *unit* if it is not placed yet, and the units that it brings along.  Return whether that worked.

    Arguments:
        archive: the archive that contains the unit.
        site: the site of the archive.
        unit: the unit.
        asked: the units that are being placed already.
        data: whether the data part is enough.

    Raises:
        BundleFormatError: a member is damaged, or the files do not match the unit's digest.

    """
    names = [marks.name_of(unit, data=False), *([marks.name_of(unit, data=True)] if data else [])]
    if not site.placed.isdisjoint(names):
        return True
    if not data or not archive.indexed:
        asked.append(unit)
        known = listing.units_of(archive)
        others = [known[number] for number in unit.brings] if archive.indexed else listing.brought(archive, unit, known)
        for other in others:
            if other not in asked and not fill(archive, site, other, asked, data=False):
                return False
    for name in names:
        if marks.is_unchanged(site.path, name, lambda: unit.part(data=name != names[0])):  # noqa: B023 (called at once)
            site.placed.add(name)
            return True
    begun = time.perf_counter()
    if not _place(archive, site, unit, data=data):
        return False
    site.placed.add(names[-1])
    if TRACING:
        trace("placed", name=unit.name, path=site.path, duration=time.perf_counter() - begun)
    return True


def _place(archive: "Archive", site: Site, unit: "Unit", *, data: bool) -> bool:
    """Write the files of the unit, or of its data part, beside the site, check them, and move them into the site."""
    names = unit.part(data=data)
    mark = marks.name_of(unit, data=data)
    aside = cache.folder.aside_of(site.path)
    try:
        cache.folder.make_folders(aside)
        try:
            size = _write(aside, archive, site, unit, names)
            if not marks.note_files(site.path, mark, names):
                return False
            for name in names:
                _move(marks.below(aside, name), marks.below(site.path, name))
        finally:
            cache.entries.remove_folder(aside)
        return marks.note(site.path, mark, names, size)
    except (OSError, ValueError) as error:
        cache.folder.failed(f"place {unit.name} in {site.path}", error)
        return False


def _write(aside: str, archive: "Archive", site: Site, unit: "Unit", names: "list[str]") -> int:
    """Write the files *names* of the unit into the folder *aside*.  Return their total size in bytes.

    Raises:
        BundleFormatError: they do not match the digest of the unit.

    """
    hashes = units.sha256()
    seen = []
    size = 0
    twin = _twin(site, unit)
    for name in names:
        letter = unit.files[name]
        member = content.files.find(archive, name)
        if member is None or content.member.name_fault(name) is not None or name.startswith(units.RESERVED):
            message = f"{name!r} cannot be unpacked, which {unit.name!r} needs: the file is damaged"
            raise faults.kinds.BundleFormatError(message, file=archive.path, member=bundle_format.UNITS)
        bytes_ = content.files.read(archive, member)
        seen.append((name, letter, hashes(bytes_).digest()))
        path = marks.below(aside, name)
        cache.folder.make_folders(os.path.dirname(path))
        if twin is None or not _link(marks.below(twin, name), path, bytes_):
            cache.folder.write(path, bytes_, 0o555 if letter in units.EXECUTABLE else 0o444)
        size += len(bytes_)
    expected = unit.digest if len(names) == len(unit.files) else unit.data_digest
    if archive.indexed and units.digest(seen, hashes) != expected:
        message = f"the files of {unit.name!r} do not match their digest: the file is damaged"
        raise faults.kinds.BundleFormatError(message, file=archive.path, member=bundle_format.UNITS)
    return size


def _twin(site: Site, unit: "Unit") -> "str | None":
    """Return the folder of another site in which the same unit is placed as a whole, or None."""
    folder = os.path.dirname(site.path)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if path != site.path and os.path.isfile(os.path.join(path, marks.NOTES, marks.name_of(unit, data=False))):
            return path
    return None


def _link(old: str, new: str, data: bytes) -> bool:
    """Make *new* a link to the file *old* if that has the content *data*.  Return whether that worked."""
    try:
        with open(old, "rb") as stream:
            same = stream.read() == data
        if same and not os.path.islink(old):
            os.link(old, new)
            return True
    except (OSError, AttributeError):  # another file system, too many links, or none at all
        pass
    return False


def _move(aside: str, path: str) -> None:
    """Move a file to its place in the site, unless the same file is there: other processes may use that."""
    try:
        there = os.lstat(path)
        if there.st_mode & 0o170000 == 0o100000 and there.st_size == os.stat(aside).st_size:
            with open(path, "rb") as old, open(aside, "rb") as new:
                if old.read() == new.read():
                    return
    except FileNotFoundError:
        cache.folder.make_folders(os.path.dirname(path))
    os.replace(aside, path)
