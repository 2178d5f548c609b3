"""The central directory of a zip archive: takes bytes, returns members.

Written after APPNOTE.TXT 6.3 (4.3.12 to 4.3.16, and 4.5.3 for zip64).  This module serves archives without an index
(plain zips, wheels, bundles that another tool has changed) and every command that checks a file.
"""

from .. import content, faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ..content.member import Member
    from ..format import EndRecord

ENTRY_SIGNATURE = b"PK\x01\x02"

_ENCRYPTED = 0x1
_UTF8 = 0x800
_UNIX = 3
_ZIP64_EXTRA = 1
_IN_ZIP64 = 0xFFFFFFFF
# Limits for directories: the number that a few members may have, and the number that each further member may add.
_MOST_EMPTY = 1000
_MOST_EACH = 2

# Code page 437 is the encoding of names without the UTF-8 flag.  Python's codec would have to be imported.
_CP437 = "".join(map(chr, range(128))) + (
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0"
)
_DECODE_CP437 = dict(enumerate(_CP437))


def _zip64(extra: bytes, values: "list[int]") -> "list[int]":
    """Return *values* (size, packed size, offset), with values from the zip64 extra field put in where needed."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = (
            bundle_format.number(extra, position, position + 2),
            bundle_format.number(extra, position + 2, position + 4),
        )
        if kind == _ZIP64_EXTRA:
            field = extra[position + 4 : position + 4 + length]
            result = []
            for value in values:
                if value == _IN_ZIP64:
                    if len(field) < 8:
                        break
                    result.append(bundle_format.number(field, 0, 8))
                    field = field[8:]
                else:
                    result.append(value)
            else:
                return result
        position += 4 + length
    message = "a zip64 size is missing"
    raise ValueError(message)


def dos_time(moment: "tuple[int, int, int, int, int, int]") -> int:
    """Return the DOS date (high 16 bits) and time of a date and time.  Seconds are rounded down to even ones."""
    year, month, day, hour, minute, second = moment
    return (year - 1980) << 25 | month << 21 | day << 16 | hour << 11 | minute << 5 | second >> 1


def _decode_name(raw: bytes, flags: int) -> "str | None":
    if not flags & _UTF8:
        return raw.decode("latin-1").translate(_DECODE_CP437)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _refusal(flags: int, made_by: int, mode: int) -> "str | None":
    if flags & _ENCRYPTED:
        return "is encrypted"
    if made_by >> 8 == _UNIX and mode & 0o170000 == 0o120000:
        return "is a symbolic link"
    return None


class RawEntry:
    """One entry of a central directory, as the file contains it.  Its name may be unusable.

    ``member.name`` of a directory entry ends in a slash.  ``fault`` describes what is wrong with the name, or is None.
    """

    __slots__ = ("fault", "flags", "member", "mode", "position")

    def __init__(self, member: "Member", flags: int, mode: int, position: int, fault: "str | None") -> None:
        self.member = member
        self.flags = flags
        self.mode = mode
        self.position = position
        self.fault = fault


def raw_entries(data: bytes, end: "EndRecord") -> "Iterator[RawEntry]":
    """Decode the central directory *data*, which *end* announced.

    Raises:
        BundleFormatError: the central directory is damaged; nothing that follows can be trusted.

    """
    position = 0
    for _ in range(end.count):
        here = end.directory_offset + position
        if data[position : position + 4] != ENTRY_SIGNATURE or position + bundle_format.CENTRAL_SIZE > len(data):
            message = "the central directory is damaged"
            raise faults.kinds.BundleFormatError(message, offset=here)
        flags = bundle_format.number(data, position + 8, position + 10)
        name_end = position + bundle_format.CENTRAL_SIZE + bundle_format.number(data, position + 28, position + 30)
        extra_end = name_end + bundle_format.number(data, position + 30, position + 32)
        values = [
            bundle_format.number(data, position + 24, position + 28),
            bundle_format.number(data, position + 20, position + 24),
            bundle_format.number(data, position + 42, position + 46),
        ]
        if _IN_ZIP64 in values:
            try:
                values = _zip64(data[name_end:extra_end], values)
            except ValueError as error:
                raise faults.kinds.BundleFormatError(str(error), offset=here) from None
        size, packed_size, offset = values
        raw = data[position + bundle_format.CENTRAL_SIZE : name_end]
        name = _decode_name(raw, flags)
        mode = bundle_format.number(data, position + 40, position + 42)
        yield RawEntry(
            content.member.Member(
                raw.decode("utf-8", "backslashreplace") if name is None else name,
                bundle_format.number(data, position + 10, position + 12),
                end.start + offset,
                packed_size,
                size,
                bundle_format.number(data, position + 16, position + 20),
                bundle_format.number(data, position + 12, position + 16),
                header=raw,
                refusal=_refusal(flags, bundle_format.number(data, position + 4, position + 6), mode),
            ),
            flags,
            mode,
            here,
            "is not valid UTF-8" if name is None else content.member.name_fault(name.removesuffix("/")),
        )
        position = extra_end + bundle_format.number(data, position + 32, position + 34)
    if position != len(data):
        message = "the central directory is damaged: its size and its number of entries disagree"
        raise faults.kinds.BundleFormatError(message, offset=end.directory_offset + position)


class Listing:
    """The members of an archive without an index that imports may use.

    Attributes:
        members: the members by name; directory entries keep their slash.
        fault: the first disagreement that may cause a member to be missing here, or None.

    """

    __slots__ = ("fault", "members")

    def __init__(self, members: "dict[str, Member]", fault: "faults.kinds.BundleFormatError | None") -> None:
        self.members = members
        self.fault = fault


def members(data: bytes, end: "EndRecord", read: "Callable[[int, int], bytes]") -> Listing:
    """Return the members that imports may use.

    Entries whose names could lead outside the archive are left out.  If two entries share a name, neither can be
    trusted, so the member is listed and refused.  If a name is damaged, its module would silently not be found.  Only
    the copy in the local header protects the name.  If the two copies differ, both names are listed and refused.

    Arguments:
        data: the central directory.
        end: the end record that announced it.
        read: reads from the file: offset, size.

    Raises:
        BundleFormatError: the central directory is damaged.

    """
    result: dict[str, content.member.Member] = {}
    doubted = []
    fault = None
    if not end.count and end.start:
        message = f"says that the archive is empty, and {end.start} bytes stand before it: the end record is damaged"
        fault = faults.kinds.BundleFormatError(message, offset=end.offset)
    for entry in raw_entries(data, end):
        member = entry.member
        try:
            other = _other_name(entry, read)
        except faults.kinds.BundleFormatError as error:
            error.member = member.name
            other, fault = None, fault or error
        if other is not None:
            member.refusal = f"has another name in its local header, {other!r}"
            fault = fault or faults.kinds.BundleFormatError(member.refusal, member=member.name, offset=entry.position)
            doubted.append((other.removesuffix("/"), member))
        if entry.fault is None:
            if member.name in result and not member.name.endswith("/"):
                member.refusal = "appears twice in the archive"
            result[member.name] = member
    for name, member in doubted:
        if content.member.name_fault(name) is None and name not in result:
            other_name = f"has another name in the central directory, {member.name!r}"
            result[name] = content.member.Member(name, 0, member.offset, 0, 0, 0, 0, header=b"", refusal=other_name)
    return Listing(result, fault)


def _other_name(entry: RawEntry, read: "Callable[[int, int], bytes]") -> "str | None":
    """Return the name in the local header of *entry* if it differs from the central directory's, else None."""
    member = entry.member
    raw = member.header or b""
    header = read(member.offset, content.localheader.HEADER_SIZE + len(raw))
    if header[:4] != content.localheader.HEADER_SIGNATURE:
        message = "has no local header where the central directory says"
        raise faults.kinds.BundleFormatError(message, offset=member.offset)
    flags, size = bundle_format.number(header, 6, 8), bundle_format.number(header, 26, 28)
    if size == len(raw) and header[content.localheader.HEADER_SIZE :] == raw and not (flags ^ entry.flags) & _UTF8:
        return None
    other = read(member.offset + content.localheader.HEADER_SIZE, size)
    name = _decode_name(other, flags)
    name = other.decode("utf-8", "backslashreplace") if name is None else name
    return None if name == member.name else name


