"""The bundle format, version 1, as code: names, locator, index.  Bytes in, values out; no I/O.

`encoding` writes the index.  `embedded` describes the runtime that a standalone program has.

The index is a run of blocks, one per directory, children before their parents, and a head at its end.  A block
names its directory's files and subdirectories, says where each file's data lies, where each module's code lies for
each embedded Python, and where each subdirectory's block lies.  So the root block, which the head points to, leads
to every other one, and opening a bundle reads two small pieces however many members it has.  Each block notes the
checksums of those below it, so what is read later is of the same version as what was read first, or refused.

All numbers are little-endian; all offsets count from the start of the file.

Locator (the comment of the end-of-central-directory record)::

    0   8s  magic "pybundle"          34  u64  offset of the central directory
    8   u16 format version            42  u64  size of the central directory
    10  u32 size of the head          50  u64  entries in the central directory
    14  u64 offset of the index       58  u32  CRC-32 of the central directory
    22  u64 size of the index         62  u32  CRC-32 of the locator up to here
    30  u32 CRC-32 of the index

Head (the last bytes of the index)::

    0   4s  magic "PBh1"              44  u32  size of the root block
    4   32s SHA-256 of RECORD         48  u16  number of code tags
    36  u64 offset of the root block  50  per tag: 4s pyc magic, u16 length, code tag in ISO 8859-1
                                      then, where there are units (see `units`): where their table lies,
                                      u64 offset, u32 size, u32 CRC-32
                                      last 4 bytes: CRC-32 of the head up to there

Block::

    0   4s  magic "PBd1"              8   u32  number of entries
    4   u32 size of the names         12  names: directory NUL entry NUL entry ... (UTF-8, sorted, "dir/")
    then per entry 36 bytes: u32 crc, u8 kind, u8 flags, u16 method, u64 offset, u64 packed size, u64 size, u32 DOS time
      (a subdirectory: the last 4 bytes of its block, 0 where nobody noted them; kind, 0, 0; offset, size, 0, 0)
    then per code tag and entry 16 bytes: u64 offset, u32 size, u32 crc
    last 4 bytes: CRC-32 of the block up to there
"""

import time

from .codec import crc32
from .errors import BundleFormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = 1
SUFFIX = ".pybundle"

INFO = "BUNDLE-INFO/"
MANIFEST = INFO + "manifest.json"
RECORD = INFO + "RECORD"
INDEX = INFO + "index"
CODE = INFO + "code."
PAYLOAD = INFO + "payload.zip"
UNITS = INFO + "units"
RUNTIME = INFO + "runtime."
MAIN = "__main__.py"

LOCATOR_MAGIC = b"pybundle"
LOCATOR_SIZE = 66
HEAD_MAGIC = b"PBh1"
BLOCK_MAGIC = b"PBd1"
ENTRY_SIZE = 36
CODE_SIZE = 16
KIND_FILE = 0
KIND_DIRECTORY = 1
# Flags of a module: its code asks where it lies and needs an answer that is real; code elsewhere may ask.
FLAG_REAL = 1
FLAG_REACHED = 2
LOCATED = FLAG_REAL | FLAG_REACHED
# Beside them, of `Directory.flags`; the index has no such flag.
EMBEDDED = 0x100
LONGEST_NAME = 4096
DEEPEST_NAME = 200


def number(data: bytes, start: int, end: int) -> int:
    """Return the little-endian number in the bytes *start* to *end* of *data*."""
    return int.from_bytes(data[start:end], "little")


def _checked(data: bytes) -> bool:
    return crc32(data[:-4]) == number(data, len(data) - 4, len(data))


def sealed(data: bytes) -> bytes:
    """Return *data* with its CRC-32 behind it."""
    return data + crc32(data).to_bytes(4, "little")


def name_fault(name: str) -> "str | None":  # noqa: PLR0911 (one for each rule)
    """Return why a member cannot be called *name*, or None where it can.

    Such a name could lead outside a folder, or means different things to different tools.
    """
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if "\0" in name:
        return "has a NUL"
    if "\\" in name:
        return "has a backslash"
    if name[0] == "/":
        return "is absolute"
    parts = name.split("/")
    if any(part[1:2] == ":" for part in parts):
        return "has a drive letter"
    if len(parts) > DEEPEST_NAME:
        return f"has more than {DEEPEST_NAME} parts"
    if not {"", ".", ".."}.isdisjoint(parts):
        return "has an empty part, '.' or '..'"
    return None


class Extent:
    """A run of bytes in the file, with its checksum."""

    __slots__ = ("crc", "offset", "size")

    def __init__(self, offset: int, size: int, crc: int) -> None:
        self.offset = offset
        self.size = size
        self.crc = crc

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Extent):
            return NotImplemented
        return (self.offset, self.size, self.crc) == (other.offset, other.size, other.crc)

    def __hash__(self) -> int:
        return hash((self.offset, self.size, self.crc))

    def encode(self) -> bytes:
        """Return its bytes: u64 offset, u32 size, u32 CRC-32."""
        return self.offset.to_bytes(8, "little") + self.size.to_bytes(4, "little") + self.crc.to_bytes(4, "little")


