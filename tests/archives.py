"""Zips by hand, for what `zipfile` does not write: lies, contradictions, and bundles with a forged index."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundleimp.encoding import CodeTag, EncodedIndex, IndexedMember, IndexedTarget, encode_index, encode_locator
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.cache import loading
from bundleimp.runtime.content import files
from bundleimp.runtime.format import Directory, Extent, Head, Locator, decode_extent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bundleimp.runtime.archive import Archive

END_SIZE = 22
UTF8_NAME = 0x800
ENCRYPTED = 0x1
SYMLINK = 0o120777


@dataclass
class RawEntry:
    """A zip entry; what is None is filled in truthfully.

    Attributes:
        name: the name's bytes in the central directory.
        content: what is to be stored.
        method: 0 or 8, or one that only the headers claim.
        flags: general purpose flags.
        mode: Unix file mode.
        crc: the CRC-32 that is announced.
        packed_size: the packed size that is announced.
        size: the size that is announced.
        offset: the local header's offset that is announced.
        header_name: the name in the local header.
        extra: the extra field in the central directory.
        header_extra: the extra field in the local header.
        header_flags: the flags in the local header.
        behind: what stands behind the data, as a data descriptor does.
        zip64: whether the central directory's sizes and offset stand in a zip64 field.

    """

    name: bytes
    content: bytes = b""
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    crc: int | None = None
    packed_size: int | None = None
    size: int | None = None
    offset: int | None = None
    header_name: bytes | None = None
    extra: bytes = b""
    header_extra: bytes = b""
    header_flags: int | None = None
    behind: bytes = b""
    zip64: bool = False


def deflated(content: bytes) -> bytes:
    """Return *content* as a raw deflate stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def raw_zip(
    entries: Sequence[RawEntry], *, comment: bytes = b"", prefix: bytes = b"", count: int | None = None
) -> bytes:
    """Return a zip of *entries*, with *count* as the number that its end record announces."""
    body = bytearray(prefix)
    directory = bytearray()
    for entry in entries:
        packed = deflated(entry.content) if entry.method == 8 else entry.content
        crc = zlib.crc32(entry.content) if entry.crc is None else entry.crc
        packed_size = len(packed) if entry.packed_size is None else entry.packed_size
        size = len(entry.content) if entry.size is None else entry.size
        offset = len(body) - len(prefix) if entry.offset is None else entry.offset
        name = entry.name if entry.header_name is None else entry.header_name
        narrow = [min(value, 0xFFFFFFFF) for value in (packed_size, size)]
        flags = entry.flags if entry.header_flags is None else entry.header_flags
        sizes = (len(name), len(entry.header_extra))
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, entry.method, 0, 0x21, crc, *narrow, *sizes)
        body += name + entry.header_extra + packed + entry.behind
        extra = entry.extra
        extra += struct.pack("<2H3Q", 1, 24, size, packed_size, offset) if entry.zip64 else b""
        numbers = [0xFFFFFFFF] * 3 if entry.zip64 else [packed_size, size, offset]
        directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 0x0314, 45 if entry.zip64 else 20, entry.flags, entry.method, 0, 0x21, crc),
            *(numbers[0], numbers[1], len(entry.name), len(extra), 0, 0, 0, entry.mode << 16, numbers[2]),
        )
        directory += entry.name + extra
    total = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, total, total, len(directory), len(body) - len(prefix), len(comment))
    return bytes(body + directory + end + comment)


def file_names(archive: Archive, folder: str = "") -> Iterator[str]:
    """Yield the name of every file that imports from *archive* can see."""
    directory = archive.directory(folder)
    if directory is None:
        return
    for name in directory.names:
        if name.endswith("/"):
            yield from file_names(archive, directory.prefix + name[:-1])
        else:
            yield directory.prefix + name


def read_all(archive: Archive) -> dict[str, bytes]:
    """Return the content of every file that imports from *archive* can see."""
    result = {}
    for name in file_names(archive):
        member = files.find(archive, name)
        if member is not None:
            result[name] = files.read(archive, member)
    return result


