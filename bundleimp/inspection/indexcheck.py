"""The faults of the index and of what it describes: the bytecode, the units, the list of top-level names."""

from __future__ import annotations

import _imp
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..encoding import CodeTag, IndexedMember, IndexedTarget, encode_index, encode_top_level
from ..runtime import format as bundle_format
from ..runtime.content import images
from ..runtime.content.member import Member
from ..runtime.content.reading import data_offset
from ..runtime.content.targets import split_name, units_name
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.format import FLAG_DATA, FLAG_WHOLE, Extent, Locator
from ..runtime.interpreter.lazily import LAZY_TAG
from ..runtime.plain.zipdirectory import list_directories
from ..runtime.site.planning import Group, is_module
from ..runtime.site.units import DATA_PART, EXECUTABLE, decode_units, digest
from ..waiting import TOP_LEVEL
from .finding import Finding
from .views import IndexViews, Note, View, stored_of
from .zippart import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..runtime.plain.zipdirectory import RawEntry
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
    views = IndexViews(data, locator.head_size, locator.index_offset).views()
    offsets = bundle.data_offsets()
    stored = [stored_of(number, view, offsets) for number, view in enumerate(views, 1)]
    targets = [
        IndexedTarget(
            _indexed(bundle, offsets, number, view, stored[number - 1], len(head.tags)),
            view.target.units,
            view.folder_flags,
            name=view.target.name,
            key=view.target.key,
            needs=view.needs,
        )
        for number, view in enumerate(views, 1)
    ]
    try:
        record = hashlib.sha256(bundle.read_note(bundle_format.RECORD)).digest()
    except KeyError:
        return  # reported with RECORD
    tags = [CodeTag(name, magic) for name, magic in head.tags.items()]
    if encode_index(targets, tags, record, locator.index_offset).data != data:
        message = "the index and the central directory disagree"
        yield Finding(message, bundle_format.INDEX, locator.index_offset)
    yield from _codes(bundle, tags, views, stored)
    yield from _strangers(bundle, len(views))
    for number, view in enumerate(views, 1):
        yield from _view_findings(bundle, number, view, _contents_of(bundle, view, stored[number - 1], digests))
    names = next((entry for entry in bundle.outer.entries if entry.member.name == TOP_LEVEL), None)
    own_names = encode_top_level(split_name(item.name)[1] for item in bundle.members)
    if names is not None and bundle.read_note(TOP_LEVEL) != own_names:
        yield Finding("lists other names than those at the top level", TOP_LEVEL, names.member.offset)


def _indexed(
    bundle: BundleReader, offsets: Mapping[str, int], number: int, view: View, stored: Mapping[str, str], columns: int
) -> list[IndexedMember]:
    """Return what the index must contain for a target: what it notes of members that are there, and all of its own."""
    chosen = {name: (place, view.notes[name]) for name, place in stored.items()}
    members = {item.name: item for item in bundle.members}
    for item in members.values():
        home, name = split_name(item.name)
        if home == number:
            chosen.setdefault(name, (item.name, view.notes.get(name) or Note(0, [None] * columns, 0)))
    result = []
    for name, (place, note) in chosen.items():
        item = members[place]
        member = Member(name, item.method, offsets[place], item.packed_size, item.size, item.crc, item.stamp)
        result.append(IndexedMember(member, note.codes, note.flags))
    return result


def _strangers(bundle: BundleReader, count: int) -> Iterator[Finding]:
    """Yield a finding for each member of a target that the index does not have."""
    for entry in bundle.entries():
        if split_name(entry.member.name)[0] > count:
            yield Finding("belongs to a target that the index does not have", entry.member.name, entry.position)


def _codes(
    bundle: BundleReader, tags: Sequence[CodeTag], views: Sequence[View], stored: Sequence[Mapping[str, str]]
) -> Iterator[Finding]:
    """Check the code members.  Targets that have the same file have the same bytecode of it."""
    known: dict[str, Note] = {}
    for view, places in zip(views, stored, strict=True):
        for name, note in view.notes.items():
            place = places.get(name, name)
            if known.setdefault(place, note).codes != note.codes:
                yield Finding("the index has other bytecode of it for another target", place)
    for column, tag in enumerate(tags):
        extents = {name: note.codes[column] for name, note in known.items()}
        if column and tag.name == tags[column - 1].name + LAZY_TAG:
            # What the column for lazy imports has in common with the one before it is checked there.
            before = {name: note.codes[column - 1] for name, note in known.items()}
            extents = {name: extent for name, extent in extents.items() if extent != before[name]}
        yield from _code(bundle, tag, extents)


@dataclass(frozen=True)
class _Contents:
    """The members of a target: their digests, and whether they are executable, by their own names."""

    digests: Mapping[str, bytes]
    modes: Mapping[str, bool]


def _contents_of(
    bundle: BundleReader, view: View, stored: Mapping[str, str], digests: Mapping[str, bytes]
) -> _Contents:
    modes = {entry.member.name: bool(entry.mode & 0o100) for entry in bundle.entries()}
    places = {name: stored.get(name, name) for name in view.notes}
    return _Contents(
        {name: digests[place] for name, place in places.items() if place in digests},
        {name: modes[place] for name, place in places.items() if place in modes},
    )


def _view_findings(bundle: BundleReader, number: int, view: View, contents: _Contents) -> Iterator[Finding]:
    """Check the table of units of a target, and the flags of its files and folders."""
    units, faults = _units(bundle, number, view.target.units, contents)
    yield from faults or _flags(units, {name: note.flags for name, note in view.notes.items()} | view.folder_flags)


def _units(
    bundle: BundleReader, number: int, units: Extent | None, contents: _Contents
) -> tuple[list[Group], list[Finding]]:
    """Check the table of units: each unit names members, and has their data part and the digests of their contents.

    Return those units whose members are there, and the faults.
    """
    entry = _table_of(bundle, number, units)
    if entry is None or units is None:
        if entry is None and units is None:
            return [], []
        return [], [
            Finding("the table of units is missing in the index or in the central directory", units_name(number))
        ]
    offset = data_offset(bundle.file, entry.member)
    table = bundle.read_note(entry.member.name)
    noted = (units.offset, units.size, units.checksum)
    if noted != (offset, len(table), bundle_format.checksum(table)):
        message = "the table of units does not lie where the index says"
        return [], [Finding(message, entry.member.name, offset)]
    digests = contents.digests
    groups, faults = [], []
    for unit in decode_units(table):
        files = [(name, letter, digests[name]) for name, letter in unit.files.items() if name in digests]
        own = {name: contents.modes.get(name) for name in unit.files}
        if {name: letter in EXECUTABLE for name, letter, _ in files} != own:
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
    return groups, [Finding(message, entry.member.name, offset) for message in faults]


def _table_of(bundle: BundleReader, number: int, units: Extent | None) -> RawEntry | None:
    """Return the table of units of a target, which may be that of an earlier one."""
    tables = {entry.member.name: entry for entry in bundle.outer.entries}
    own = tables.get(units_name(number))
    if own is None and units is not None:
        for earlier in range(1, number):
            entry = tables.get(units_name(earlier))
            if entry is not None and data_offset(bundle.file, entry.member) == units.offset:
                return entry
    return own


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
