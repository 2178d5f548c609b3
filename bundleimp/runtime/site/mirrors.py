"""Mirrors: the files of a unit, written into the cache in the layout of an installation.

The name of a mirror is the digest of its content, so bundles and processes share it.  A mirror is published when it is
first needed, as a whole or not at all.  A module imported from a mirror has its ``__file__`` in the mirror, but its
code still comes from the bundle.  This module is loaded when something first needs a real file.
"""

import os
from _frozen_importlib_external import EXTENSION_SUFFIXES

from .. import TRACING, bundles, cache, content, faults, trace
from .. import format as bundle_format
from . import units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..archive import Archive
    from ..format import Directory
    from ..plain.zipdirectory import ListedDirectory
    from .units import Unit

# The limit for the RECORD of one distribution.  A larger one was made to exhaust the memory.
_LARGEST_RECORD = 8 << 20

_complained: "set[str]" = set()


def _sha256() -> "Callable[[bytes], Any]":
    """Return SHA-256 in the fastest version that the standard library has, without ``import hashlib``."""
    find = content.standard.standard_module  # outside of `try`: its own ImportError must propagate
    for module, name in (("_hashlib", "openssl_sha256"), ("_sha2", "sha256"), ("_sha256", "sha256")):
        try:
            function: Callable[[bytes], Any] = getattr(find(module), name)
            function(b"")
        except (ImportError, AttributeError, ValueError):  # not built, or forbidden by a policy
            continue
        return function
    message = "this Python was built without SHA-256"
    raise ImportError(message)


def unit_of(archive: "Archive", member: str) -> "Unit | None":
    """Return the unit that *member* belongs to, or None if its unit needs no real files.

    Raises:
        BundleFormatError: the bundle is damaged.

    """
    found = next((unit for unit in units.units_of(archive) if member in unit), None)
    if found is None and not archive.indexed and content.files.find(archive, member) is not None:
        found = _listed_unit(archive, member)
        units.units_of(archive).append(found)
    return found if found is not None and found.digest else None


def asks_for_location(archive: "Archive", member: str) -> bool:
    """Return whether a module of an archive without an index needs a real ``__file__`` (see `packing.locations`).

    Raises:
        BundleFormatError: the bundle is damaged.

    """
    unit = unit_of(archive, member)
    if unit is None:
        return False
    file = content.files.find(archive, member)
    return any(map(_is_extension, unit.files)) or (
        file is not None and b"__file__" in content.files.read(archive, file)
    )


def _is_extension(name: str) -> bool:
    return name.endswith(tuple(EXTENSION_SUFFIXES))


def _below(archive: "Archive", folder: "Directory | ListedDirectory | None") -> "Iterator[str]":
    for name in folder.names if folder is not None else ():
        if folder is not None and name.endswith("/"):
            yield from _below(archive, archive.directory(folder.prefix + name[:-1]))
        elif folder is not None:
            yield folder.prefix + name


def _recorded(archive: "Archive", record: str) -> "list[str]":
    """Return the members that a distribution's RECORD lists, without its metadata."""
    member = content.files.find(archive, record)
    if member is not None and member.size > _LARGEST_RECORD:
        message = f"announces {member.size} bytes, more than it can have"
        raise faults.kinds.BundleFormatError(message, file=archive.path, member=record, offset=member.offset)
    lines = content.files.read(archive, member).decode("utf-8", "replace").splitlines() if member is not None else []
    # Names with quotes and commas are left out: no file that the linker needs has such a name.
    names = [line.rpartition(",")[0].rpartition(",")[0] for line in lines]
    return [name for name in names if ".dist-info/" not in name and content.files.find(archive, name) is not None]


def _listed_unit(archive: "Archive", member: str) -> units.Unit:
    """Return the unit of *member* in an archive without an index.  The digest of a pure-Python unit is empty."""
    top = archive.directory("")
    assert top is not None  # noqa: S101 (every archive has a root)
    name = member.partition("/")[0]
    files = [member] if name == member else list(_below(archive, archive.directory(name)))
    for entry in top.names:
        own = _recorded(archive, f"{entry}RECORD") if entry.endswith(".dist-info/") else []
        if member in own:
            name, files = entry.partition("-")[0], own
            break
    found = {file: content.files.find(archive, file) for file in sorted(files)}
    if all(file.endswith((".py", ".pyc", ".pyi", "/py.typed")) for file in found):
        return units.Unit(name, "", dict.fromkeys(found, False))
    # An archive without an index has only CRC-32 checksums, which an imitation can match.  So the digest includes the
    # file's status.
    status = archive.file.status
    stamp = f"{archive.path}\0{status.st_dev}\0{status.st_ino}\0{status.st_size}\0{status.st_mtime_ns}\0{archive.key}\0"
    stamps = (f"{stamp}{item.crc:08x}{item.size}".encode() for item in found.values() if item is not None)
    return units.Unit(name, units.digest([(name, False, b"".join(stamps))], _sha256()), dict.fromkeys(found, False))


