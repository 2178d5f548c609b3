"""`verify`: find everything that is wrong with a bundle, without trusting any part of it.

`zipcheck` checks the zips, `indexcheck` the index, and `program` the program.  This module checks contents and RECORD.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime import format as bundle_format
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.format import fits
from ..runtime.plain.stubs import CONTENT as STUB
from ..runtime.plain.stubs import is_stub
from .finding import Finding
from .indexcheck import index_findings
from .program import program_findings
from .zipcheck import overlaps, zip_findings
from .zippart import stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..runtime.format import Locator
    from .reader import BundleReader
    from .zippart import ZipPart

# At most so many findings about rows of RECORD that name no member: a small file can hold millions of such rows.
_MOST_UNKNOWN = 1000


@dataclass(frozen=True)
class _Content:
    """The digest and the size of a member's content, as read."""

    digest: bytes
    size: int


def verify(bundle: BundleReader) -> list[Finding]:
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
        findings += index_findings(bundle, locator, {name: content.digest for name, content in contents.items()})
        findings += _record(bundle, contents)
        findings += program_findings(bundle)
    except BundleFormatError as error:
        # A member that the index or RECORD needs is damaged.  Most likely there is a finding about it already.
        finding = Finding(error.message, error.member, error.offset)
        findings += [finding] if finding not in findings else []
    return findings


def _no_index(bundle: BundleReader, locator: Locator | None) -> Iterator[Finding]:
    """Yield why the index cannot be used; nothing if the file never had one."""
    offset = bundle.outer.end.offset
    if locator is not None:
        message = "the index was made for another central directory: some other tool has changed the archive"
        yield Finding(message, bundle_format.INDEX, offset)
    elif bundle_format.format_version(bundle.outer.end.comment) is not None:
        yield Finding("the locator in the archive's comment is damaged", None, offset)
    elif any(entry.member.name == bundle_format.INDEX for entry in bundle.outer.entries):
        yield Finding("there is an index, but no locator in the archive's comment", bundle_format.INDEX, offset)


def _shared_names(bundle: BundleReader) -> Iterator[Finding]:
    """Yield a finding for each member that both the outer and the inner zip have, apart from stubs."""
    outer = {entry.member.name for entry in bundle.outer.entries if not is_stub(entry.member)}
    for entry in bundle.inner.entries if bundle.inner is not None else ():
        if entry.member.name in outer:
            yield Finding("the name appears in the outer and in the inner zip", entry.member.name, entry.position)


def _contents(bundle: BundleReader, part: ZipPart, contents: dict[str, _Content]) -> Iterator[Finding]:
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
            if part is bundle.outer and is_stub(member) and digest.digest() != hashlib.sha256(STUB).digest():
                yield Finding("has the checksum of a stub, and other code", member.name, entry.position)


def _record(bundle: BundleReader, contents: dict[str, _Content]) -> Iterator[Finding]:
    """Compare RECORD with the contents of the members."""
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
    """Yield the rows of a RECORD, or a finding if *text* cannot be parsed."""
    try:
        yield from csv.reader(io.StringIO(text))
    except csv.Error as error:
        yield Finding(f"is not a RECORD: {error}", bundle_format.RECORD)
