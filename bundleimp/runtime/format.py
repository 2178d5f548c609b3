"""The bundle format, version 1: the zip's end record, locator, head, blocks.  Takes bytes, returns values; no I/O.

This module decodes the index; `bundleimp.encoding` encodes it.  `interpreter.embedded` describes the runtime inside a
standalone program.

The index is a sequence of blocks, one for each directory, children before their parents, with a head at its end.  A
block contains the names of its directory's files and subdirectories.  It also contains the position of each file's
data, of each module's code for each embedded Python, and of each subdirectory's block.  The head points to the root
block, and the root block leads to all other blocks.  So opening a bundle reads two small pieces, however many members
it has.  Each block contains the checksums of the blocks below it.  So a block that is read later belongs to the same
version as the first, or is refused.

All numbers are little-endian; all offsets count from the start of the file.  *Checksum* is `checksum`.  CRC-32 is that
of zip (APPNOTE.TXT), and is used for the data that zip tools can read.

Locator (the comment of the end-of-central-directory record)::

    0   8s  magic "pybundle"          34  u64  offset of the central directory
    8   u16 format version            42  u64  size of the central directory
    10  u32 size of the head          50  u64  entries in the central directory
    14  u64 offset of the index       58  u32  checksum of the central directory
    22  u64 size of the index         62  u32  checksum of the locator up to here
    30  u32 checksum of the index

Head (the last bytes of the index)::

    0   4s  magic "PBh1"              44  u32  size of the root block
    4   32s SHA-256 of RECORD         48  u16  number of code tags
    36  u64 offset of the root block  50  per tag: 4s pyc magic, u16 length, code tag in ISO 8859-1
                                      then the extent of the table of units (see `site.units`), of size 0 if
                                      there are none; then, if the size of the root block is 0, the table of
                                      targets (see `content.targets`)
                                      last 4 bytes: checksum of the head up to there

Block::

    0   4s  magic "PBd1"              8   u32  number of entries
    4   u32 size of the names         12  names: directory NUL entry NUL entry ... (UTF-8, sorted, "dir/")
    then per entry 36 bytes: u32 CRC-32, u8 kind, u8 flags, u16 method, u64 offset, u64 packed size, u64 size,
      u32 DOS time (a subdirectory: the last 4 bytes of its block; kind, flags, 0; offset, size, 0, 0)
    then per code tag and entry an extent
    last 4 bytes: checksum of the block up to there

Extent: u64 offset, u32 size, u32 checksum.  A module's code is a pyc image, or compressed (see `content.images`).

A code tag is that of an interpreter, such as "cpython-313" or "cpython-313.opt-1".  With ".lazy" at its end, it is the
tag of code with lazy imports (see `interpreter.lazily`).  A module without lazy imports has the same extent for both.
"""

import _imp

from . import Record, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    EndRecord = Extent = Locator = Head = Record

VERSION = 1
SUFFIX = ".pybundle"
# All that the name of a bundle may end in.  Engines, such as Spark, take only files with one of the others.
SUFFIXES = (".pybundle", ".pybundle.zip", ".pybundle.egg", ".pybundle.jar", ".pybundle.pyz")

INFO = "BUNDLE-INFO/"
MANIFEST = INFO + "manifest.json"
RECORD = INFO + "RECORD"
INDEX = INFO + "index"
CODE = INFO + "code."
PAYLOAD = INFO + "payload.zip"
UNITS = INFO + "units"
RUNTIME = INFO + "runtime."
MAIN = "__main__.py"

END_SIGNATURE = b"PK\x05\x06"
END_SIZE = 22
END64_SIZE = 56
END64_LOCATOR_SIZE = 20
LARGEST_END = END64_SIZE + END64_LOCATOR_SIZE + END_SIZE + 0xFFFF
# The size of an entry of the central directory without its name.
CENTRAL_SIZE = 46
DAMAGED = "does not match its checksum: the file is damaged; copy it again, or pack it anew"
# A central directory is read as a whole.  One with longer entries on average was made to exhaust the memory.
MOST_WASTE = 1 << 20
LONGEST_MEAN = 512

LOCATOR_MAGIC = b"pybundle"
LOCATOR_SIZE = 66
HEAD_MAGIC = b"PBh1"
BLOCK_MAGIC = b"PBd1"
ENTRY_SIZE = 36
CODE_SIZE = 16
KIND_FILE = 0
KIND_DIRECTORY = 1
# When a module with FLAG_WHOLE is imported, its whole unit is placed as real files; with FLAG_DATA, only the data part.
# A directory with FLAG_DATA is a namespace portion with data.
FLAG_WHOLE = 1
FLAG_DATA = 2


