"""The end of a zip archive, which says where the central directory lies: bytes in, values out.

Written after APPNOTE.TXT 6.3 (4.3.14 to 4.3.16).  Of a bundle with a sound index nothing else of the zip is read.
"""

from .errors import BundleFormatError
from .format import number

END_SIGNATURE = b"PK\x05\x06"
END_SIZE = 22
END64_SIZE = 56
END64_LOCATOR_SIZE = 20
LARGEST_END = END64_SIZE + END64_LOCATOR_SIZE + END_SIZE + 0xFFFF
# Of an entry of the central directory, without its name.
ENTRY_SIZE = 46
# A central directory is read whole.  One with longer entries on average was made to fill the memory.
MOST_WASTE = 1 << 20
LONGEST_MEAN = 512


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
        plain = (count, 0xFFFF), (size, 0xFFFFFFFF), (offset, 0xFFFFFFFF)
        count = number(tail, record + 32, record + 40)
        size = number(tail, record + 40, record + 48)
        offset = number(tail, record + 48, record + 56)
        directory_end = record
        wide = (count, size, offset)
        if any(value not in {full, other} for (value, full), other in zip(plain, wide, strict=True)):
            # Half of all tools believe the one, and half the other (CVE-2025-54368).
            message = "the zip's end record and its zip64 end record disagree; pack it anew"
            raise BundleFormatError(message, offset=tail_start + position)
    directory_offset = tail_start + directory_end - size
    archive_start = directory_offset - offset
    if archive_start < start or not count * ENTRY_SIZE <= size <= MOST_WASTE + count * LONGEST_MEAN:
        message = "the zip's end record is damaged, or the file is truncated; copy it again, or pack it anew"
        raise BundleFormatError(message, offset=tail_start + position)
    return EndRecord(archive_start, directory_offset, size, count, comment, tail_start + position)
