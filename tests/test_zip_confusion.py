"""Zips that are one archive to one tool and another to the next: `verify` says so; imports take what it judges.

The list is that of the attacks which PyPI and uv closed in 2025 (CVE-2025-54368).  Beside what our reader takes stands
what the standard library's `zipfile` and `zipimport` take: where that is the same on all Pythons, it is asserted.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zipimport
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.inspection.extract import extract
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import files
from bundleimp.runtime.faults.kinds import BundleError

from .archives import UTF8_NAME, RawEntry, raw_zip, with_payload
from .builders import make_bundle

if TYPE_CHECKING:
    from pathlib import Path

A = RawEntry(b"a.py", b"x = 1")
B = RawEntry(b"b.py", b"y = 2")
SOUND = raw_zip([A, B])
BOTH = {"a.py": b"x = 1", "b.py": b"y = 2"}
HIDDEN = raw_zip([RawEntry(b"evil.py", b"evil")])
HIDDEN_LOCAL = HIDDEN[: HIDDEN.index(b"PK\1\2")]
DESCRIBED = 0x8


def directory_of(data: bytes) -> int:
    return data.index(b"PK\1\2")


def end_of(data: bytes) -> int:
    return data.rindex(b"PK\5\6")


def inserted(data: bytes, at: int, more: bytes) -> bytes:
    """Return *data* with *more* at the offset *at*, which is not before the central directory, told of nowhere."""
    return data[:at] + more + data[at:]


def with_directory_at(data: bytes, offset: int) -> bytes:
    """Return *data* with *offset* in its end record as that of the central directory."""
    at = end_of(data) + 16
    return data[:at] + struct.pack("<L", offset) + data[at + 4 :]


def with_gap(more: bytes) -> bytes:
    """Return a zip with *more* between its last member and its central directory."""
    data = inserted(SOUND, directory_of(SOUND), more)
    return with_directory_at(data, directory_of(data))


def with_zip64(data: bytes, *, count: int = 2, shift: int = 0, where: int = 0, size: int = 44) -> bytes:
    """Return *data* with a zip64 end record: its count, what is added to offsets, where it is, its own size."""
    end = end_of(data)
    length, offset = struct.unpack("<2L", data[end + 12 : end + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", size, 45, 45, 0, 0, count, count, length, offset + shift)
    return inserted(data, end, record + struct.pack("<4sLQL", b"PK\6\7", 0, end + where, 1))


def descriptor(content: bytes, *, crc: int | None = None) -> bytes:
    return b"PK\7\x08" + struct.pack("<3L", zlib.crc32(content) if crc is None else crc, len(content), len(content))


def unicode_path(name: bytes, of: bytes) -> bytes:
    return struct.pack("<2HBL", 0x7075, 5 + len(name), 1, zlib.crc32(of)) + name


def two_directories() -> bytes:
    """Return a zip with a central directory behind another of the same size, which the end record's offset names."""
    evil = raw_zip([RawEntry(b"a.py", b"x = 9"), RawEntry(b"b.py", b"y = 9")])
    other = evil[directory_of(evil) : end_of(evil)]
    return inserted(SOUND, end_of(SOUND), other)


@dataclass(frozen=True)
class Attack:
    """A zip, what `verify` must say of it, and what imports take: None where that depends, or they refuse it."""

    data: bytes
    finding: str
    ours: dict[str, bytes] | None
    zipfile: dict[str, bytes] | None = None
    zipimport: dict[str, bytes] | None = None