class ListedDirectory:
    """One directory of an archive without an index.  It has the methods of `format.Directory`."""

    __slots__ = ("names", "prefix")

    def __init__(self, path: str) -> None:
        self.names: dict[str, content.member.Member | None] = {}  # None marks a subdirectory
        self.prefix = path + "/" if path else ""

    def member(self, name: str) -> content.member.Member:
        """Return the file *name*.  Raise KeyError if there is none."""
        member = self.names[name]
        if member is None:
            raise KeyError(name)
        return member

    def code_entry(self, name: str, column: int) -> bytes:  # noqa: ARG002 (as of `format.Directory`)
        """Return an empty extent: without an index, no embedded bytecode is known."""
        return bytes(bundle_format.CODE_SIZE)

    def may_have(self, suffix: str) -> bool:
        """Return False if no name ends in *suffix*."""
        return suffix in "\0".join(["", *self.names])

    def flags(self, name: str) -> int:  # noqa: ARG002 (as of `format.Directory`)
        """Return 0: the modules have not been analyzed."""
        return 0


def list_directories(members: "Collection[Member]") -> "dict[str, ListedDirectory]":
    """Return the directories of *members* by path, the root as "".  Directory entries are not needed.

    Raises:
        BundleFormatError: there are so many directories that they were made to exhaust the memory.

    """
    directories = {"": ListedDirectory("")}
    most = _MOST_EMPTY + _MOST_EACH * len(members)

    def directory(path: str) -> "ListedDirectory":
        found = directories.get(path)
        if found is not None:
            return found
        found = directories[path] = ListedDirectory(path)
        while path:  # up to the first directory that is known already
            parent, _, name = path.rpartition("/")
            path = "" if parent in directories else parent
            directories.setdefault(parent, ListedDirectory(parent)).names[name + "/"] = None
        return found

    for member in members:
        folder, _, name = member.name.rpartition("/")
        if name:
            directory(folder).names[name] = member
        else:
            directory(folder)
        if len(directories) > most:
            message = f"has more than {most} directories for {len(members)} members"
            raise faults.kinds.BundleFormatError(message, member=member.name, offset=member.offset)
    return directories
