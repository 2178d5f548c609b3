"""The central directory of a zip archive: bytes in, members out.

Written after APPNOTE.TXT 6.3 (4.3.12 to 4.3.16, and 4.5.3 for zip64).  It serves archives without an index (plain
zips, wheels, bundles that another tool has changed) and every command that judges a file.
"""

import time

from .errors import BundleFormatError
from .format import Member, name_fault, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

END_SIGNATURE = b"PK\x05\x06"
END_SIZE = 22
ENTRY_SIGNATURE = b"PK\x01\x02"
ENTRY_SIZE = 46
HEADER_SIGNATURE = b"PK\x03\x04"
HEADER_SIZE = 30
END64_SIZE = 56
END64_LOCATOR_SIZE = 20
LARGEST_END = END64_SIZE + END64_LOCATOR_SIZE + END_SIZE + 0xFFFF

_ENCRYPTED = 0x1
_DATA_DESCRIPTOR = 0x8
_UTF8 = 0x800
_UNIX = 3
_ZIP64_EXTRA = 1
_IN_ZIP64 = 0xFFFFFFFF

# Code page 437, the encoding of names without the UTF-8 flag: the codec of that name is a module to import.
_CP437 = "".join(map(chr, range(128))) + (
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ"
    "áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
    "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0"
)
_DECODE_CP437 = dict(enumerate(_CP437))


class EndRecord:
    """The end of an archive: where its central directory lies, and the archive's comment.

    ``start`` is the offset at which the archive begins (what stands before it is a shebang or a program);
    ``offset`` is that of the end record itself.
    """

    __slots__ = ("comment", "count", "directory_offset", "directory_size", "offset", "start")

    def __init__(
        self, start: int, directory_offset: int, directory_size: int, count: int, comment: bytes, offset: int
    ) -> None:
        self.start = start
        self.directory_offset = directory_offset
        self.directory_size = directory_size
        self.count = count
        self.comment = comment
        self.offset = offset


def find_end(tail: bytes, tail_start: int, start: int) -> "EndRecord | None":
    """Find the end record of an archive; None where *tail* holds none.

    Arguments:
        tail: the archive's last bytes; `LARGEST_END` of them always hold the record.
        tail_start: the offset of *tail* in the file.
        start: the offset of the first byte that may belong to the archive.

    Raises:
        BundleFormatError: the record points outside the archive.

    """
    position = len(tail) - END_SIZE
    while position >= 0:
        position = tail.rfind(END_SIGNATURE, 0, position + 4)
        if position < 0:
            return None
        if position + END_SIZE + number(tail, position + 20, position + 22) == len(tail):
            return _decode_end(tail, position, tail_start, start)
        position -= 1
    return None


def _decode_end(tail: bytes, position: int, tail_start: int, start: int) -> "EndRecord":
    count = number(tail, position + 10, position + 12)
    size = number(tail, position + 12, position + 16)
    offset = number(tail, position + 16, position + 20)
    comment = tail[position + END_SIZE :]
    directory_end = position
    locator = position - END64_LOCATOR_SIZE
    record = locator - END64_SIZE
    if record >= 0 and tail[locator : locator + 4] == b"PK\x06\x07" and tail[record : record + 4] == b"PK\x06\x06":
        count = number(tail, record + 32, record + 40)
        size = number(tail, record + 40, record + 48)
        offset = number(tail, record + 48, record + 56)
        directory_end = record
    directory_offset = tail_start + directory_end - size
    archive_start = directory_offset - offset
    if archive_start < start or size < count * ENTRY_SIZE:
        message = "the zip's end record is damaged, or the file is truncated; copy it again, or pack it anew"
        raise BundleFormatError(message, offset=tail_start + position)
    return EndRecord(archive_start, directory_offset, size, count, comment, tail_start + position)


