"""One zip of a bundle, and the content of one member, read piece by piece and checked."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from ..runtime.archive import find_end
from ..runtime.content.decompression import DEFLATED, STORED, decompress
from ..runtime.content.reading import data_offset
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.format import DAMAGED
from ..runtime.plain import zipdirectory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..runtime.bundlefile import BundleFile
    from ..runtime.content.member import Member
    from ..runtime.format import EndRecord
    from ..runtime.plain.zipdirectory import RawEntry

_CHUNK = 1 << 20
# A command that splits names into parts needs memory for each part.
_DEEPEST_FEW = 1000
_DEEPEST_MEAN = 16


class ZipPart:
    """One zip: the file itself, or the inner one of the nested layout.

    Attributes:
        start: offset of its first byte in the file.
        end: its end record.
        directory: the bytes of its central directory.
        entries: the entries of its central directory, in their order there.

    """

    def __init__(self, file: BundleFile, start: int, end: int) -> None:
        self.start = start
        self.end: EndRecord = find_end(file, start, end).record
        self.directory = file.read(self.end.directory_offset, self.end.directory_size)
        self.entries: list[RawEntry] = list(zipdirectory.raw_entries(self.directory, self.end))
        depth = sum(entry.member.name.count("/") for entry in self.entries)
        if depth > _DEEPEST_FEW + _DEEPEST_MEAN * len(self.entries):
            message = f"its {len(self.entries)} members lie {depth // len(self.entries)} directories deep on average"
            raise BundleFormatError(message, offset=self.end.directory_offset)


def stream(file: BundleFile, member: Member) -> Iterator[bytes]:
    """Yield the content of *member* piece by piece, never more bytes than the member announces.

    Raises:
        BundleFormatError: the member is damaged or refused.  The caller must not use the pieces yielded before.

    """
    try:
        yield from _checked(file, member)
    except BundleFormatError as error:
        error.file = error.path = file.path
        error.member = member.name
        raise


def _checked(file: BundleFile, member: Member) -> Iterator[bytes]:
    if member.refusal is not None:
        message = f"is not read: it {member.refusal}"
        raise BundleFormatError(message, offset=member.offset)
    offset = data_offset(file, member)
    size = crc = 0
    try:
        for chunk in _unpacked(file, member, offset):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > member.size:
                break
            yield chunk
    except (ValueError, zlib.error) as error:
        raise BundleFormatError(str(error), offset=offset) from None
    if size != member.size:
        message = f"does not have the {member.size} bytes that it announces"
        raise BundleFormatError(message, offset=offset)
    if crc != member.crc:
        raise BundleFormatError(DAMAGED, offset=offset)


def _unpacked(file: BundleFile, member: Member, offset: int) -> Iterator[bytes]:
    if member.method not in {STORED, DEFLATED}:
        yield decompress(member.method, file.read(offset, member.packed_size), member.size)
        return
    end = offset + member.packed_size
    inflate = zlib.decompressobj(-15)
    while offset < end:
        packed = file.read(offset, min(_CHUNK, end - offset))
        offset += len(packed)
        if member.method == STORED:
            yield packed
            continue
        while packed and not inflate.eof:
            yield inflate.decompress(packed, _CHUNK)
            packed = inflate.unconsumed_tail
    if member.method == DEFLATED and not inflate.eof:
        # The content is whole, but `zipimport` and other tools refuse it.
        message = "its compressed data has no end"
        raise ValueError(message)
