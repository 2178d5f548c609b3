"""The faults of a zip as a zip: everything because of which two tools could see different archives.

A zip states most facts two or three times: in local headers, in the central directory, in the end records, and by the
places of the bytes.  Tools differ in which of these they believe.  If they disagree, the tool that checks the archive
and the tool that installs it can see different contents (CVE-2025-54368).  The checks follow APPNOTE.TXT 6.3.
"""

from __future__ import annotations

import itertools
import unicodedata
import zlib
from typing import TYPE_CHECKING

from ..runtime.content.localheader import HEADER_SIGNATURE, HEADER_SIZE
from ..runtime.content.reading import data_offset
from ..runtime.faults.kinds import HIDDEN, BundleFormatError, is_hidden
from ..runtime.format import CENTRAL_SIZE, END64_LOCATOR_SIZE, END64_SIZE, END_SIGNATURE, END_SIZE, MANIFEST, number
from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..runtime.bundlefile import BundleFile
    from ..runtime.plain.zipdirectory import RawEntry
    from .zippart import ZipPart

_DATA_DESCRIPTOR = 0x8
# Encryption is reported with the names.  Deflate options, data descriptors and UTF-8 do not change the content.
_KNOWN_FLAGS = 0x1 | 0x6 | _DATA_DESCRIPTOR | 0x800
_ZIP64 = 1
_UNICODE_PATH = 0x7075
_FULL = 0xFFFFFFFF
_WIDE = 8
_CHUNK = 1 << 16
_LONGEST_LINE = 1024
# At most so many findings about hidden headers in one place: a file can hold millions.
_MOST_HIDDEN = 20


def zip_findings(file: BundleFile, part: ZipPart) -> Iterator[Finding]:
    """Yield the faults of *part* of *file* as a zip."""
    yield from _names(part)
    yield from _entries(part)
    yield from _headers(file, part)
    yield from _end(file, part)
    yield from _between(file, part)


def _names(part: ZipPart) -> Iterator[Finding]:
    seen: set[str] = set()
    alike: dict[str, str] = {}
    files = {entry.member.name for entry in part.entries if not entry.member.name.endswith("/")}
    for entry in part.entries:
        name = entry.member.name
        if entry.fault is not None:
            yield Finding(f"the name {entry.fault}", name, entry.position)
        if entry.member.refusal is not None:
            yield Finding(f"the member {entry.member.refusal}", name, entry.position)
        if name in seen:
            yield Finding("the name appears twice in the archive", name, entry.position)
        seen.add(name)
        if any(map(is_hidden, name)):
            yield Finding(HIDDEN, name, entry.position)
        if any(piece != piece.rstrip(". ") for piece in name.split("/")) and entry.fault is None:
            yield Finding("the name has a part that ends in a dot or a space", name, entry.position)
        other = alike.setdefault(unicodedata.normalize("NFC", name.casefold()), name)
        if other != name:
            case = "case" if other.casefold() == name.casefold() else "case or Unicode normalisation"
            yield Finding(f"the name differs from {other} only in {case}", name, entry.position)
        folder = name.rstrip("/").rpartition("/")[0]
        while folder and folder not in files:
            folder = folder.rpartition("/")[0]
        if folder or (name.endswith("/") and name[:-1] in files):
            yield Finding(f"the name makes a directory of {folder or name[:-1]}, a file", name, entry.position)


def _entries(part: ZipPart) -> Iterator[Finding]:
    """Check what only the central directory says of each entry."""
    for entry in part.entries:
        member = entry.member
        at = entry.position - part.end.directory_offset
        if entry.flags & ~_KNOWN_FLAGS:
            yield Finding(f"has unknown flags, {entry.flags:#06x}", member.name, entry.position)
        if number(part.directory, at + 34, at + 36):
            yield Finding("lies on another disk", member.name, entry.position)
        if member.name.endswith("/") and (member.size or member.packed_size):
            yield Finding("is a directory with content", member.name, entry.position)
        start = at + CENTRAL_SIZE + len(member.header or b"")
        extra = part.directory[start : start + number(part.directory, at + 30, at + 32)]
        yield from (Finding(text, member.name, entry.position) for text in _extra_faults(extra, member.header or b""))


