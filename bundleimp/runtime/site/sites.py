"""Sites: folders of the cache that are laid out like ``site-packages``, one for each version of a bundle.

The name of a site is the SHA-256 of the bundle's table of units and its key, so copies of a bundle share it.  Units are
*placed* in the site when they are first needed, as a whole or not at all: a unit counts as placed when its mark is
there, which is written last.  What another site has already is linked, not copied.  Code still comes from the bundle.

The folder ``.bundleimp-units`` of a site has a note, which names the bundle, and the marks.  A mark contains the total
size of the files, and the time of each folder that they are in.  While the times of the folders are the same, nothing
was added, removed or replaced.  Beside each mark is a list of the files, written before the first of them: a site with
other files is not removed (`inspection.cache`).
"""

import os
import sys

from .. import TRACING, bundlefile, bundles, cache, content, faults, trace
from .. import format as bundle_format
from . import listing, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..archive import Archive
    from .units import Unit

FOLDER = "sites"
NOTES = ".bundleimp-units"
LIST = ".files"
"""The suffix of the list of a unit's files: their names, separated by NULs."""
_NOTE = "bundle"
# The mode of notes and marks: what one user has filled is used by others.
_READABLE = 0o644

_complained: "set[str]" = set()


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


def units_of(archive: "Archive") -> "list[units.Unit]":
    """Return the units of the archive: those in the index, or those of a plain zip.

    Raises:
        BundleFormatError: the table of units, or a plain zip's RECORD, is damaged.

    """
    known = archive.units
    if not isinstance(known, list):
        extent = known
        if archive.indexed:
            known = archive.units = archive.retried(lambda: units.read_units(archive.file, extent)) if extent else []
        else:
            known = archive.units = listing.list_units(archive)
    return known


def name_of(archive: "Archive") -> str:
    """Return the name of the archive's site.  Raise BundleFormatError if the table of units is damaged."""
    table = units.encode_units(units_of(archive))
    return str(units.sha256()(table + archive.key.encode()).hexdigest()[:32]) + bundle_format.SUFFIX


def site_of(archive: "Archive") -> "Site | None":
    """Return the site of the archive, reserved for this process.  Make it if it is missing.

    Return None if no cache folder can be used.

    Raises:
        BundleFormatError: the table of units is damaged.

    """
    known: Site | None = archive.site
    if known is not None and bundles.sites.get(known.path) is archive and noted(known.path) is not None:
        return known
    root = cache.folder.folder(create=True)
    if root is None:
        return None
    path = os.path.join(root, FOLDER, name_of(archive))
    if not cache.entries.use(path, lambda folder: write_note(folder, archive.path)):
        return None
    bundle = noted(path)
    if bundle is None or not bundlefile.is_regular(bundlefile.status_of(bundle)):  # or it is that of a deleted copy
        cache.folder.publish(os.path.join(path, NOTES, _NOTE), os.fsencode(archive.path), _READABLE)
    if known is None or known.path != path or bundle is None:
        known = archive.site = Site(path)
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


def write_note(folder: str, bundle: str) -> None:
    """Write into a new *folder* which *bundle* it belongs to.  Raise OSError if that fails."""
    cache.folder.make_folders(os.path.join(folder, NOTES))
    cache.folder.write(os.path.join(folder, NOTES, _NOTE), os.fsencode(bundle), _READABLE)


def noted(path: str) -> "str | None":
    """Return the path of the bundle that the site at *path* belongs to, or None if it has no note."""
    try:
        with open(os.path.join(path, NOTES, _NOTE), "rb") as stream:
            return os.fsdecode(stream.read())
    except (OSError, ValueError):
        return None


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
    bundle = noted(root)
    if bundle is None:
        return False
    archive = None
    reason = f"{bundle} is gone"
    status = bundlefile.status_of(bundle)
    if bundlefile.is_regular(status):
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
        if os.path.exists(os.path.join(path, NOTES, _mark(unit, data=data))):
            return unit.part(data=data)
    return []


def place(archive: "Archive", unit: "Unit", *, data: bool) -> "str | None":
    """Place the *unit*, or only its data part, and the units that it brings along.  Return the folder of the site.

    Return None if the files cannot be written.

    Raises:
        BundleFormatError: a member is damaged, or the files do not match the unit's digest.

    """
    site = site_of(archive)
    return site.path if site is not None and _is_placed(archive, site, unit, data, []) else None


def _is_placed(archive: "Archive", site: Site, unit: "Unit", data: bool, asked: "list[Unit]") -> bool:
    marks = [_mark(unit, data=False), *([_mark(unit, data=True)] if data else [])]
    if not site.placed.isdisjoint(marks):
        return True
    if not data or not archive.indexed:
        asked.append(unit)
        known = units_of(archive)
        others = [known[number] for number in unit.brings] if archive.indexed else listing.brought(archive, unit, known)
        for other in others:
            if other not in asked and not _is_placed(archive, site, other, False, asked):  # noqa: FBT003
                return False
    for mark in marks:
        if is_unchanged(site, mark, lambda: unit.part(data=mark != marks[0])):  # noqa: B023 (called at once)
            site.placed.add(mark)
            return True
    if not _place(archive, site, unit, data=data):
        return False
    site.placed.add(marks[-1])
    if TRACING:
        trace(f"{unit.name}: real files in {site.path}")
    return True


