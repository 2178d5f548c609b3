"""Encode the index of a bundle: takes members, returns bytes; no I/O.  `runtime.format` describes the bytes.

`pack` uses this module, and so does `verify`, which encodes the index again and compares.  It is not a part of the
runtime.
"""

from __future__ import annotations

import _imp
from typing import TYPE_CHECKING

from .runtime import format as bundle_format
from .runtime.format import Extent
from .waiting import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .runtime.content.member import Member
    from .runtime.format import Head, Locator

_STORED = 0


class CodeTag:
    """One embedded kind of bytecode: ``cpython-311`` or ``cpython-311.opt-1``, and its pyc magic (PEP 3147)."""

    __slots__ = ("magic", "name")

    def __init__(self, name: str, magic: bytes) -> None:
        self.name = name
        self.magic = magic


def sealed(data: bytes) -> bytes:
    """Return *data* followed by its checksum."""
    return data + bundle_format.checksum(data).to_bytes(4, "little")


def encode_extent(extent: Extent | None) -> bytes:
    """Return the bytes of an *extent*.  None is encoded with size 0."""
    if extent is None:
        return bytes(bundle_format.CODE_SIZE)
    numbers = (extent.offset, 8), (extent.size, 4), (extent.checksum, 4)
    return b"".join(number.to_bytes(size, "little") for number, size in numbers)


def encode_locator(locator: Locator) -> bytes:
    """Return the locator's bytes."""
    numbers = (
        (bundle_format.VERSION, 2),
        (locator.head_size, 4),
        (locator.index_offset, 8),
        (locator.index_size, 8),
        (locator.index_checksum, 4),
        (locator.directory_offset, 8),
        (locator.directory_size, 8),
        (locator.directory_count, 8),
        (locator.directory_checksum, 4),
    )
    encoded = b"".join(number.to_bytes(size, "little") for number, size in numbers)
    return sealed(bundle_format.LOCATOR_MAGIC + encoded)


def encode_head(head: Head) -> bytes:
    """Return the bytes of the head."""
    parts = [
        bundle_format.HEAD_MAGIC,
        head.record_digest,
        head.root_offset.to_bytes(8, "little"),
        head.root_size.to_bytes(4, "little"),
        len(head.tags).to_bytes(2, "little"),
    ]
    for tag, magic in head.tags.items():
        name = tag.encode("latin-1")
        parts += [magic, len(name).to_bytes(2, "little"), name]
    parts.append(encode_extent(head.units))
    return sealed(b"".join(parts))


class IndexedMember:
    """The index data of one payload member: the member, its pyc image or None for each code tag, and its flags."""

    __slots__ = ("codes", "flags", "member")

    def __init__(self, member: Member, codes: Sequence[Extent | None], flags: int = 0) -> None:
        self.member = member
        self.codes = codes
        self.flags = flags


class _Tree:
    """A directory that is being built for the index."""

    __slots__ = ("directories", "files")

    def __init__(self) -> None:
        self.files: dict[str, IndexedMember] = {}
        self.directories: dict[str, _Tree] = {}


def _entry(crc: int, kind: int, flags: int, method: int, offset: int, packed_size: int, size: int, stamp: int) -> bytes:
    return b"".join(
        (
            crc.to_bytes(4, "little"),
            bytes((kind, flags)),
            method.to_bytes(2, "little"),
            offset.to_bytes(8, "little"),
            packed_size.to_bytes(8, "little"),
            size.to_bytes(8, "little"),
            stamp.to_bytes(4, "little"),
        )
    )


def _encode_directory(
    tree: _Tree, path: str, tags: int, start: int, blocks: list[bytes], flags: Mapping[str, int]
) -> Extent:
    """Append the blocks of *tree* and of its subdirectories.  Return the extent of its own block."""
    children = {}
    for name, child in sorted(tree.directories.items()):
        inner = f"{path}/{name}" if path else name
        children[name + "/"] = _encode_directory(child, inner, tags, start, blocks, flags)
        start = children[name + "/"].offset + children[name + "/"].size
    names = sorted([*tree.files, *children])
    entries = []
    codes: list[list[bytes]] = [[] for _ in range(tags)]
    for name in names:
        if name in children:
            block = children[name]
            own = flags.get(f"{path}/{name}" if path else name, 0)
            kind = bundle_format.KIND_DIRECTORY
            entries.append(_entry(block.checksum, kind, own, _STORED, block.offset, block.size, 0, 0))
            images: Sequence[Extent | None] = (None,) * tags
        else:
            member = tree.files[name].member
            entries.append(
                _entry(
                    member.crc,
                    bundle_format.KIND_FILE,
                    tree.files[name].flags,
                    member.method,
                    member.offset,
                    member.packed_size,
                    member.size,
                    member.stamp,
                )
            )
            images = tree.files[name].codes
        for column, image in zip(codes, images, strict=True):
            column.append(encode_extent(image))
    joined = "\0".join([path, *names]).encode("utf-8", "surrogateescape")
    block_bytes = sealed(
        b"".join(
            (
                bundle_format.BLOCK_MAGIC,
                len(joined).to_bytes(4, "little"),
                len(names).to_bytes(4, "little"),
                joined,
                *entries,
                *(image for column in codes for image in column),
            )
        )
    )
    blocks.append(block_bytes)
    return Extent(offset=start, size=len(block_bytes), checksum=int.from_bytes(block_bytes[-4:], "little"))


class EncodedIndex:
    """The bytes of the index, and the size of the head at their end."""

    __slots__ = ("data", "head_size")

    def __init__(self, data: bytes, head_size: int) -> None:
        self.data = data
        self.head_size = head_size


def encode_index(
    members: Iterable[IndexedMember],
    tags: Sequence[CodeTag],
    record_digest: bytes,
    offset: int,
    units: Extent | None = None,
    folder_flags: Mapping[str, int] | None = None,
) -> EncodedIndex:
    """Return the index over *members*: the same bytes for the same members, in any order.

    Arguments:
        members: the payload members; ``member.offset`` is the offset of the data.
        tags: the code tags, in the order of each member's ``codes``.
        record_digest: the SHA-256 of the RECORD member.
        offset: the offset in the file at which the index will begin.
        units: the extent of the table of units, or None if there is none.
        folder_flags: the flags of directories that have any, by name with a slash at the end.

    """
    root = _Tree()
    for item in members:
        *folders, name = item.member.name.split("/")
        tree = root
        for folder in folders:
            tree = tree.directories.setdefault(folder, _Tree())
        tree.files[name] = item
    blocks: list[bytes] = []
    extent = _encode_directory(root, "", len(tags), offset, blocks, folder_flags or {})
    magics = {tag.name: tag.magic for tag in tags}
    head = encode_head(
        bundle_format.Head(
            record_digest=record_digest, root_offset=extent.offset, root_size=extent.size, tags=magics, units=units
        )
    )
    return EncodedIndex(b"".join([*blocks, head]), len(head))


def encode_top_level(members: Iterable[str]) -> bytes:
    """Return the list of the names that *members* give to modules, packages and namespaces at the top level."""
    names = {member.partition("/")[0].partition(".")[0] for member in members}
    data = "\0".join(["", *sorted(names), ""]).encode("utf-8", "surrogateescape")
    return _imp.source_hash(0, data)[:HASH_SIZE] + data
