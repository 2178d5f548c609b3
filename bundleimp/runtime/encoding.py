"""The index of the bundle format on its way out: members in, bytes out; no I/O.  `format` describes the bytes.

Not loaded by an import from a bundle: it serves `pack`, and `verify`, which encodes again and compares.
"""

from .codec import STORED
from .format import BLOCK_MAGIC, CODE_SIZE, KIND_DIRECTORY, KIND_FILE, Extent, Head, sealed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .format import CodeTag, Member


class IndexedMember:
    """What the index notes of one payload member: the member, its pyc image for each code tag, or None, its flags."""

    __slots__ = ("codes", "flags", "member")

    def __init__(self, member: "Member", codes: "Sequence[Extent | None]", flags: int = 0) -> None:
        self.member = member
        self.codes = codes
        self.flags = flags


class _Tree:
    """A directory on its way into the index."""

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


def _code(extent: "Extent | None") -> bytes:
    return bytes(CODE_SIZE) if extent is None else extent.encode()


def _encode_directory(
    tree: "_Tree", path: str, tags: int, start: int, blocks: "list[bytes]", *, linked: bool
) -> "Extent":
    """Append the blocks of *tree* and of what is below it; return where its own lies, with its checksum if *linked*."""
    children = {}
    for name, child in sorted(tree.directories.items()):
        inner = f"{path}/{name}" if path else name
        children[name + "/"] = _encode_directory(child, inner, tags, start, blocks, linked=linked)
        start = children[name + "/"].offset + children[name + "/"].size
    names = sorted([*tree.files, *children])
    entries = []
    codes: list[list[bytes]] = [[] for _ in range(tags)]
    for name in names:
        if name in children:
            block = children[name]
            entries.append(_entry(block.crc, KIND_DIRECTORY, 0, STORED, block.offset, block.size, 0, 0))
            images: Sequence[Extent | None] = (None,) * tags
        else:
            member = tree.files[name].member
            entries.append(
                _entry(
                    member.crc,
                    KIND_FILE,
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
            column.append(_code(image))
    joined = "\0".join([path, *names]).encode("utf-8", "surrogateescape")
    block_bytes = sealed(
        b"".join(
            (
                BLOCK_MAGIC,
                len(joined).to_bytes(4, "little"),
                len(names).to_bytes(4, "little"),
                joined,
                *entries,
                *(image for column in codes for image in column),
            )
        )
    )
    blocks.append(block_bytes)
    return Extent(start, len(block_bytes), int.from_bytes(block_bytes[-4:], "little") if linked else 0)


class EncodedIndex:
    """The index's bytes, and how many of the last of them are the head."""

    __slots__ = ("data", "head_size")

    def __init__(self, data: bytes, head_size: int) -> None:
        self.data = data
        self.head_size = head_size


def encode_index(
    members: "Iterable[IndexedMember]",
    tags: "Sequence[CodeTag]",
    record_digest: bytes,
    offset: int,
    units: "Extent | None" = None,
    *,
    linked: bool = True,
) -> "EncodedIndex":
    """Return the index over *members*: the same bytes for the same members, in whatever order they come.

    Arguments:
        members: the payload members; ``member.offset`` is that of the data.
        tags: the code tags, in the order of each member's ``codes``.
        record_digest: the SHA-256 of the RECORD member.
        offset: where in the file the index will begin.
        units: where the table of units lies, or None where there is none.
        linked: whether blocks note the checksums of those below them, which the first bundles did not.

    """
    root = _Tree()
    for item in members:
        *folders, name = item.member.name.split("/")
        tree = root
        for folder in folders:
            tree = tree.directories.setdefault(folder, _Tree())
        tree.files[name] = item
    blocks: list[bytes] = []
    extent = _encode_directory(root, "", len(tags), offset, blocks, linked=linked)
    head = Head(record_digest, extent.offset, extent.size, tags, units).encode()
    return EncodedIndex(b"".join([*blocks, head]), len(head))
