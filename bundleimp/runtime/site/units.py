"""Units, and their table in a bundle.  A unit is a set of members that are written to disk together.

A unit is a distribution, or a set of members that belong to no distribution (see `packing.units`).  Its *mirror*
(`mirrors`) is a folder with its members as files.

The table is text in UTF-8.  It has a line ``PBu1``, one line for each unit, an empty line, and the lists of files.  A
unit's line contains its name, its digest, and the size of its list in bytes, separated by tabs.  A list contains for
each member ``-`` (or ``x`` if the file is executable), the name, and a NUL.
"""

from .. import content, faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..archive import Archive
    from ..bundlefile import BundleFile
    from ..format import Extent

_MAGIC = "PBu1"


class Unit:
    """Members that are mirrored together.

    Attributes:
        name: the name of the distribution or the top-level package, usable as the name of a folder.
        digest: 64 hexadecimal digits: the SHA-256 of names, modes and contents (see `digest`).
        files: the sorted names of the members; each value says whether the member is executable.

    """

    __slots__ = ("_files", "_list", "digest", "name")

    def __init__(self, name: str, digest: str, files: "str | dict[str, bool]") -> None:
        self.name = name
        self.digest = digest
        self._list = "" if isinstance(files, dict) else "\0" + files
        self._files = files if isinstance(files, dict) else None

    @property
    def files(self) -> "dict[str, bool]":  # noqa: D102 (described above)
        files = self._files
        if files is None:
            items = self._list.split("\0")
            files = self._files = {item[1:]: item[:1] == "x" for item in items if item}
        return files

    def __contains__(self, member: str) -> bool:
        if self._files is not None:
            return member in self._files
        return f"\0-{member}\0" in self._list or f"\0x{member}\0" in self._list

    def encode_files(self) -> bytes:
        """Return the unit's list of files, encoded as in the table."""
        return "".join(f"{'x' if mode else '-'}{name}\0" for name, mode in self.files.items()).encode()


def digest(files: "Iterable[tuple[str, bool, bytes]]", sha256: "Callable[[bytes], Any]") -> str:
    """Return the digest of a unit.

    Arguments:
        files: for each member its name, whether it is executable, and the SHA-256 of its content, sorted by name.
        sha256: the hash function, as in ``hashlib``.

    """
    lines = (f"{'x' if mode else '-'}{name}\0{content.hex()}\n".encode() for name, mode, content in files)
    return str(sha256(b"".join(lines)).hexdigest())


def encode_units(units: "Iterable[Unit]") -> bytes:
    """Return the table of *units*."""
    lists = [(unit, unit.encode_files()) for unit in units]
    head = [_MAGIC, *(f"{unit.name}\t{unit.digest}\t{len(files)}" for unit, files in lists), "", ""]
    return b"".join(["\n".join(head).encode(), *(files for _, files in lists)])


def units_of(archive: "Archive") -> "list[Unit]":
    """Return the units in the index; without an index, the units that were found so far.

    Raises:
        BundleFormatError: the table of units is damaged.

    """
    units = archive.units
    if not isinstance(units, list):
        extent = units
        units = archive.units = archive.retried(lambda: read_units(archive.file, extent))
    return units


def read_units(file: "BundleFile", extent: "Extent") -> "list[Unit]":
    """Return the units in the table at *extent* in the *file*.

    Raises:
        BundleFormatError: the table is damaged.

    """
    data = file.read(extent.offset, extent.size)
    if bundle_format.checksum(data) != extent.checksum:
        raise faults.kinds.BundleFormatError(bundle_format.DAMAGED, member=bundle_format.UNITS, offset=extent.offset)
    return decode_units(data)


def decode_units(data: bytes) -> "list[Unit]":
    """Return the units in the table *data*.

    Raises:
        BundleFormatError: the table is damaged.

    """
    try:
        head, _, lists = data.partition(b"\n\n")
        magic, *lines = head.decode().split("\n")
        units = []
        position = 0
        for line in lines:
            name, hexadecimal, size = line.split("\t")
            end = position + int(size)
            units.append(Unit(name, hexadecimal, lists[position:end].decode()))
            position = end
        sound = magic == _MAGIC and position == len(lists) and all(map(_is_sound, units))
    except ValueError:
        sound = False
    if not sound:
        message = "the table of units is damaged"
        raise faults.kinds.BundleFormatError(message, member=bundle_format.UNITS)
    return units


def _is_sound(unit: Unit) -> bool:
    folder = f"{unit.name}-{unit.digest}"
    return "/" not in folder and content.member.name_fault(folder) is None and len(bytes.fromhex(unit.digest)) == 32