FIRST = {"a.py": b"x = 1"}
ATTACKS = {
    "a name twice in both places": Attack(
        raw_zip([A, RawEntry(b"a.py", b"x = 2")]), "a.py: the name appears twice", {}
    ),
    "a local header that no entry names": Attack(
        with_gap(HIDDEN_LOCAL), "evil.py: has a local header, and the central directory does not", BOTH, BOTH, BOTH
    ),
    "a second version of a member that no entry names": Attack(
        with_gap(raw_zip([RawEntry(b"a.py", b"evil!")])[:39]), "a.py: has a local header, and", BOTH, BOTH, BOTH
    ),
    "bytes before the central directory": Attack(
        with_gap(b"junk"), "4 bytes that belong to no member", BOTH, BOTH, BOTH
    ),
    "bytes between members": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", behind=b"junk"), B]), "4 bytes that belong to no member", BOTH, BOTH, BOTH
    ),
    "bytes behind the central directory": Attack(
        inserted(SOUND, end_of(SOUND), b"junk"), "the central directory is damaged", {}
    ),
    "two central directories": Attack(two_directories(), "offsets count from byte", {}),
    "a zip behind a zip": Attack(raw_zip([B]) + raw_zip([A]), "b.py: has a local header, and", FIRST, FIRST, FIRST),
    "a zip behind a zip, with offsets that fit": Attack(
        with_directory_at(raw_zip([RawEntry(b"a.py", b"x = 1", offset=len(HIDDEN))], prefix=HIDDEN), len(HIDDEN) + 39),
        "evil.py: has a local header, and",
        FIRST,
        FIRST,
        FIRST,
    ),
    "bytes in front": Attack(
        b"MZ junk" + SOUND, "7 bytes (before the first member|that belong to no member)", BOTH, BOTH, BOTH
    ),
    "a comment with an end record that does not fit": Attack(
        raw_zip([A, B], comment=HIDDEN[end_of(HIDDEN) :] + b"-"), "the signature of another end record", BOTH
    ),
    "a comment with an end record that fits": Attack(
        raw_zip([A, B], comment=HIDDEN), "a.py: has a local header, and", {"evil.py": b"evil"}, {"evil.py": b"evil"}
    ),
    "a zip64 end record of another directory": Attack(
        with_zip64(SOUND, shift=1), "and its zip64 end record disagree", {}
    ),
    "a zip64 end record with another count": Attack(
        with_zip64(SOUND, count=1), "and its zip64 end record disagree", {}
    ),
    "a zip64 locator that leads elsewhere": Attack(
        with_zip64(SOUND, where=-20), "zip64 end record is not where its locator says", BOTH
    ),
    "a zip64 end record that says it is longer": Attack(
        with_zip64(SOUND, size=60), "zip64 end record is not where its locator says", BOTH
    ),
    "another name in the local header": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", header_name=b"c.py"), B]), "a.py: the local header", {"b.py": b"y = 2"}
    ),
    "other flags in the local header": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", header_flags=UTF8_NAME), B]), "a.py: .* disagree on its flags", BOTH
    ),
    "encrypted by the local header only": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", header_flags=1), B]), "a.py: .* disagree on its flags", BOTH
    ),
    "no data descriptor where one is announced": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", flags=DESCRIBED), B]),
        "a.py: the data descriptor behind it is missing",
        BOTH,
    ),
    "a data descriptor with another checksum": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", flags=DESCRIBED, behind=descriptor(b"x = 1", crc=1)), B]),
        "a.py: the data descriptor behind it is missing, or disagrees",
        BOTH,
    ),
    "a member inside another": Attack(
        raw_zip([RawEntry(b"a.py", HIDDEN_LOCAL), RawEntry(b"evil.py", b"evil", offset=34)]),
        "evil.py: the data overlaps that of a.py",
        None,
    ),
    "two entries for the same data": Attack(
        raw_zip([A, RawEntry(b"a.py", b"x = 1", offset=0)]), "the data overlaps", {}
    ),
    "a Unicode path of another name": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", extra=unicode_path(b"evil.py", b"a.py")), B]),
        "a.py: the extra field gives another name, 'evil.py'",
        BOTH,
    ),
    "a Unicode path of another name in the local header": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", header_extra=unicode_path(b"evil.py", b"a.py")), B]),
        "a.py: in the local header, the extra field gives another name, 'evil.py'",
        BOTH,
    ),
    "an extra field twice": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", extra=b"\1\x99\0\0\1\x99\0\0"), B]),
        "has two blocks of one kind",
        BOTH,
        BOTH,
    ),
    "an extra field that ends early": Attack(
        raw_zip([RawEntry(b"a.py", b"x = 1", header_extra=b"\1\x99\7\0"), B]), "the extra field is damaged", BOTH, BOTH
    ),
    "names that differ in case": Attack(
        raw_zip([RawEntry(b"a.py", b"1"), RawEntry(b"A.py", b"2")]), "only in case", {"a.py": b"1", "A.py": b"2"}
    ),
    "names that differ in normalisation": Attack(
        raw_zip([RawEntry(name.encode(), b"", flags=UTF8_NAME) for name in ("\u00e9.py", "e\u0301.py")]),
        "only in case or Unicode normalisation",
        {"\u00e9.py": b"", "e\u0301.py": b""},
    ),
    "a name with a dot at its end": Attack(
        raw_zip([RawEntry(b"a.py.", b"")]), "ends in a dot or a space", {"a.py.": b""}
    ),
    "a directory with a space at its end": Attack(
        raw_zip([RawEntry(b"a /b.py", b"")]), "ends in a dot or a space", {"a /b.py": b""}
    ),
    "a file that is a directory, too": Attack(
        raw_zip([RawEntry(b"a", b""), RawEntry(b"a/b.py", b"")]), "makes a directory of a, a file", None
    ),
    "a directory with content": Attack(raw_zip([RawEntry(b"d/", b"x"), A]), "d/: is a directory with content", FIRST),
    "unknown flags": Attack(raw_zip([RawEntry(b"a.py", b"x = 1", flags=0x2000), B]), "a.py: has unknown flags", BOTH),
}