def _fields(extra: bytes) -> list[tuple[int, bytes]] | None:
    """Return the kind and the data of each part of an *extra* field; None if the lengths do not add up."""
    result = []
    at = 0
    while at + 4 <= len(extra):
        end = at + 4 + number(extra, at + 2, at + 4)
        result.append((number(extra, at, at + 2), extra[at + 4 : end]))
        at = end
    return result if at == len(extra) else None


def _extra_faults(extra: bytes, name: bytes) -> Iterator[str]:
    fields = _fields(extra)
    if fields is None:
        yield "the extra field is damaged"
        return
    kinds = [kind for kind, _ in fields]
    if len(kinds) != len(set(kinds)):
        yield "the extra field has two blocks of one kind"
    for kind, data in fields:
        if kind == _UNICODE_PATH and data[5:] != name:
            text = data[5:].decode("utf-8", "backslashreplace")
            believed = "" if number(data, 1, 5) == zlib.crc32(name) else ", whose checksum does not match either"
            yield f"the extra field gives another name, {text!r}{believed}"


def _headers(file: BundleFile, part: ZipPart) -> Iterator[Finding]:
    """Compare each local header, and data descriptor, with the central directory's entry."""
    for entry in part.entries:
        member = entry.member
        try:
            start = data_offset(file, member)
            header = file.read(member.offset, start - member.offset)
        except BundleFormatError as error:
            yield Finding(error.message, member.name, error.offset)
            continue
        disagreements = [
            what
            for what, same in (
                ("flags", number(header, 6, 8) == entry.flags),
                ("time", number(header, 10, 14) == member.stamp),
                ("sizes or checksum", _has_same_numbers(entry, header)),
            )
            if not same
        ]
        for what in disagreements:
            text = f"the local header and the central directory disagree on its {what}"
            yield Finding(text, member.name, member.offset)
        name_end = HEADER_SIZE + len(member.header or b"")
        for text in _extra_faults(header[name_end:], member.header or b""):
            yield Finding(f"in the local header, {text}", member.name, member.offset)
        end = start + member.packed_size
        if end > part.end.directory_offset:
            yield Finding("the data reaches into the central directory", member.name, start)
        elif entry.flags & _DATA_DESCRIPTOR and not _descriptor_size(file, part, entry, end):
            yield Finding("the data descriptor behind it is missing, or disagrees", member.name, end)


def _has_same_numbers(entry: RawEntry, header: bytes) -> bool:
    member = entry.member
    crc, packed_size, size = number(header, 14, 18), number(header, 18, 22), number(header, 22, 26)
    wide = dict(_fields(header[HEADER_SIZE + len(member.header or b"") :]) or []).get(_ZIP64, b"")
    if size == _FULL and len(wide) >= _WIDE:
        size, wide = number(wide, 0, _WIDE), wide[_WIDE:]
    if packed_size == _FULL and len(wide) >= _WIDE:
        packed_size = number(wide, 0, _WIDE)
    if entry.flags & _DATA_DESCRIPTOR:  # then the header may have zeros
        crc, packed_size, size = crc or member.crc, packed_size or member.packed_size, size or member.size
    return (crc, packed_size, size) == (member.crc, member.packed_size, member.size)


def _descriptor_size(file: BundleFile, part: ZipPart, entry: RawEntry, at: int) -> int:
    """Return the size of the data descriptor at *at* if it agrees with the entry, else 0."""
    member = entry.member
    data = file.read(at, min(24, part.end.directory_offset - at))
    for width in (_WIDE, 4):
        if max(member.packed_size, member.size) >> 8 * width:
            continue
        numbers = (member.crc.to_bytes(4, "little"), member.packed_size, member.size)
        plain = numbers[0] + numbers[1].to_bytes(width, "little") + numbers[2].to_bytes(width, "little")
        for descriptor in (b"PK\x07\x08" + plain, plain):
            if data.startswith(descriptor):
                return len(descriptor)
    return 0


