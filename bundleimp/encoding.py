"""Encode the index of a bundle: takes members, returns bytes; no I/O.  `runtime.format` describes the bytes.

`pack` uses this module, and so does `verify`, which encodes the index again and compares.  It is not a part of the
runtime.
"""

from __future__ import annotations

import _imp
from typing import TYPE_CHECKING

from .runtime import format as bundle_format
from .runtime.content.member import Member
from .runtime.content.targets import split_name
from .runtime.format import Extent
from .waiting import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def encode_head(head: Head, end: bytes = b"") -> bytes:
    """Return the bytes of the head.  *end* is the table of targets, or the text of what the bundle needs, or empty."""
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
    parts += [encode_extent(head.units), end]
    return sealed(b"".join(parts))


class IndexedMember:
    """The index data of one payload member: the member, its pyc image or None for each code tag, and its flags.

    ``targets`` has the numbers of the targets that have the member, counted from 1, and is empty if all have it.
    """

    __slots__ = ("codes", "flags", "member", "targets")

    def __init__(
        self, member: Member, codes: Sequence[Extent | None], flags: int = 0, targets: tuple[int, ...] = ()
    ) -> None:
        self.member = member
        self.codes = codes
        self.flags = flags
        self.targets = targets

    def of_target(self, flags: Mapping[str, int]) -> IndexedMember:
        """Return the member under its own name, with the *flags* of a target."""
        item = self.member
        name = split_name(item.name)[1]
        member = Member(name, item.method, item.offset, item.packed_size, item.size, item.crc, item.stamp)
        return IndexedMember(member, self.codes, flags.get(name, 0))


class IndexedTarget:
    """What the index contains for one target: the files that this target has, its units, and flags of directories.

    ``name`` and ``key`` are those of `targets.Target`, or "" if the bundle has the same files for all.  ``needs`` is
    what such a bundle needs (`limits`), or "".
    """

    __slots__ = ("folder_flags", "key", "members", "name", "needs", "units")

    def __init__(
        self,
        members: Iterable[IndexedMember],
        units: Extent | None = None,
        folder_flags: Mapping[str, int] | None = None,
        *,
        name: str = "",
        key: str = "",
        needs: str = "",
    ) -> None:
        self.members = members
        self.units = units
        self.folder_flags = folder_flags or {}
        self.name = name
        self.key = key
        self.needs = needs


class _Tree:
    """A directory that is being built for the index."""

    __slots__ = ("directories", "files")

    def __init__(self) -> None:
        self.files: dict[str, IndexedMember] = {}
        self.directories: dict[str, _Tree] = {}


def _tree_of(members: Iterable[IndexedMember]) -> _Tree:
    root = _Tree()
    for item in members:
        *folders, name = item.member.name.split("/")
        tree = root
        for folder in folders:
            tree = tree.directories.setdefault(folder, _Tree())
        tree.files[name] = item
    return root


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


class _Blocks:
    """The blocks of an index, in the order in which they were added.

    Attributes:
        data: the blocks.

    """

    def __init__(self, tags: int, start: int) -> None:
        self.data: list[bytes] = []
        self._tags = tags
        self._end = start
        self._known: dict[bytes, Extent] = {}

    def add(self, block: bytes) -> Extent:
        """Append a block, or take the equal one that another target has.  Return its extent."""
        extent = self._known.get(block)
        if extent is None:
            checksum = int.from_bytes(block[-4:], "little")
            extent = self._known[block] = Extent(offset=self._end, size=len(block), checksum=checksum)
            self.data.append(block)
            self._end += len(block)
        return extent

    def add_children(self, tree: _Tree, path: str, flags: Mapping[str, int]) -> dict[str, Extent]:
        """Append the blocks of the subdirectories of *tree*, and return their extents by name."""
        children = {}
        for name, child in sorted(tree.directories.items()):
            inner = f"{path}/{name}" if path else name
            below = self.add_children(child, inner, flags)
            children[name + "/"] = self.add(self.block(child, inner, flags, below))
        return children

    def block(self, tree: _Tree, path: str, flags: Mapping[str, int], children: Mapping[str, Extent]) -> bytes:
        """Return the block of *tree*, which is the directory *path*."""
        names = sorted([*tree.files, *children])
        entries = []
        codes: list[list[bytes]] = [[] for _ in range(self._tags)]
        for name in names:
            if name in children:
                block = children[name]
                own = flags.get(f"{path}/{name}" if path else name, 0)
                kind = bundle_format.KIND_DIRECTORY
                entries.append(_entry(block.checksum, kind, own, _STORED, block.offset, block.size, 0, 0))
                images: Sequence[Extent | None] = (None,) * self._tags
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
        return sealed(
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


class EncodedIndex:
    """The bytes of the index, and the size of the head at their end."""

    __slots__ = ("data", "head_size")

    def __init__(self, data: bytes, head_size: int) -> None:
        self.data = data
        self.head_size = head_size


def encode_index(
    targets: Sequence[IndexedTarget], tags: Sequence[CodeTag], record_digest: bytes, offset: int
) -> EncodedIndex:
    """Return the index over the members of all *targets*: the same bytes for the same members, in any order.

    Arguments:
        targets: what each target has; the first is the one that plain zip tools see.
        tags: the code tags, in the order of each member's ``codes``.
        record_digest: the SHA-256 of the RECORD member.
        offset: the offset in the file at which the index will begin.

    """
    blocks = _Blocks(len(tags), offset)
    trees = [_tree_of(target.members) for target in targets]
    children = [blocks.add_children(tree, "", target.folder_flags) for tree, target in zip(trees, targets, strict=True)]
    # The root blocks are together before the head, so one read gets any of them with it.
    roots = [
        blocks.add(blocks.block(tree, "", target.folder_flags, below))
        for tree, target, below in zip(trees, targets, children, strict=True)
    ]
    head = bundle_format.Head(
        record_digest=record_digest,
        root_offset=roots[0].offset,
        root_size=roots[0].size,
        tags={tag.name: tag.magic for tag in tags},
        units=targets[0].units,
    )
    end = b""
    if len(targets) > 1:
        head.root_offset, head.root_size, head.units = 0, 0, None
        end = _encode_table(targets, roots)
    elif targets[0].needs:
        head.root_size = 0
        needs = targets[0].needs.encode()[:0xFFFF]  # that of a damaged index may be longer
        end = needs + len(needs).to_bytes(2, "little")
    encoded = encode_head(head, end)
    return EncodedIndex(b"".join([*blocks.data, encoded]), len(encoded))


def _encode_table(targets: Sequence[IndexedTarget], roots: Sequence[Extent]) -> bytes:
    """Return the table of *targets* (see `runtime.content.targets`)."""
    parts = [len(targets).to_bytes(2, "little")]
    for target, root in zip(targets, roots, strict=True):
        text = f"{target.name} {target.key}".encode()
        parts += [len(text).to_bytes(2, "little"), text, encode_extent(root), encode_extent(target.units)]
    return b"".join([*parts, sum(map(len, parts)).to_bytes(2, "little")])


def encode_top_level(members: Iterable[str]) -> bytes:
    """Return the list of the names that *members* give to modules, packages and namespaces at the top level."""
    names = {member.partition("/")[0].partition(".")[0] for member in members}
    data = "\0".join(["", *sorted(names), ""]).encode("utf-8", "surrogateescape")
    return _imp.source_hash(0, data)[:HASH_SIZE] + data