def _mark(unit: "Unit", *, data: bool) -> str:
    """Return the name of the unit's mark."""
    return unit.digest[:32] + (".data" if data else ".whole")


def is_unchanged(site: Site, mark: str, names: "Callable[[], list[str]]") -> bool:
    """Return whether the *mark* is there, and the files are as they were when they were placed.

    Arguments:
        site: the site.
        mark: the name of the mark.
        names: returns the names of the files.  It is called only if something was added, removed or replaced.

    """
    path = os.path.join(site.path, NOTES, mark)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            size, *lines = stream.read().split("\n")
        times = dict(line.split(" ", 1)[::-1] for line in lines)
        if all(str(os.stat(os.path.join(site.path, folder)).st_mtime_ns) == time for folder, time in times.items()):
            return True
        # Another unit may have files in these folders, or a cleaner may have deleted some of ours.
        known = names()
        sizes = [os.stat(below(site.path, name)).st_size for name in known]
    except (OSError, ValueError):
        return False
    if sum(sizes) != int(size):
        return False
    note(site, mark, known, int(size))  # if that cannot be written, the next process checks again
    return True


def note(site: Site, mark: str, names: "list[str]", size: int) -> bool:
    """Write the *mark*: the total *size* in bytes of the files *names*, and the time of each of their folders.

    Return whether that worked.
    """
    folders = sorted({name.rpartition("/")[0] for name in names})
    times = [f"{os.stat(below(site.path, folder)).st_mtime_ns} {folder}" for folder in folders]
    data = "\n".join([str(size), *times]).encode("utf-8", "surrogateescape")
    return cache.folder.publish(os.path.join(site.path, NOTES, mark), data, _READABLE)


def note_files(site: Site, mark: str, names: "list[str]") -> bool:
    """Write the list of the files *names* beside the *mark*.  Return whether that worked."""
    data = "\0".join(names).encode("utf-8", "surrogateescape")
    return cache.folder.publish(os.path.join(site.path, NOTES, mark + LIST), data, _READABLE)


def below(folder: str, name: str) -> str:
    """Return the path of the member *name* in a *folder*."""
    return os.path.join(folder, *name.split("/"))


def _place(archive: "Archive", site: Site, unit: "Unit", *, data: bool) -> bool:
    """Write the files of the unit, or of its data part, beside the site, check them, and move them into the site."""
    names = unit.part(data=data)
    mark = _mark(unit, data=data)
    aside = cache.folder.aside_of(site.path)
    try:
        cache.folder.make_folders(aside)
        try:
            size = _write(aside, archive, site, unit, names)
            if not note_files(site, mark, names):
                return False
            for name in names:
                _move(below(aside, name), below(site.path, name))
        finally:
            cache.entries.remove_folder(aside)
        return note(site, mark, names, size)
    except (OSError, ValueError) as error:
        if TRACING:
            trace(f"cache: cannot place {unit.name} in {site.path}: {error}")
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
        if member is None or content.member.name_fault(name) is not None or name.startswith(cache.entries.MARK):
            message = f"{name!r} cannot be unpacked, which {unit.name!r} needs: the file is damaged"
            raise faults.kinds.BundleFormatError(message, file=archive.path, member=bundle_format.UNITS)
        bytes_ = content.files.read(archive, member)
        seen.append((name, letter, hashes(bytes_).digest()))
        path = below(aside, name)
        cache.folder.make_folders(os.path.dirname(path))
        if twin is None or not _link(below(twin, name), path, bytes_):
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
        if path != site.path and os.path.isfile(os.path.join(path, NOTES, _mark(unit, data=False))):
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


def unit_of(archive: "Archive", member: str) -> "Unit | None":
    """Return the unit that *member* belongs to, or None if its unit needs no real files."""
    return next((unit for unit in units_of(archive) if member in unit), None)


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
    return below(path, inner) if path is not None else None


def _below_folder(archive: "Archive", folder: str) -> "Iterator[tuple[Unit, bool]]":
    """Yield each unit with files in *folder*, and whether the data part has all that are there."""
    for unit in units_of(archive):
        letters = {letter for name, letter in unit.files.items() if name.startswith(folder)}
        if letters:
            yield unit, letters.issubset(units.DATA_PART)


def complain(archive: "Archive", unit: "Unit") -> None:
    """Issue one `BundleWarning` for a unit whose files cannot be written, unless it has extension modules.

    Those are loaded from memory, or raise an error.
    """
    if not unit.native or unit.part(data=True):
        reason = cache.folder.lack()
        _warn_once(
            archive.path + unit.name,
            f"{archive.path}: {unit.name} looks for its files beside its modules, and {reason}",
        )


def _warn_once(key: str, message: str) -> None:
    if key not in _complained:
        _complained.add(key)
        faults.warning.warn(message)


def is_whole(archive: "Archive", path: str) -> bool:
    """Return whether *path* is a file in the site of *archive*, and all files of its unit are placed there."""
    known: Site | None = archive.site
    if known is None or not path.startswith(known.path + os.sep):
        return False
    unit = unit_of(archive, bundles.inner_name(path[len(known.path) :]))
    return unit is not None and _mark(unit, data=False) in known.placed
