"""What differs between two bundles, or between a bundle and any zip.

Contents are compared by the sizes and CRC-32s of the central directories, and by the SHA-256s of RECORD if both files
have one.  The facts that bundles state about themselves are compared if both files are bundles.  Times and permissions
are not compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..distinfo import record_rows
from ..runtime import format as bundle_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .reader import BundleReader

# These facts follow from the members and the bytecode, which are compared.
_DERIVED = {"members", "distributions", "python"}


@dataclass(frozen=True)
class Content:
    """The content of a member.

    Attributes:
        size: its size in bytes, unpacked.
        crc: its CRC-32.
        digest: its SHA-256 from RECORD; None if there is no RECORD, or RECORD does not name the member.

    """

    size: int
    crc: int
    digest: str | None = None

    def same_as(self, other: Content) -> bool:
        """Return whether size, CRC-32 and known digests are equal."""
        digests = {self.digest, other.digest} - {None}
        return (self.size, self.crc) == (other.size, other.crc) and len(digests) <= 1


@dataclass(frozen=True)
class Contents:
    """The parts of one file that are compared.

    Attributes:
        members: the contents by name; a name that appears twice in the file has two contents.
        facts: the facts that the bundle states about itself; None for a zip of another tool.

    """

    members: Mapping[str, Sequence[Content]]
    facts: Mapping[str, str] | None


@dataclass(frozen=True)
class MemberChange:
    """A member that both files have, with different content; sizes in bytes."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class FactChange:
    """A fact that the two bundles state differently; None if one of them does not state it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Difference:
    """What the second file adds, removes and changes."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[MemberChange] = field(default_factory=list)
    facts: list[FactChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.facts)


def compare(before: Contents, after: Contents) -> Difference:
    """Return what differs, in the order of the names."""
    changed = [
        MemberChange(name, sum(each.size for each in contents), sum(each.size for each in after.members[name]))
        for name, contents in sorted(before.members.items())
        if name in after.members and not _same(contents, after.members[name])
    ]
    return Difference(
        sorted(after.members.keys() - before.members.keys()),
        sorted(before.members.keys() - after.members.keys()),
        changed,
        list(_changed_facts(before.facts, after.facts)) if before.facts is not None and after.facts is not None else [],
    )


def _same(before: Sequence[Content], after: Sequence[Content]) -> bool:
    return len(before) == len(after) and all(one.same_as(other) for one, other in zip(before, after, strict=True))


def _changed_facts(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FactChange]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield FactChange(name, before.get(name), after.get(name))


def diff(before: BundleReader, after: BundleReader) -> Difference:
    """Return what differs between two opened files.

    Raises:
        BundleFormatError: a manifest or a RECORD is damaged.

    """
    recorded = all(_has_record(bundle) for bundle in (before, after))
    return compare(_contents(before, recorded=recorded), _contents(after, recorded=recorded))


def _has_record(bundle: BundleReader) -> bool:
    return any(entry.member.name == bundle_format.RECORD for entry in bundle.outer.entries)


def _contents(bundle: BundleReader, *, recorded: bool) -> Contents:
    """Return the parts of *bundle* to compare, with the digests of its RECORD if *recorded*."""
    digests = _digests(bundle.read_note(bundle_format.RECORD)) if recorded else {}
    members: dict[str, list[Content]] = {}
    for entry in bundle.entries():
        member = entry.member
        if not member.name.endswith("/"):
            members.setdefault(member.name, []).append(Content(member.size, member.crc, digests.get(member.name)))
    return Contents(members, _facts(bundle))


def _digests(record: bytes) -> dict[str, str]:
    """Return the digest of each member that RECORD names."""
    try:
        rows = record_rows(record.decode("utf-8", "backslashreplace"))
    except ValueError:
        return {}
    return {row.name: row.digest for row in rows if row.digest}


def _facts(bundle: BundleReader) -> dict[str, str] | None:
    """Return the facts that *bundle* states about itself, by name."""
    manifest = bundle.manifest
    if manifest is None:
        return None
    facts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in manifest.items()
        if name not in _DERIVED and value is not None
    }
    pythons = manifest.get("python")
    for python in pythons if isinstance(pythons, list) else ():
        if isinstance(python, dict):
            facts[f"Python of {python.get('tag')}"] = str(python.get("version"))
    for entry in bundle.outer.entries:
        member = entry.member
        if member.name.startswith(bundle_format.CODE):
            tag = member.name.removeprefix(bundle_format.CODE)
            facts[f"bytecode for {tag}"] = f"{member.size} bytes, CRC-32 {member.crc:08x}"
    facts["layout"] = bundle.layout
    return facts