def decode_extent(data: bytes) -> "Extent | None":
    """Return the extent in the 16 bytes of *data*, or None where it is empty."""
    value = int.from_bytes(data, "little")
    size = value >> 64 & 0xFFFFFFFF
    return Extent(value & 0xFFFFFFFFFFFFFFFF, size, value >> 96) if size else None


class Member:
    """One member: its name in the bundle, where its data lies, and what the data must be.

    ``header`` is the raw name that the member's local header must carry, and ``offset`` then that header's
    offset, because only the header says where the data begins; it is None where ``offset`` is the data's own.
    ``stamp`` is the DOS date and time of the zip entry, as it stands there.
    ``refusal`` says why the member must not be read, or is None.
    """

    __slots__ = ("crc", "header", "method", "name", "offset", "packed_size", "refusal", "size", "stamp")

    def __init__(
        self,
        name: str,
        method: int,
        offset: int,
        packed_size: int,
        size: int,
        crc: int,
        stamp: int,
        *,
        header: "bytes | None" = None,
        refusal: "str | None" = None,
    ) -> None:
        self.name = name
        self.method = method
        self.offset = offset
        self.packed_size = packed_size
        self.size = size
        self.crc = crc
        self.stamp = stamp
        self.header = header
        self.refusal = refusal


def local_seconds(stamp: int) -> int:
    """Return the seconds since the epoch of a DOS date and time, which count local time; 0 where it is none."""
    date, clock = stamp >> 16, stamp & 0xFFFF
    moment = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    try:
        return max(0, int(time.mktime((*moment, -1, -1, -1)))) & 0xFFFFFFFF
    except (ValueError, OverflowError):
        return 0


class Locator:
    """Where the index is, and the central directory that it was made for."""

    __slots__ = (
        "directory_count",
        "directory_crc",
        "directory_offset",
        "directory_size",
        "head_size",
        "index_crc",
        "index_offset",
        "index_size",
    )

    def __init__(
        self,
        head_size: int,
        index_offset: int,
        index_size: int,
        index_crc: int,
        directory_offset: int,
        directory_size: int,
        directory_count: int,
        directory_crc: int,
    ) -> None:
        self.head_size = head_size
        self.index_offset = index_offset
        self.index_size = index_size
        self.index_crc = index_crc
        self.directory_offset = directory_offset
        self.directory_size = directory_size
        self.directory_count = directory_count
        self.directory_crc = directory_crc

    def encode(self) -> bytes:
        """Return the locator's bytes."""
        return sealed(
            LOCATOR_MAGIC
            + VERSION.to_bytes(2, "little")
            + self.head_size.to_bytes(4, "little")
            + self.index_offset.to_bytes(8, "little")
            + self.index_size.to_bytes(8, "little")
            + self.index_crc.to_bytes(4, "little")
            + self.directory_offset.to_bytes(8, "little")
            + self.directory_size.to_bytes(8, "little")
            + self.directory_count.to_bytes(8, "little")
            + self.directory_crc.to_bytes(4, "little")
        )


def format_version(comment: bytes) -> "int | None":
    """Return the format version that an archive *comment* claims, or None where it is no locator."""
    if comment[:8] != LOCATOR_MAGIC or len(comment) < 10:
        return None
    return number(comment, 8, 10)


def decode_locator(comment: bytes) -> "Locator | None":
    """Return the locator in an archive *comment* of this format version, or None where it holds no sound one."""
    if len(comment) != LOCATOR_SIZE or format_version(comment) != VERSION or not _checked(comment):
        return None
    return Locator(
        number(comment, 10, 14),
        number(comment, 14, 22),
        number(comment, 22, 30),
        number(comment, 30, 34),
        number(comment, 34, 42),
        number(comment, 42, 50),
        number(comment, 50, 58),
        number(comment, 58, 62),
    )


class CodeTag:
    """One embedded kind of bytecode: ``cpython-311`` or ``cpython-311.opt-1``, and its pyc magic (PEP 3147)."""

    __slots__ = ("magic", "name")

    def __init__(self, name: str, magic: bytes) -> None:
        self.name = name
        self.magic = magic