# The end of the payload is found like that of any zip; a shorter one has no room.
NOT_INSIDE = {"bytes behind the central directory"}


def findings(path: Path) -> list[str]:
    """Return what `verify` says of the file at *path*, or why it could not even open it."""
    try:
        return [str(finding) for finding in bundleimp.open_bundle(path).verify()]
    except BundleError as error:
        return [str(error)]


def taken_by_us(path: Path) -> dict[str, bytes]:
    """Return the members that imports can read; those that they refuse are left out."""
    result = {}
    try:
        archive = Archive(str(path))
    except BundleError:
        return {}
    root = archive.directory("")
    assert root is not None
    for name in [entry for entry in root.names if not entry.endswith("/")]:
        try:
            result[name] = files.read(archive, root.member(name))
        except BundleError:
            continue
    for name in [entry for entry in root.names if entry.endswith("/")]:
        below = archive.directory(name[:-1])
        result |= {f"{name}{entry}": files.read(archive, below.member(entry)) for entry in below.names} if below else {}
    return result


@pytest.mark.parametrize("name", ATTACKS)
def test_what_two_tools_could_read_differently_is_found(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    path = tmp_path / "out.pybundle"
    path.write_bytes(attack.data)
    texts = findings(path)
    assert [text for text in texts if re.search(attack.finding, text)] != [], texts
    assert all(re.search(r"\(at offset \d+\)$", text) for text in texts)
    if attack.ours is not None:
        assert taken_by_us(path) == attack.ours
    if attack.zipfile is not None:
        with zipfile.ZipFile(io.BytesIO(attack.data)) as archive:
            assert {info.filename: archive.read(info) for info in archive.infolist()} == attack.zipfile
    if attack.zipimport is not None:
        importer = zipimport.zipimporter(str(path))
        assert {name: importer.get_data(name) for name in attack.zipimport} == attack.zipimport


def test_the_zip_that_the_attacks_start_from_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "out.pybundle"
    path.write_bytes(SOUND)
    assert findings(path) == []
    assert taken_by_us(path) == BOTH


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in NOT_INSIDE])
def test_the_same_tricks_are_found_in_a_nested_payload(name: str, tmp_path: Path) -> None:
    """The index then belongs to another payload; what is found in the payload does not depend on it."""
    path = make_bundle(tmp_path / "out.pybundle", {"a.py": "x = 1"}, layout="nested")
    path.write_bytes(with_payload(path.read_bytes(), ATTACKS[name].data))
    texts = findings(path)
    assert [text for text in texts if re.search(ATTACKS[name].finding, text)] != [], texts


def test_a_member_of_the_payload_that_the_outer_zip_has_too_is_found(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "out.pybundle", {"a.py": "x = 1"}, layout="nested")
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the stub, which has that name, too
        archive.writestr("a.py", "x = 2")
    assert [text for text in findings(path) if "a.py: the name appears in the outer and in the inner zip" in text] != []


def test_a_small_file_of_overlapping_members_is_not_unpacked(tmp_path: Path) -> None:
    bomb = RawEntry(b"0", bytes(10**6), method=8)
    path = tmp_path / "bomb.pybundle"
    path.write_bytes(raw_zip([bomb, *(RawEntry(b"%d" % at, method=8, offset=0) for at in range(1, 1000))]))
    assert [text for text in findings(path) if text.startswith("0: the data overlaps that of")] != []
    with pytest.raises(BundleError, match="0: is not written: its data overlaps that of another member"):
        extract(bundleimp.open_bundle(path), tmp_path / "out")
    assert not (tmp_path / "out").exists()
