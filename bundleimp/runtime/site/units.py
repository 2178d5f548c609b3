"""Units, and their table in a bundle.  A unit is a set of members that are placed on disk together.

`planning` says which members belong together.  The table contains the units that may need real files, with the members
that are then placed: all of them, or only the unit's *data part*, if no module of the unit needs the rest.

The table is text in UTF-8.  It has a line ``PBu1``, one line for each unit, an empty line, and the lists of files.  A
unit's line contains its name, its digest, that of its data part, the numbers of the units that it brings along,
separated by commas, and the size of its list in bytes; tabs separate the five.  A list contains for each member a
letter, the name, and a NUL.  The letter is ``-``, or ``x`` if the file is executable, or ``d`` or ``e`` for the same in
the data part.
"""

from .. import content, faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..bundlefile import BundleFile
    from ..format import Extent

_MAGIC = "PBu1"
LETTERS = "-xde"
RESERVED = ".bundleimp"
"""Names that begin so are those of notes, marks and locks: such members are never placed."""
EXECUTABLE = "xe"
DATA_PART = "de"


class Unit:
    """Members that are placed together.

    Attributes:
        name: the name of the distribution or the top-level package, usable as the name of a folder.
        digest: 64 hexadecimal digits: the SHA-256 of names, letters and contents (see `digest`).
        data_digest: the same of the files of the data part alone.
        brings: the numbers of the units in the table that are placed before this one: its native files point to them.
        files: the letter of each member, by name, sorted.
        native: whether it has an extension module.
        others: in a plain zip, whether it has files other than modules and commands.
        portions: in a plain zip, the namespace portions with data of this unit.

    """

    __slots__ = ("_files", "_list", "brings", "data_digest", "digest", "name", "native", "others", "portions")

    def __init__(
        self,
        name: str,
        digest: str,
        data_digest: str,
        files: "str | dict[str, str]",
        brings: "tuple[int, ...]" = (),
    ) -> None:
        self.name = name
        self.digest = digest
        self.data_digest = data_digest
        self.brings = brings
        self.native = ".so\0" in files or ".pyd\0" in files if isinstance(files, str) else False
        self.others = False
        self.portions: frozenset[str] = frozenset()
        self._list = "" if isinstance(files, dict) else "\0" + files
        self._files = files if isinstance(files, dict) else None

    @property
    def files(self) -> "dict[str, str]":  # noqa: D102 (described above)
        files = self._files
        if files is None:
            files = self._files = {item[1:]: item[0] for item in self._list.split("\0") if item}
        return files

    def __contains__(self, member: str) -> bool:
        if self._files is not None:
            return member in self._files
        return any(f"\0{letter}{member}\0" in self._list for letter in LETTERS)

    def part(self, *, data: bool) -> "list[str]":
        """Return the members of the data part, or all members."""
        return [name for name, letter in self.files.items() if not data or letter in DATA_PART]

    def encode_files(self) -> bytes:
        """Return the unit's list of files, encoded as in the table."""
        return "".join(f"{letter}{name}\0" for name, letter in self.files.items()).encode()


def sha256() -> "Callable[[bytes], Any]":
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


def digest(files: "Iterable[tuple[str, str, bytes]]", sha256: "Callable[[bytes], Any]") -> str:
    """Return the digest of a unit.

    Arguments:
        files: for each member its name, its letter, and the SHA-256 of its content, sorted by name.
        sha256: the hash function, as in ``hashlib``.

    """
    lines = (f"{letter}{name}\0{content.hex()}\n".encode() for name, letter, content in files)
    return str(sha256(b"".join(lines)).hexdigest())


def encode_units(units: "Iterable[Unit]") -> bytes:
    """Return the table of *units*."""
    lists = [(unit, unit.encode_files()) for unit in units]
    lines = [
        (unit.name, unit.digest, unit.data_digest, ",".join(map(str, unit.brings)), str(len(files)))
        for unit, files in lists
    ]
    head = [_MAGIC, *map("\t".join, lines), "", ""]
    return b"".join(["\n".join(head).encode(), *(files for _, files in lists)])


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
            name, digest, data_digest, brings, size = line.split("\t")
            end = position + int(size)
            numbers = tuple(map(int, brings.split(","))) if brings else ()
            units.append(Unit(name, digest, data_digest, lists[position:end].decode(), numbers))
            position = end
        sound = magic == _MAGIC and position == len(lists) and all(_is_sound(unit, len(units)) for unit in units)
    except ValueError:
        sound = False
    if not sound:
        message = "the table of units is damaged"
        raise faults.kinds.BundleFormatError(message, member=bundle_format.UNITS)
    return units


def _is_sound(unit: Unit, count: int) -> bool:
    folder = f"{unit.name}-{unit.digest}"
    return (
        "/" not in folder
        and content.member.name_fault(folder) is None
        and len(bytes.fromhex(unit.digest)) == len(bytes.fromhex(unit.data_digest)) == 32
        and all(0 <= number < count for number in unit.brings)
        and all(letter in LETTERS for letter in unit.files.values())
    )