class Head:
    """What the index says about the bundle as a whole."""

    __slots__ = ("record_digest", "root_offset", "root_size", "tags", "units")

    def __init__(
        self,
        record_digest: bytes,
        root_offset: int,
        root_size: int,
        tags: "Sequence[CodeTag]",
        units: "Extent | None" = None,
    ) -> None:
        self.record_digest = record_digest
        self.root_offset = root_offset
        self.root_size = root_size
        self.tags = tags
        self.units = units

    def encode(self) -> bytes:
        """Return the head's bytes."""
        parts = [
            HEAD_MAGIC,
            self.record_digest,
            self.root_offset.to_bytes(8, "little"),
            self.root_size.to_bytes(4, "little"),
            len(self.tags).to_bytes(2, "little"),
        ]
        for tag in self.tags:
            name = tag.name.encode("latin-1")
            parts += [tag.magic, len(name).to_bytes(2, "little"), name]
        if self.units is not None:
            parts.append(self.units.encode())
        return sealed(b"".join(parts))


def decode_head(data: bytes) -> "Head":
    """Return the head in *data*.

    Raises:
        BundleFormatError: it is damaged.

    """
    message = "the index is damaged"
    if len(data) < 54 or data[:4] != HEAD_MAGIC or not _checked(data):
        raise BundleFormatError(message, member=INDEX)
    tags = []
    position = 50
    for _ in range(number(data, 48, 50)):
        end = position + 6 + number(data, position + 4, position + 6)
        if end + 4 > len(data):
            raise BundleFormatError(message, member=INDEX)
        tags.append(CodeTag(data[position + 6 : end].decode("latin-1"), data[position : position + 4]))
        position = end
    units = None
    if position + CODE_SIZE + 4 == len(data):
        units = decode_extent(data[position : position + CODE_SIZE])
    return Head(data[4:36], number(data, 36, 44), number(data, 44, 48), tags, units)


class Directory:
    """One directory of an indexed bundle, searched in place in the bytes of its block.

    ``names`` has the names of its files, and of its subdirectories with a slash at their end.
    """

    __slots__ = ("_block", "_codes", "_entries", "count", "names", "prefix")

    def __init__(self, block: bytes, path: str, crc: int = 0) -> None:
        """Decode *block*, which must describe the directory *path* ("" or "pkg/sub").

        Arguments:
            block: its bytes.
            path: the directory's name.
            crc: the block's own checksum, as the block above has noted it; 0 where nobody has.

        Raises:
            BundleFormatError: the block is damaged, describes another directory, or is that of another version.

        """
        if len(block) < 16 or block[:4] != BLOCK_MAGIC or not _checked(block):
            message = f"the index is damaged (directory {path!r})"
            raise BundleFormatError(message, member=INDEX)
        if crc and number(block, len(block) - 4, len(block)) != crc:
            message = f"the index is damaged (directory {path!r} is of another version of the bundle)"
            raise BundleFormatError(message, member=INDEX)
        self._entries = 12 + number(block, 4, 8)
        self.count = number(block, 8, 12)
        self._codes = self._entries + self.count * ENTRY_SIZE
        if self._codes + 4 > len(block):
            message = f"the index is damaged (directory {path!r} has more entries than there is room for)"
            raise BundleFormatError(message, member=INDEX)
        owner, *names = block[12 : self._entries].decode("utf-8", "surrogateescape").split("\0")
        if owner != path or len(names) != self.count:
            message = f"the index is damaged (directory {path!r} is described as {owner!r})"
            raise BundleFormatError(message, member=INDEX)
        self._block = block
        self.prefix = path + "/" if path else ""
        self.names = dict(zip(names, range(len(names)), strict=True))

    def member(self, name: str) -> "Member":
        """Return the file *name* (KeyError where there is none)."""
        start = self._entries + self.names[name] * ENTRY_SIZE
        record = self._block[start : start + ENTRY_SIZE]
        return Member(
            self.prefix + name,
            number(record, 6, 8),
            number(record, 8, 16),
            number(record, 16, 24),
            number(record, 24, 32),
            number(record, 0, 4),
            number(record, 32, 36),
        )

    def subdirectory(self, name: str) -> "Extent":
        """Return where the block of subdirectory *name* lies, and its own checksum (KeyError where there is none)."""
        start = self._entries + self.names[name + "/"] * ENTRY_SIZE
        record = self._block[start : start + ENTRY_SIZE]
        return Extent(number(record, 8, 16), number(record, 16, 24), number(record, 0, 4))

    def code(self, name: str, column: int) -> "Extent | None":
        """Return where the pyc image of file *name* lies for code tag number *column*, or None."""
        start = self._codes + (column * self.count + self.names[name]) * CODE_SIZE
        return decode_extent(self._block[start : start + CODE_SIZE])

    def may_have(self, suffix: str) -> bool:
        """Return False where no name ends in *suffix*."""
        return suffix.encode() in self._block

    def flags(self, name: str, column: int = -1) -> int:
        """Return the flags of the file *name*; with `EMBEDDED` where it has an image for code tag number *column*."""
        block, at = self._block, self.names[name]
        flags = block[self._entries + at * ENTRY_SIZE + 5]
        size = self._codes + (column * self.count + at) * CODE_SIZE + 8
        return flags | EMBEDDED if column >= 0 and block[size : size + 4] != b"\0\0\0\0" else flags
