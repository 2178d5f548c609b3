"""Everything that can be wrong with a bundle, found without trusting any part of it."""

from __future__ import annotations

import _imp
import base64
import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime import format as bundle_format
from ..runtime.format import fits
from ..encoding import CodeTag, IndexedMember, encode_index, encode_top_level
from ..runtime.errors import BundleFormatError
from ..runtime.format import Directory, Extent, Locator
from ..runtime.content.member import Member
from ..runtime.site.units import decode_units, digest
from ..runtime.plain.zipdirectory import list_directories
from ..waiting import TOP_LEVEL
from .bundle import data_offset, stream
from .finding import Finding
from .program import program_findings
from .zipcheck import overlaps, zip_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..runtime.format import Head
    from .bundle import Bundle, ZipPart

_UNCHECKED_HASH = 1
# Rows of RECORD that name nothing there is; more say nothing more, and a small file can hold millions.
_MOST_UNKNOWN = 1000


@dataclass(frozen=True)
class _Content:
    """What a member's content turned out to be."""

    digest: bytes
    size: int


def verify(bundle: Bundle) -> list[Finding]:
    """Return what is wrong with *bundle*."""
    findings: list[Finding] = []
    contents: dict[str, _Content] = {}
    for part in (bundle.outer, bundle.inner):
        if part is not None:
            findings += zip_findings(bundle.file, part)
            findings += _contents(bundle, part, contents)
    findings += _shared_names(bundle)
    locator = bundle_format.decode_locator(bundle.outer.end.comment)
    if locator is None or not fits(locator, bundle.outer.end, bundle.outer.directory):
        return findings + list(_no_index(bundle, locator))
    try:
        findings += _index(bundle, locator, contents)
        findings += _record(bundle, contents)
        findings += program_findings(bundle)
    except BundleFormatError as error:
        # What the index or RECORD stands on is damaged; most likely that was found above already.
        finding = Finding(error.message, error.member, error.offset)
        findings += [finding] if finding not in findings else []
    return findings


def _no_index(bundle: Bundle, locator: Locator | None) -> Iterator[Finding]:
    """Say why there is no index to use; nothing where the file never had one."""
    offset = bundle.outer.end.offset
    if locator is not None:
        message = "the index was made for another central directory: some other tool has changed the archive"
        yield Finding(message, bundle_format.INDEX, offset)
    elif bundle_format.format_version(bundle.outer.end.comment) is not None:
        yield Finding("the locator in the archive's comment is damaged", None, offset)
    elif any(entry.member.name == bundle_format.INDEX for entry in bundle.outer.entries):
        yield Finding("there is an index, but no locator in the archive's comment", bundle_format.INDEX, offset)


def _shared_names(bundle: Bundle) -> Iterator[Finding]:
    """Yield the members of the inner zip that the outer one has, too."""
    outer = {entry.member.name for entry in bundle.outer.entries}
    for entry in bundle.inner.entries if bundle.inner is not None else ():
        if entry.member.name in outer:
            yield Finding("the name appears in the outer and in the inner zip", entry.member.name, entry.position)


def _contents(bundle: Bundle, part: ZipPart, contents: dict[str, _Content]) -> Iterator[Finding]:
    shared = overlaps(bundle.file, part)
    for entry in part.entries:
        member = entry.member
        if member.refusal is not None or entry.position in shared:
            continue  # reported already; a small file of overlapping members can stand for petabytes
        digest = hashlib.sha256()
        size = 0
        try:
            for chunk in stream(bundle.file, member):
                digest.update(chunk)
                size += len(chunk)
        except BundleFormatError as error:
            yield Finding(error.message, member.name, error.offset)
        else:
            contents[member.name] = _Content(digest.digest(), size)


def _record(bundle: Bundle, contents: dict[str, _Content]) -> Iterator[Finding]:
    """Hold RECORD against the members' contents."""
    try:
        text = bundle.read_note(bundle_format.RECORD).decode("utf-8", "replace")
    except KeyError:
        yield Finding("the member is missing", bundle_format.RECORD)
        return
    payload = {member.name for member in bundle.members}
    waiting = set(payload)
    unknown = 0
    for row in _rows(text):
        if isinstance(row, Finding):
            yield row
            break
        name = row[0] if row else ""
        if name not in payload:
            yield Finding("RECORD names a member that is not there", name)
            unknown += 1
            if unknown == _MOST_UNKNOWN:
                break
            continue
        if name not in waiting:
            yield Finding("RECORD names this member twice", name)
        waiting.discard(name)
        content = contents.get(name)
        if content is not None:
            digest = "sha256=" + base64.urlsafe_b64encode(content.digest).rstrip(b"=").decode()
            if row[1:] != [digest, str(content.size)]:
                yield Finding("the content differs from what RECORD says", name)
    for name in sorted(waiting):
        yield Finding("RECORD does not name this member", name)


def _rows(text: str) -> Iterator[list[str] | Finding]:
    """Yield the rows of a RECORD; a finding where it is none."""
    try:
        yield from csv.reader(io.StringIO(text))
    except csv.Error as error:
        yield Finding(f"is not a RECORD: {error}", bundle_format.RECORD)