def number(data: bytes, start: int, end: int) -> int:
    """Return the little-endian number in the bytes *start* to *end* of *data*."""
    return int.from_bytes(data[start:end], "little")


def checksum(data: bytes) -> int:
    """Return the checksum of *data*: the first 32 bits of the hash that the interpreter has for PEP 552.

    It takes less time than a CRC-32, and requires no module: loading zlib takes as long as loading a small package.
    """
    return int.from_bytes(seal(data), "little")


def seal(data: bytes) -> bytes:
    """Return the checksum of *data* as the 4 bytes in the file."""
    return _imp.source_hash(0, data)[:4]


def _is_sound(data: bytes) -> bool:
    return seal(data[:-4]) == data[-4:]


def find_end(tail: bytes, tail_start: int, start: int) -> "EndRecord | None":
    """Find the end record of an archive (APPNOTE.TXT 6.3, 4.3.14 to 4.3.16).  Return None if *tail* has none.

    Arguments:
        tail: the archive's last bytes; `LARGEST_END` of them always contain the record.
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


def _decode_end(tail: bytes, position: int, tail_start: int, start: int) -> EndRecord:
    count = number(tail, position + 10, position + 12)
    size = number(tail, position + 12, position + 16)
    offset = number(tail, position + 16, position + 20)
    comment = tail[position + END_SIZE :]
    directory_end = position
    locator = position - END64_LOCATOR_SIZE
    record = locator - END64_SIZE
    if record >= 0 and tail[locator : locator + 4] == b"PK\x06\x07" and tail[record : record + 4] == b"PK\x06\x06":
        plain = (count, 0xFFFF), (size, 0xFFFFFFFF), (offset, 0xFFFFFFFF)
        count = number(tail, record + 32, record + 40)
        size = number(tail, record + 40, record + 48)
        offset = number(tail, record + 48, record + 56)
        directory_end = record
        wide = (count, size, offset)
        if any(value not in {full, other} for (value, full), other in zip(plain, wide, strict=True)):
            # Half of all tools use the one record, and half the other (CVE-2025-54368).
            message = "the zip's end record and its zip64 end record disagree; pack it anew"
            raise fault(message, offset=tail_start + position)
    directory_offset = tail_start + directory_end - size
    archive_start = directory_offset - offset
    if archive_start < start or not count * CENTRAL_SIZE <= size <= MOST_WASTE + count * LONGEST_MEAN:
        message = "the zip's end record is damaged, or the file is truncated; copy it again, or pack it anew"
        raise fault(message, offset=tail_start + position)
    return EndRecord(
        start=archive_start,
        directory_offset=directory_offset,
        directory_size=size,
        count=count,
        comment=comment,
        offset=tail_start + position,
    )


def decode_extent(data: bytes) -> "Extent | None":
    """Return the extent in the 16 bytes of *data*, or None if its size is 0."""
    value = int.from_bytes(data, "little")
    size = value >> 64 & 0xFFFFFFFF
    return Extent(offset=value & 0xFFFFFFFFFFFFFFFF, size=size, checksum=value >> 96) if size else None


def decode_locator(comment: bytes) -> "Locator | None":
    """Return the locator in an archive *comment* of this format version, or None if it contains no valid one."""
    if len(comment) != LOCATOR_SIZE or format_version(comment) != VERSION or not _is_sound(comment):
        return None
    return Locator(
        head_size=number(comment, 10, 14),
        index_offset=number(comment, 14, 22),
        index_size=number(comment, 22, 30),
        index_checksum=number(comment, 30, 34),
        directory_offset=number(comment, 34, 42),
        directory_size=number(comment, 42, 50),
        directory_count=number(comment, 50, 58),
        directory_checksum=number(comment, 58, 62),
    )


def format_version(comment: bytes) -> "int | None":
    """Return the format version that an archive *comment* claims, or None if it is not a locator."""
    if comment[:8] != LOCATOR_MAGIC or len(comment) < 10:
        return None
    return number(comment, 8, 10)


def fits(locator: Locator, end: EndRecord, directory: bytes) -> bool:
    """Return whether the index at *locator* was made for the central *directory*, which *end* points to."""
    return (
        end.start == 0
        and locator.directory_offset == end.directory_offset
        and locator.directory_size == end.directory_size
        and locator.directory_count == end.count
        and locator.directory_checksum == checksum(directory)
        and locator.head_size <= locator.index_size
        and locator.index_offset + locator.index_size <= end.directory_offset
    )


def decode_head(data: bytes) -> Head:
    """Return the head in *data*.

    Raises:
        BundleFormatError: the head is damaged.

    """
    message = "the index is damaged"
    if len(data) < 54 or data[:4] != HEAD_MAGIC or not _is_sound(data):
        raise fault(message, member=INDEX)
    tags = {}
    position = 50
    for _ in range(number(data, 48, 50)):
        end = position + 6 + number(data, position + 4, position + 6)
        tags[data[position + 6 : end].decode("latin-1")] = data[position : position + 4]
        position = end
    if position + CODE_SIZE + 4 > len(data) or len(tags) != number(data, 48, 50):
        raise fault(message, member=INDEX)
    units = decode_extent(data[position : position + CODE_SIZE])
    return Head(
        record_digest=data[4:36],
        root_offset=number(data, 36, 44),
        root_size=number(data, 44, 48),
        tags=tags,
        units=units,
    )


class Directory:
    """One directory of an indexed bundle.  Lookups search directly in the bytes of its block.

    Attributes:
        names: the position in the block of each file and subdirectory, by name.  A subdirectory's name ends in a slash.
        prefix: the text before these names in the names of members: "" or "pkg/sub/".

    """

    __slots__ = ("_block", "_codes", "_entries", "_flags", "count", "names", "prefix")

    def __init__(self, block: bytes, path: str, noted: "int | None" = None) -> None:
        """Decode *block*, which must describe the directory *path* ("" or "pkg/sub").

        Arguments:
            block: the bytes of the block.
            path: the directory's name.
            noted: the block's checksum according to its parent block, or None if it has no parent.

        Raises:
            BundleFormatError: the block is damaged, describes another directory, or belongs to another version.

        """
        message = ""
        if len(block) < 16 or block[:4] != BLOCK_MAGIC or not _is_sound(block):
            message = f"the index is damaged (directory {path!r})"
        elif noted is not None and number(block, len(block) - 4, len(block)) != noted:
            message = f"the index is damaged (directory {path!r} is of another version of the bundle)"
        if message:
            raise fault(message, member=INDEX)
        self._entries = 12 + number(block, 4, 8)
        self.count = number(block, 8, 12)
        self._codes = self._entries + self.count * ENTRY_SIZE
        if self._codes + 4 > len(block):
            message = f"the index is damaged (directory {path!r} has more entries than there is room for)"
            raise fault(message, member=INDEX)
        owner, *names = block[12 : self._entries].decode("utf-8", "surrogateescape").split("\0")
        if owner != path or len(names) != self.count:
            message = f"the index is damaged (directory {path!r} is described as {owner!r})"
            raise fault(message, member=INDEX)
        self._block = block
        self._flags = self._entries + 5  # those of the first entry
        self.prefix = path + "/" if path else ""
        self.names = dict(zip(names, range(len(names))))  # noqa: B905 (they are of one length)

    def entry(self, name: str) -> bytes:
        """Return the 36 bytes for the file *name* or the subdirectory "*name*/".  Raise KeyError if there is none."""
        start = self._entries + self.names[name] * ENTRY_SIZE
        return self._block[start : start + ENTRY_SIZE]

    def member(self, name: str) -> "Member":
        """Return the file *name*.  Raise KeyError if there is none."""
        from . import content  # noqa: PLC0415 (loaded when first needed)

        return content.member.decode_member(self.prefix + name, self.entry(name))

    def subdirectory(self, name: str) -> Extent:
        """Return the extent and checksum of the block of subdirectory *name*.  Raise KeyError if there is none."""
        entry = self.entry(name + "/")
        return Extent(offset=number(entry, 8, 16), size=number(entry, 16, 24), checksum=number(entry, 0, 4))

    def code_entry(self, name: str, column: int) -> bytes:
        """Return the encoded extent of the pyc image of file *name*.  Its size is 0 if there is no image."""
        start = self._codes + (column * self.count + self.names[name]) * CODE_SIZE
        return self._block[start : start + CODE_SIZE]

    def flags(self, name: str) -> int:
        """Return the flags of the file *name* or the subdirectory "*name*/"."""
        return self._block[self._flags + self.names[name] * ENTRY_SIZE]

    def may_have(self, suffix: str) -> bool:
        """Return False if no name ends in *suffix*."""
        return self._block.find(suffix.encode(), 12, self._entries) >= 0