def _end(file: BundleFile, part: ZipPart) -> Iterator[Finding]:
    """Check that the archive has one end record, and that the record does not contradict itself."""
    end = part.end
    record = file.read(end.offset, END_SIZE)
    if END_SIGNATURE in end.comment or b"PK\x06\x06" in end.comment or b"PK\x06\x07" in end.comment:
        yield Finding("the archive's comment holds the signature of another end record", None, end.offset)
    if number(record, 4, 8) or record[8:10] != record[10:12]:
        yield Finding("the end record is that of an archive on several disks", None, end.offset)
    if end.start != part.start:
        text = (
            f"the end record's offsets count from byte {end.start}, not from the start: tools read different archives"
        )
        yield Finding(text, None, end.offset)
    at = end.offset - END64_LOCATOR_SIZE
    locator = file.read(at, END64_LOCATOR_SIZE) if at >= part.start else b""
    if locator[:4] != b"PK\x06\x07":
        return
    at -= END64_SIZE
    wide = file.read(at, END64_SIZE) if at >= part.start else b""
    if wide[:4] != b"PK\x06\x06" or number(locator, 8, 16) != at - end.start or number(wide, 4, 12) != END64_SIZE - 12:
        yield Finding("the zip64 end record is not where its locator says", None, end.offset - END64_LOCATOR_SIZE)
    elif number(wide, 16, 24) or wide[24:32] != wide[32:40] or number(locator, 4, 8) or number(locator, 16, 20) > 1:
        yield Finding("the zip64 end record is that of an archive on several disks", None, at)


def overlaps(file: BundleFile, part: ZipPart) -> dict[int, str]:
    """Return the entries whose data overlaps that of another: the other's name by the position of the entry."""
    result: dict[int, str] = {}
    end = 0
    before = None
    for entry in sorted(part.entries, key=lambda item: item.member.offset):
        if entry.member.offset < end and before is not None:
            result[entry.position] = before.member.name
            result.setdefault(before.position, entry.member.name)
        try:
            data_end = data_offset(file, entry.member) + entry.member.packed_size
        except BundleFormatError:
            continue  # reported with the headers
        if data_end > end:
            end, before = data_end, entry
    return result


def _between(file: BundleFile, part: ZipPart) -> Iterator[Finding]:
    """Check that members lie end to end, without other bytes before, between or behind them."""
    shared = overlaps(file, part)
    end = part.start
    for entry in sorted(part.entries, key=lambda item: item.member.offset):
        member = entry.member
        if entry.position in shared:
            yield Finding(f"the data overlaps that of {shared[entry.position]}", member.name, member.offset)
        try:
            data_end = data_offset(file, member) + member.packed_size
        except BundleFormatError:
            continue  # reported with the headers
        if member.offset > end:
            yield from _stray(file, part, end, member.offset)
        if entry.flags & _DATA_DESCRIPTOR and data_end <= part.end.directory_offset:
            data_end += _descriptor_size(file, part, entry, data_end)
        end = max(end, data_end)
    if end < part.end.directory_offset:
        yield from _stray(file, part, end, part.end.directory_offset)


def _stray(file: BundleFile, part: ZipPart, start: int, end: int) -> Iterator[Finding]:
    """Yield findings about bytes that belong to no member.  A first line (``#!``) is not one of them."""
    if start == part.start == 0:
        first = file.read(0, min(end, _LONGEST_LINE))
        known = first.startswith(b"#!") and first.find(b"\n") == end - 1
        if not known and all(entry.member.name != MANIFEST for entry in part.entries):  # else held against that
            yield Finding(f"there are {end} bytes before the first member", None, start)
    else:
        yield Finding(f"there are {end - start} bytes that belong to no member", None, start)
    for at in itertools.islice(_local_headers(file, start, end), _MOST_HIDDEN):
        size = number(file.read(at + 26, 2), 0, 2) if at + HEADER_SIZE <= end else 0
        name = file.read(at + HEADER_SIZE, min(size, end - at - HEADER_SIZE)) if size else b""
        text = "has a local header, and the central directory does not name it"
        yield Finding(text, name.decode("utf-8", "backslashreplace"), at)


def _local_headers(file: BundleFile, start: int, end: int) -> Iterator[int]:
    """Yield the offset of each local header's signature between *start* and *end*."""
    while start < end:
        data = file.read(start, min(_CHUNK + 3, end - start))
        at = data.find(HEADER_SIGNATURE)
        while at >= 0:
            yield start + at
            at = data.find(HEADER_SIGNATURE, at + 1)
        start += _CHUNK
