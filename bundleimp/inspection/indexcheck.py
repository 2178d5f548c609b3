"""The faults of the index and of what it describes: the bytecode, the units, the list of top-level names."""

from __future__ import annotations

import _imp
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..encoding import CodeTag, IndexedMember, encode_index, encode_top_level
from ..runtime import format as bundle_format
from ..runtime.content import images
from ..runtime.content.member import Member
from ..runtime.content.reading import data_offset
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.format import FLAG_DATA, FLAG_WHOLE, Directory, Extent, Locator, decode_extent
from ..runtime.plain.zipdirectory import list_directories
from ..runtime.site.planning import Group, is_module
from ..runtime.site.units import DATA_PART, EXECUTABLE, decode_units, digest
from ..waiting import TOP_LEVEL
from .finding import Finding
from .zippart import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..runtime.format import Head
    from .reader import BundleReader

_UNCHECKED_HASH = 1


def index_findings(bundle: BundleReader, locator: Locator, digests: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield the faults of the index: its checksum, its content, and what it describes.

    The index has to have the bytes that encoding it again from the members gives.

    Arguments:
        bundle: the bundle.
        locator: the locator of its index, which fits its central directory.
        digests: the SHA-256 of each member that could be read.

    Raises:
        BundleFormatError: the index, or a member that it needs, is damaged.

    """
    list_directories(bundle.members)  # raises if the names were made to fill the memory while they are encoded
    data = bundle.file.read(locator.index_offset, locator.index_size)
    if bundle_format.checksum(data) != locator.index_checksum:
        yield Finding("the index does not match the locator's checksum", bundle_format.INDEX, locator.index_offset)
        return
    head = bundle_format.decode_head(data[-locator.head_size :])
    found, folder_flags = notes(data, head, locator.index_offset)
    members = []
    for item in bundle.members:
        offset = data_offset(bundle.file, item)
        member = Member(item.name, item.method, offset, item.packed_size, item.size, item.crc, item.stamp)
        note = found.get(item.name)
        members.append(IndexedMember(member, note.codes, note.flags) if note is not None else _unnoted(member, head))
    try:
        record = hashlib.sha256(bundle.read_note(bundle_format.RECORD)).digest()
    except KeyError:
        return  # reported with RECORD
    tags = [CodeTag(name, magic) for name, magic in head.tags.items()]
    if encode_index(members, tags, record, locator.index_offset, head.units, folder_flags).data != data:
        message = "the index and the central directory disagree"
        yield Finding(message, bundle_format.INDEX, locator.index_offset)
    for column, tag in enumerate(tags):
        yield from _code(bundle, tag, {name: note.codes[column] for name, note in found.items()})
    units, faults = _units(bundle, head, digests)
    yield from faults or _flags(units, {name: note.flags for name, note in found.items()} | folder_flags)
    names = next((entry for entry in bundle.outer.entries if entry.member.name == TOP_LEVEL), None)
    if names is not None and bundle.read_note(TOP_LEVEL) != encode_top_level(item.name for item in bundle.members):
        yield Finding("lists other names than those at the top level", TOP_LEVEL, names.member.offset)


@dataclass(frozen=True)
class Note:
    """What only the index knows of a member: the places of its bytecode, and its flags."""

    codes: Sequence[Extent | None]
    flags: int


def _unnoted(member: Member, head: Head) -> IndexedMember:
    return IndexedMember(member, [None] * len(head.tags))


def _units(bundle: BundleReader, head: Head, digests: Mapping[str, bytes]) -> tuple[list[Group], list[Finding]]:
    """Check the table of units: each unit names members, and has their data part and the digests of their contents.

    Return those units whose members are there, and the faults.
    """
    entry = next((entry for entry in bundle.outer.entries if entry.member.name == bundle_format.UNITS), None)
    if entry is None or head.units is None:
        if entry is None and head.units is None:
            return [], []
        return [], [
            Finding("the table of units is missing in the index or in the central directory", bundle_format.UNITS)
        ]
    offset = data_offset(bundle.file, entry.member)
    table = bundle.read_note(bundle_format.UNITS)
    noted = (head.units.offset, head.units.size, head.units.checksum)
    if noted != (offset, len(table), bundle_format.checksum(table)):
        message = "the table of units does not lie where the index says"
        return [], [Finding(message, bundle_format.UNITS, offset)]
    modes = {entry.member.name: bool(entry.mode & 0o100) for entry in bundle.entries()}
    groups, faults = [], []
    for unit in decode_units(table):
        files = [(name, letter, digests[name]) for name, letter in unit.files.items() if name in digests]
        if {name: letter in EXECUTABLE for name, letter, _ in files} != {name: modes.get(name) for name in unit.files}:
            faults.append(f"the unit {unit.name!r} names other files than there are")
            continue
        part = [item for item in files if item[1] in DATA_PART]
        if (unit.digest, unit.data_digest) != (digest(files, hashlib.sha256), digest(part, hashlib.sha256)):
            faults.append(f"the files of unit {unit.name!r} do not match its digest")
        names = {name for name, _, _ in part}
        commands = unit.files.keys() - names
        groups.append(Group([unit.name], list(unit.files), commands.__contains__))
        if groups[-1].data_part != names:
            faults.append(f"the unit {unit.name!r} has another data part than it says")
    return groups, [Finding(message, bundle_format.UNITS, offset) for message in faults]


def _flags(units: Sequence[Group], flags: Mapping[str, int]) -> Iterator[Finding]:
    """Check the *flags* of all files and folders: they have those that their unit allows."""
    allowed: dict[str, tuple[int, ...]] = {}
    for unit in units:
        allowed |= {portion + "/": (FLAG_DATA,) for portion in unit.portions}
        near = set(unit.near)
        for name in filter(is_module, unit.files):
            other = FLAG_DATA if name in near else 0
            allowed[name] = (FLAG_WHOLE,) if unit.native else (FLAG_WHOLE, other)
    for name, given in flags.items():
        if given not in allowed.get(name, (0,)):
            yield Finding(f"the flags of {name} do not fit the table of units", bundle_format.INDEX)


def notes(data: bytes, head: Head, offset: int) -> tuple[dict[str, Note], dict[str, int]]:
    """Return what the index says of each member, and the flags of each directory."""
    result: dict[str, Note] = {}
    folders: dict[str, int] = {}
    root = data[head.root_offset - offset :][: head.root_size]
    own = bundle_format.number(root, len(root) - 4, len(root))
    todo = [("", Extent(offset=head.root_offset, size=head.root_size, checksum=own))]
    seen = set()
    while todo:
        path, extent = todo.pop()
        if extent.offset in seen:
            message = f"the index is damaged: the block of {path!r} is used twice"
            raise BundleFormatError(message, member=bundle_format.INDEX, offset=extent.offset)
        seen.add(extent.offset)
        start = extent.offset - offset
        directory = Directory(data[max(start, 0) : start + extent.size], path, extent.checksum)
        for name in directory.names:
            if name.endswith("/"):
                todo.append((directory.prefix + name[:-1], directory.subdirectory(name[:-1])))
                folders[directory.prefix + name] = directory.flags(name)
            else:
                codes = [decode_extent(directory.code_entry(name, column)) for column in range(len(head.tags))]
                result[directory.prefix + name] = Note(codes, directory.flags(name))
    return result, folders


def _code(bundle: BundleReader, tag: CodeTag, extents: dict[str, Extent | None]) -> Iterator[Finding]:
    """Check a code member: its images lie end to end, and each was made from the source of its module."""
    name = bundle_format.CODE + tag.name
    entry = next((entry for entry in bundle.outer.entries if entry.member.name == name), None)
    if entry is None:
        yield Finding("the index needs this member, and it is missing", name)
        return
    position = data_offset(bundle.file, entry.member)
    end = position + entry.member.packed_size
    sources = {member.name: member for member in bundle.members}
    used = [(module, extent) for module, extent in extents.items() if extent is not None]
    for module, extent in sorted(used, key=lambda item: item[1].offset):
        if extent.offset != position or extent.offset + extent.size > end:
            yield Finding(f"the bytecode of {module} does not lie where it should", name, extent.offset)
            return
        position += extent.size
        if module not in sources:
            yield Finding(f"holds bytecode of {module}, which is no member", name, extent.offset)
            continue
        fault = _image_fault(bundle, tag, extent, sources[module])
        if fault is not None:
            yield Finding(f"the bytecode of {module} {fault}", name, extent.offset)
    if position != end:
        yield Finding("holds bytes that belong to no module", name, position)


def _image_fault(bundle: BundleReader, tag: CodeTag, extent: Extent, source: Member) -> str | None:
    data = bundle.file.read(extent.offset, extent.size)
    if bundle_format.checksum(data) != extent.checksum:
        return "does not match its checksum"
    try:
        image = images.decode(data)
    except ValueError as error:
        return str(error)
    if image[:4] != tag.magic or int.from_bytes(image[4:8], "little") != _UNCHECKED_HASH:
        return f"is not an unchecked hash-based pyc of {tag.name}"
    try:
        text = b"".join(stream(bundle.file, source))
    except BundleFormatError:
        return None  # reported with the contents
    if _imp.source_hash(int.from_bytes(tag.magic, "little"), text) != image[8:16]:
        return "was made from another source"
    return None