def _index(bundle: Bundle, locator: Locator, contents: dict[str, _Content]) -> Iterator[Finding]:
    """Check the index: its checksum, and that it is what the members give when it is encoded anew."""
    list_directories(bundle.members)  # else encoding them anew would fill the memory
    data = bundle.file.read(locator.index_offset, locator.index_size)
    if bundle_format.checksum(data) != locator.index_checksum:
        yield Finding("the index does not match the locator's checksum", bundle_format.INDEX, locator.index_offset)
        return
    head = bundle_format.decode_head(data[-locator.head_size :])
    notes = _notes(data, head, locator.index_offset)
    members = []
    for item in bundle.members:
        offset = data_offset(bundle.file, item)
        member = Member(item.name, item.method, offset, item.packed_size, item.size, item.crc, item.stamp)
        note = notes.get(item.name)
        members.append(IndexedMember(member, note.codes, note.flags) if note is not None else _unnoted(member, head))
    try:
        record = hashlib.sha256(bundle.read_note(bundle_format.RECORD)).digest()
    except KeyError:
        return  # reported with RECORD
    tags = [CodeTag(name, magic) for name, magic in head.tags.items()]
    if encode_index(members, tags, record, locator.index_offset, head.units).data != data:
        message = "the index and the central directory disagree"
        yield Finding(message, bundle_format.INDEX, locator.index_offset)
    for column, tag in enumerate(tags):
        yield from _code(bundle, tag, {name: note.codes[column] for name, note in notes.items()})
    yield from _units(bundle, head, contents)
    names = next((entry for entry in bundle.outer.entries if entry.member.name == TOP_LEVEL), None)
    if names is not None and bundle.read_note(TOP_LEVEL) != encode_top_level(item.name for item in bundle.members):
        yield Finding("lists other names than those at the top level", TOP_LEVEL, names.member.offset)


@dataclass(frozen=True)
class _Note:
    """What the index says of a member, and the member itself cannot tell: where its code lies, its flags."""

    codes: Sequence[Extent | None]
    flags: int


def _unnoted(member: Member, head: Head) -> IndexedMember:
    return IndexedMember(member, [None] * len(head.tags))


def _units(bundle: Bundle, head: Head, contents: dict[str, _Content]) -> Iterator[Finding]:
    """Check the table of units: each is made of members, and has the digest of their contents."""
    entry = next((entry for entry in bundle.outer.entries if entry.member.name == bundle_format.UNITS), None)
    if entry is None or head.units is None:
        if entry is not None or head.units is not None:
            yield Finding("only one of index and central directory knows a table of units", bundle_format.UNITS)
        return
    offset = data_offset(bundle.file, entry.member)
    table = bundle.read_note(bundle_format.UNITS)
    noted = (head.units.offset, head.units.size, head.units.checksum)
    if noted != (offset, len(table), bundle_format.checksum(table)):
        yield Finding("the table of units does not lie where the index says", bundle_format.UNITS, offset)
        return
    modes = {entry.member.name: bool(entry.mode & 0o100) for entry in bundle.entries()}
    for unit in decode_units(table):
        files = [(name, mode, contents[name].digest) for name, mode in unit.files.items() if name in contents]
        if {name: mode for name, mode, _ in files} != {name: modes.get(name) for name in unit.files}:
            yield Finding(f"the unit {unit.name!r} names other files than there are", bundle_format.UNITS, offset)
        elif digest(files, hashlib.sha256) != unit.digest:
            yield Finding(f"the files of unit {unit.name!r} do not match its digest", bundle_format.UNITS, offset)


def _notes(data: bytes, head: Head, offset: int) -> dict[str, _Note]:
    """Return what the index says of each member."""
    result: dict[str, _Note] = {}
    root = data[head.root_offset - offset :][: head.root_size]
    todo = [("", Extent(head.root_offset, head.root_size, bundle_format.number(root, len(root) - 4, len(root))))]
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
            else:
                codes = [directory.code(name, column) for column in range(len(head.tags))]
                result[directory.prefix + name] = _Note(codes, directory.flags(name))
    return result


def _code(bundle: Bundle, tag: CodeTag, extents: dict[str, Extent | None]) -> Iterator[Finding]:
    """Check a code member: its images lie in it end to end, and each belongs to its module's source."""
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


def _image_fault(bundle: Bundle, tag: CodeTag, extent: Extent, source: Member) -> str | None:
    image = bundle.file.read(extent.offset, extent.size)
    if bundle_format.checksum(image) != extent.checksum:
        return "does not match its checksum"
    if image[:4] != tag.magic or int.from_bytes(image[4:8], "little") != _UNCHECKED_HASH:
        return f"is not an unchecked hash-based pyc of {tag.name}"
    try:
        text = b"".join(stream(bundle.file, source))
    except BundleFormatError:
        return None  # reported with the contents
    if _imp.source_hash(int.from_bytes(tag.magic, "little"), text) != image[8:16]:
        return "was made from another source"
    return None