def _zip64(extra: bytes, values: "list[int]") -> "list[int]":
    """Return *values* (size, packed size, offset) with those that stand in the zip64 extra field put in."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = number(extra, position, position + 2), number(extra, position + 2, position + 4)
        if kind == _ZIP64_EXTRA:
            field = extra[position + 4 : position + 4 + length]
            result = []
            for value in values:
                if value == _IN_ZIP64:
                    if len(field) < 8:
                        break
                    result.append(number(field, 0, 8))
                    field = field[8:]
                else:
                    result.append(value)
            else:
                return result
        position += 4 + length
    message = "a zip64 size is missing"
    raise ValueError(message)


def dos_time(moment: "tuple[int, int, int, int, int, int]") -> int:
    """Return the DOS date (high 16 bits) and time of a date and time; seconds are rounded down to even ones."""
    year, month, day, hour, minute, second = moment
    return (year - 1980) << 25 | month << 21 | day << 16 | hour << 11 | minute << 5 | second >> 1


def local_seconds(stamp: int) -> int:
    """Return the seconds since the epoch of a DOS date and time, which count local time; 0 where it is none."""
    date, clock = stamp >> 16, stamp & 0xFFFF
    moment = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    try:
        return max(0, int(time.mktime((*moment, -1, -1, -1)))) & 0xFFFFFFFF
    except (ValueError, OverflowError):
        return 0


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
    """One entry of a central directory as it stands there, whether or not its name can be used.

    ``member.name`` of a directory entry ends in a slash.  ``fault`` says what is wrong with the name, or is None.
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
        BundleFormatError: it is damaged; nothing that follows can be trusted.

    """
    position = 0
    for _ in range(end.count):
        here = end.directory_offset + position
        if data[position : position + 4] != ENTRY_SIGNATURE or position + ENTRY_SIZE > len(data):
            message = "the central directory is damaged"
            raise BundleFormatError(message, offset=here)
        flags = number(data, position + 8, position + 10)
        name_end = position + ENTRY_SIZE + number(data, position + 28, position + 30)
        extra_end = name_end + number(data, position + 30, position + 32)
        values = [
            number(data, position + 24, position + 28),
            number(data, position + 20, position + 24),
            number(data, position + 42, position + 46),
        ]
        if _IN_ZIP64 in values:
            try:
                values = _zip64(data[name_end:extra_end], values)
            except ValueError as error:
                raise BundleFormatError(str(error), offset=here) from None
        size, packed_size, offset = values
        raw = data[position + ENTRY_SIZE : name_end]
        name = _decode_name(raw, flags)
        mode = number(data, position + 40, position + 42)
        yield RawEntry(
            Member(
                raw.decode("utf-8", "backslashreplace") if name is None else name,
                number(data, position + 10, position + 12),
                end.start + offset,
                packed_size,
                size,
                number(data, position + 16, position + 20),
                number(data, position + 12, position + 16),
                header=raw,
                refusal=_refusal(flags, number(data, position + 4, position + 6), mode),
            ),
            flags,
            mode,
            here,
            "is not valid UTF-8" if name is None else name_fault(name.removesuffix("/")),
        )
        position = extra_end + number(data, position + 32, position + 34)
    if position != len(data):
        message = "the central directory is damaged: its size and its number of entries disagree"
        raise BundleFormatError(message, offset=end.directory_offset + position)


def members(data: bytes, end: "EndRecord") -> "dict[str, Member]":
    """Return the members that imports may see, by name; directory entries keep their slash.

    Entries whose names could lead outside the archive are left out.  Where two entries share a name neither can be
    trusted, so the member is there and refused.

    Raises:
        BundleFormatError: the central directory is damaged.

    """
    result: dict[str, Member] = {}
    for entry in raw_entries(data, end):
        member = entry.member
        if entry.fault is None:
            if member.name in result and not member.name.endswith("/"):
                member.refusal = "appears twice in the archive"
            result[member.name] = member
    return result


class ListedDirectory:
    """One directory of an archive without an index; it answers as `format.Directory` does."""

    __slots__ = ("names", "prefix")

    def __init__(self, path: str) -> None:
        self.names: dict[str, Member | None] = {}  # None: a subdirectory
        self.prefix = path + "/" if path else ""

    def member(self, name: str) -> Member:
        """Return the file *name* (KeyError where there is none)."""
        member = self.names[name]
        if member is None:
            raise KeyError(name)
        return member

    def code(self, name: str, column: int) -> None:
        """Return None: there is no bytecode that an index would know of."""

    def flags(self, name: str) -> int:  # noqa: ARG002 (as of `format.Directory`)
        """Return 0: nobody has looked into the modules."""
        return 0


def list_directories(members: "Iterable[Member]") -> "dict[str, ListedDirectory]":
    """Return the directories that *members* make up, by path, the root as ""; directory entries are not needed."""
    directories = {"": ListedDirectory("")}

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
    return directories


def data_offset(header: bytes, member: Member) -> int:
    """Return how far behind its local *header* the data of *member* begins.

    Two copies of the same facts protect what a checksum cannot: an entry whose size and checksum are both damaged.

    Raises:
        BundleFormatError: the header is damaged, or does not say what the central directory says.

    """
    raw = member.header or b""
    name_size = number(header, 26, 28)
    if header[:4] != HEADER_SIGNATURE or name_size != len(raw) or header[HEADER_SIZE : HEADER_SIZE + name_size] != raw:
        message = "the local header is damaged or is that of another member"
        raise BundleFormatError(message, member=member.name, offset=member.offset)
    packed_size, size = number(header, 18, 22), number(header, 22, 26)
    # A data descriptor or the zip64 field may hold what the header itself then does not.
    silent = number(header, 6, 8) & _DATA_DESCRIPTOR or _IN_ZIP64 in {packed_size, size}
    same_data = (number(header, 14, 18), packed_size, size) == (member.crc, member.packed_size, member.size)
    if number(header, 8, 10) != member.method or not (silent or same_data):
        message = "the local header and the central directory disagree"
        raise BundleFormatError(message, member=member.name, offset=member.offset)
    return HEADER_SIZE + name_size + number(header, 28, 30)