def root(archive: "Archive", unit: units.Unit) -> "str | None":
    """Return the mirror's folder.  Publish the mirror if it is missing.  Return None if that is impossible.

    Raises:
        BundleFormatError: a member is damaged, or the unit does not match its digest.

    """
    known = archive.mirrors.get(unit.digest)
    if known in bundles.mirrored:
        return known
    root_folder = cache.folder.folder(create=True)
    if root_folder is None:
        return None
    path = os.path.join(root_folder, "mirrors", f"{unit.name}-{unit.digest[:32]}{bundle_format.SUFFIX}")
    if not cache.entries.use(path, lambda folder: _fill(folder, archive, unit)):
        return None
    # A cleaner may have deleted some of its files, or a power failure may have emptied them.
    if not _is_whole(path, unit) and not _mend(path, archive, unit):
        return None
    archive.mirrors[unit.digest] = path
    bundles.mirrored.setdefault(path, archive)
    if TRACING:
        trace(f"{unit.name}: real files in {path}")
    return path


def _is_whole(path: str, unit: units.Unit) -> bool:
    """Return whether the mirror at *path* has all files of *unit*, with their original total size in bytes."""
    folder = path + os.sep
    try:
        size = cache.entries.announced_size(path)
        # There may be thousands of files, and every process that needs one checks all of them.  So the index is not
        # read.
        return sum([os.stat(folder + name).st_size for name in unit.files]) == size
    except (OSError, ValueError):
        return False


class _File:
    """A file to be written into a mirror: its name in the mirror, with slashes, and its content."""

    __slots__ = ("data", "executable", "name")

    def __init__(self, name: str, data: bytes, *, executable: bool) -> None:
        self.name = name
        self.data = data
        self.executable = executable

    def place(self, folder: str) -> str:
        """Return the file's path in the mirror *folder*."""
        return os.path.join(folder, *self.name.split("/"))

    @property
    def mode(self) -> int:
        """The file's permissions."""
        return 0o700 if self.executable else 0o600


def _fill(folder: str, archive: "Archive", unit: units.Unit) -> int:
    """Write the files of *unit* into a new *folder*.  Return their total size in bytes."""
    size = 0
    made = set()
    for file in _contents(archive, unit):
        path = file.place(folder)
        parent = os.path.dirname(path)
        if parent not in made:
            cache.folder.make_folders(parent)
            made.add(parent)
        cache.folder.write(path, file.data, file.mode)
        size += len(file.data)
    return size


def _mend(path: str, archive: "Archive", unit: units.Unit) -> bool:
    """Write the files of *unit* into the mirror at *path* again.  Return whether the mirror is complete then.

    The files are replaced one by one, because other processes use the mirror.
    """
    for _ in _contents(archive, unit):
        pass  # a mismatch raises an error here, before anything is written
    size = 0
    for file in _contents(archive, unit):
        if not cache.folder.publish(file.place(path), file.data, file.mode):
            return False
        size += len(file.data)
    try:
        cache.entries.announce_size(path, size)
    except OSError:
        return False
    return True


def _contents(archive: "Archive", unit: units.Unit) -> "Iterator[_File]":
    """Yield the files of *unit*.  After the last one, raise BundleFormatError if they do not match the unit."""
    sha256 = _sha256()
    seen = []
    for name, executable in unit.files.items():
        member = content.files.find(archive, name)
        if member is None or content.member.name_fault(name) is not None:
            message = f"{name!r} cannot be unpacked, which {unit.name!r} needs: the file is damaged"
            raise faults.kinds.BundleFormatError(message, file=archive.path, member=bundle_format.UNITS)
        data = content.files.read(archive, member)
        seen.append((name, executable, sha256(data).digest()))
        yield _File(name, data, executable=executable)
    if archive.indexed and units.digest(seen, sha256) != unit.digest:
        message = f"the files of {unit.name!r} do not match their digest: the file is damaged"
        raise faults.kinds.BundleFormatError(message, file=archive.path, member=bundle_format.UNITS)


def _unit_below(archive: "Archive", folder: str) -> "Unit | None":
    """Return the unit with files in *folder*.  If several have, prefer the unit of the package *folder*."""
    found = [unit for unit in units.units_of(archive) if any(name.startswith(folder) for name in unit.files)]
    inits = [f"{folder}__init__{suffix}" for suffix in (*EXTENSION_SUFFIXES, ".py", ".pyc")]
    return next((unit for unit in found if any(name in unit for name in inits)), found[0] if found else None)


def real_path(archive: "Archive", inner: str) -> "str | None":
    """Return the path of the file or directory *inner* of the archive in its mirror, or None if no mirror has it.

    If the mirror cannot be written, issue one `BundleWarning` for each unit, and return None.

    Raises:
        BundleFormatError: the bundle is damaged.

    """
    unit = unit_of(archive, inner) or _unit_below(archive, inner + "/" if inner else "")
    if unit is None:
        return None
    mirror = root(archive, unit)
    if mirror is None:
        if any(map(_is_extension, unit.files)):
            return None  # extension modules load from memory, or report what they lack
        key = archive.path + unit.name
        if key not in _complained:
            _complained.add(key)
            faults.warning.warn(
                f"{archive.path}: {unit.name} looks for its files beside its modules, and no cache folder can be"
                " written; set BUNDLEIMP_CACHE_DIR"
            )
        return None
    return os.path.join(mirror, *inner.split("/")) if inner else mirror
