"""The units of an archive: those in its index, or those of a plain zip by the rules of `planning`."""

from .. import content, faults
from . import planning, runpaths, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive import Archive

# The limit for the RECORD of one distribution.  A larger one was made to exhaust the memory.
_LARGEST_RECORD = 8 << 20


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
            known = archive.units = _list(archive)
    return known


def _list(archive: "Archive") -> "list[units.Unit]":
    """Return the units of *archive*, which has no index.

    Raises:
        BundleFormatError: the archive is damaged.

    """
    every = ((name, content.files.find(archive, name)) for name in members(archive))
    found = [name for name, member in every if member is not None and member.refusal is None]
    records: dict[str, list[str]] = {}
    for member in found:
        owner = planning.record_owner(member)
        if owner is not None:
            records.setdefault(owner, []).extend(_recorded(archive, member))
    groups = planning.grouped(found, records, lambda name: _read(archive, name)[:2] == b"#!")
    return [_unit(archive, group) for group in groups]


def members(archive: "Archive", path: str = "") -> "Iterator[str]":
    """Yield the names of the members in the directory *path* and below.  Raise BundleFormatError if it is damaged."""
    directory = archive.directory(path)
    for name in directory.names if directory is not None else ():
        if directory is not None and name.endswith("/"):
            yield from members(archive, directory.prefix + name[:-1])
        elif directory is not None:
            yield directory.prefix + name


def _read(archive: "Archive", name: str) -> bytes:
    member = content.files.find(archive, name)
    return content.files.read(archive, member) if member is not None else b""


def _recorded(archive: "Archive", record: str) -> "list[str]":
    """Return the members that a distribution's RECORD lists."""
    member = content.files.find(archive, record)
    if member is not None and member.size > _LARGEST_RECORD:
        message = f"announces {member.size} bytes, more than it can have"
        raise faults.kinds.BundleFormatError(message, file=archive.path, member=record, offset=member.offset)
    lines = _read(archive, record).decode("utf-8", "replace").splitlines()
    # Names with quotes and commas are left out: no file that the linker needs has such a name.
    return [planning.recorded(line.rpartition(",")[0].rpartition(",")[0]) for line in lines]


def brought(archive: "Archive", unit: "units.Unit", known: "list[units.Unit]") -> "list[units.Unit]":
    """Return those of the *known* units that the native files of *unit* point to."""
    targets = set()
    for name in unit.files:
        base = name.rpartition("/")[2]
        data = _read(archive, name) if ".so" in base or base.endswith(".dylib") else b""
        if runpaths.is_native(data):
            targets |= {planning.resolved(name, path) for path in runpaths.run_paths(data)}
    return [other for other in known if other is not unit and planning.has_below(other.files, targets)]


def _unit(archive: "Archive", group: planning.Group) -> "units.Unit":
    part = group.data_part
    files = {name: "d" if name in part else "-" for name in group.files}
    # A plain zip has only CRC-32 checksums, which an imitation can match.  So the digest includes the file's status.
    status = archive.file.status
    stamp = f"{archive.path}\0{status.st_dev}\0{status.st_ino}\0{status.st_size}\0{status.st_mtime_ns}\0{archive.key}\0"
    found = {name: content.files.find(archive, name) for name in files}
    stamps = [
        (name, files[name], f"{stamp}{member.crc:08x}{member.size}".encode("utf-8", "surrogateescape"))
        for name, member in found.items()
        if member is not None
    ]
    digest = units.digest(stamps, units.sha256())
    unit = units.Unit(group.short_name, digest, digest, files)
    unit.native, unit.others, unit.portions = bool(group.native), group.others, frozenset(group.portions)
    return unit