def placed_files(site: Path) -> dict[str, bytes]:
    """Return the content of every file that is placed in the *site*, by name, without the site's own files."""
    names = {path: path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    own = (".bundleimp", ".bundleimp-units/")
    return {name: path.read_bytes() for path, name in names.items() if name != own[0] and not name.startswith(own[1])}


def embedded_image(archive: Archive, name: str) -> bytes | None:
    """Return the embedded pyc image of the source file *name*, or None where there is none."""
    folder, _, last = name.rpartition("/")
    directory = archive.directory(folder)
    return None if directory is None else loading.embedded(archive, directory, last)


@dataclass
class Index:
    """An index, taken apart.

    Attributes:
        members: what it says of each member.
        tags: the code tags.
        record_digest: the SHA-256 of RECORD that it notes.
        units: where it says that the table of units lies.
        folder_flags: the flags of each directory, by name with a slash at the end.

    """

    members: list[IndexedMember] = field(default_factory=list)
    tags: list[CodeTag] = field(default_factory=list)
    record_digest: bytes = bytes(32)
    units: Extent | None = None
    folder_flags: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> IndexedMember:
        """Return what it says of the member *name*."""
        return next(item for item in self.members if item.member.name == name)


def locator_of(data: bytes) -> Locator:
    """Return the locator of the bundle *data*."""
    locator = bundle_format.decode_locator(data[-bundle_format.LOCATOR_SIZE :])
    if locator is None:
        message = "the bundle has no locator"
        raise ValueError(message)
    return locator


def decode_index(index: bytes, head_size: int, offset: int) -> Index:
    """Take an index apart, by walking from the head to every block."""
    head: Head = bundle_format.decode_head(index[-head_size:])
    tags = [CodeTag(name, magic) for name, magic in head.tags.items()]
    result = Index(tags=tags, record_digest=head.record_digest, units=head.units)
    # The root block ends where the head begins. Where the head says what the bundle needs, it has no size of it.
    size = offset + len(index) - head_size - head.root_offset
    todo = [("", Extent(offset=head.root_offset, size=size, checksum=0))]
    while todo:
        path, extent = todo.pop()
        start = extent.offset - offset
        directory = Directory(index[start : start + extent.size], path, extent.checksum if path else None)
        for name in directory.names:
            if name.endswith("/"):
                todo.append((directory.prefix + name[:-1], directory.subdirectory(name[:-1])))
                result.folder_flags[directory.prefix + name] = directory.flags(name)
            else:
                codes = [decode_extent(directory.code_entry(name, column)) for column in range(len(head.tags))]
                result.members.append(IndexedMember(directory.member(name), codes, directory.flags(name)))
    return result


def index_of(data: bytes) -> Index:
    """Return the index of the bundle *data*, taken apart."""
    locator = locator_of(data)
    index = data[locator.index_offset : locator.index_offset + locator.index_size]
    return decode_index(index, locator.head_size, locator.index_offset)


def with_index(data: bytes, index: bytes, head_size: int) -> bytes:
    """Return the bundle *data* with another index, and every checksum that stands over it made to fit."""
    old = locator_of(data)
    start = old.index_offset - len(bundle_format.INDEX) - 30
    numbers = struct.pack("<3L", zlib.crc32(index), len(index), len(index))
    header = data[start : start + 14] + numbers + data[start + 26 : old.index_offset]
    directory = data[old.directory_offset : old.directory_offset + old.directory_size]
    # The index is the last member, so its entry is the last one too.
    entry = directory.rindex(b"PK\1\2")
    directory = directory[: entry + 16] + numbers + directory[entry + 28 :]
    offset = old.index_offset + len(index)
    end = bytearray(data[-bundle_format.LOCATOR_SIZE - END_SIZE : -bundle_format.LOCATOR_SIZE])
    end[16:20] = offset.to_bytes(4, "little")
    locator = Locator(
        head_size=head_size,
        index_offset=old.index_offset,
        index_size=len(index),
        index_checksum=bundle_format.checksum(index),
        directory_offset=offset,
        directory_size=len(directory),
        directory_count=old.directory_count,
        directory_checksum=bundle_format.checksum(directory),
    )
    return data[:start] + header + index + directory + bytes(end) + encode_locator(locator)


def index_over(
    members: Iterable[IndexedMember],
    tags: Sequence[CodeTag],
    record_digest: bytes,
    offset: int,
    units: Extent | None = None,
    folder_flags: Mapping[str, int] | None = None,
) -> EncodedIndex:
    """Return the index of a bundle whose *members* are for all Pythons."""
    return encode_index([IndexedTarget(members, units, folder_flags)], tags, record_digest, offset)


def forge(path: Path, index: Index) -> None:
    """Give the bundle at *path* another index that fits in every checksum."""
    data = path.read_bytes()
    offset = locator_of(data).index_offset
    encoded = index_over(index.members, index.tags, index.record_digest, offset, index.units, index.folder_flags)
    path.write_bytes(with_index(data, encoded.data, encoded.head_size))


def flipped(data: bytes, bit: int) -> bytes:
    """Return *data* with one bit flipped, counted from the first byte's lowest."""
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def with_payload(data: bytes, payload: bytes) -> bytes:
    """Return the nested bundle *data* with another *payload*, as a zip without an index."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist() if name != bundle_format.INDEX]
    return raw_zip(
        [RawEntry(name.encode(), payload if name == bundle_format.PAYLOAD else text) for name, text in members]
    )
