"""Archives that lie, and archives that were damaged: a clear error or the original bytes, never anything else."""

from __future__ import annotations

import os
import random
import re
import struct
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import files
from bundleimp.runtime.content.decompression import DEFLATED, decompress
from bundleimp.runtime.faults.kinds import BundleError, BundleFormatError, NotABundleError

from .archives import (
    ENCRYPTED,
    SYMLINK,
    UTF8_NAME,
    RawEntry,
    deflated,
    embedded_image,
    file_names,
    flipped,
    raw_zip,
    read_all,
)
from .brief import sparse
from .builders import make_bundle, make_zip, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = RawEntry(b"good.py", b"x = 1")
TREE: dict[str, str | bytes] = {
    "pkg/__init__.py": "from .mod import value\n",
    "pkg/mod.py": "value = 'value'\n" * 5,
    "pkg/data/table.txt": "row\n" * 40,
    "pkg/data/empty.txt": "",
    "pkg/data/noise.bin": random.Random(7).randbytes(60),  # noqa: S311 (the same in each run)
    "single.py": "x = [1, 2, 3]\n",
}
CONTENTS = {name: content.encode() if isinstance(content, str) else content for name, content in TREE.items()}


def archive_of(folder: Path, *entries: RawEntry, count: int | None = None) -> Archive:
    """Open a zip of *entries*."""
    path = folder / "hostile.pybundle"
    path.write_bytes(raw_zip(entries, count=count))
    return Archive(str(path))


def read(archive: Archive, name: str) -> bytes:
    """Return the content of the member *name*, which must be there."""
    member = files.find(archive, name)
    assert member is not None
    return files.read(archive, member)


@pytest.mark.parametrize(
    "name",
    [
        *(b"../evil.py", b"..", b"a/../../evil.py", b"a/..", b"./evil.py", b".", b"a//evil.py"),
        *(b"/evil.py", b"//host/evil.py", b"C:/evil.py", b"C:evil.py", b"pkg/C:/evil.py"),
        *(b"a\\evil.py", b"..\\evil.py", b"\\evil.py", b"evil\0.py", b"\0", b"", b"x" * 5000),
        *(b"../", b"/", b"a/../"),
    ],
)
def test_a_member_whose_name_could_lead_outside_is_not_there(tmp_path: Path, name: bytes) -> None:
    archive = archive_of(tmp_path, RawEntry(name, b"evil = 1"), GOOD)
    root = archive.directory("")
    assert root is not None
    assert list(root.names) == ["good.py"]
    assert read_all(archive) == {"good.py": b"x = 1"}


def test_a_name_that_is_no_utf8_is_not_there(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, RawEntry(b"\xff\xfe.py", b"evil = 1", flags=UTF8_NAME), GOOD)
    assert list(file_names(archive)) == ["good.py"]


def test_of_two_members_with_one_name_neither_is_read(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, RawEntry(b"twice.py", b"one"), RawEntry(b"twice.py", b"two"), GOOD)
    with pytest.raises(BundleFormatError, match=r"twice\.py: is not read: it appears twice in the archive"):
        read(archive, "twice.py")
    assert read(archive, "good.py") == b"x = 1"


@pytest.mark.parametrize("damaged", [b"gxod.py", b"g/od.py", b"good.p", b"go\0d.py", b"BUNDLE-INFO/x"])
def test_a_member_whose_name_is_damaged_in_the_central_directory_is_refused_not_missing(
    tmp_path: Path, damaged: bytes
) -> None:
    archive = archive_of(tmp_path, RawEntry(damaged, b"x = 1", header_name=b"good.py"))
    with pytest.raises(BundleFormatError, match=r"good\.py: is not read: it has another name in the central") as caught:
        read(archive, "good.py")
    assert caught.value.file == archive.path
    assert archive.fault is not None
    assert (archive.fault.file, archive.fault.member is None) == (archive.path, False)


def test_a_bundle_of_which_members_may_be_missing_is_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "out.pybundle"
    path.write_bytes(raw_zip([GOOD, RawEntry(b"lost.py", b"y = 1", offset=10_000)]))
    program = "import good, sys; sys.path_importer_cache.clear(); import importlib.util as u; u.find_spec('other')"
    (line,) = [text for text in run_python("-c", program, path=[path]).stderr.splitlines() if "Warning" in text]
    assert re.search(r"BundleWarning: .*out\.pybundle: lost\.py: .* \(at offset 10000\)", line)


def test_an_end_record_that_was_zeroed_is_no_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "out.pybundle"
    path.write_bytes(raw_zip([GOOD])[:-22] + b"PK\5\6" + bytes(18))
    fault = Archive(str(path)).fault
    assert fault is not None
    assert "says that the archive is empty" in str(fault)
    path.write_bytes(raw_zip([]))
    assert Archive(str(path)).fault is None


def test_a_payload_whose_name_is_damaged_is_an_error_not_an_empty_bundle(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout="nested")
    head, _, tail = path.read_bytes().rpartition(b"BUNDLE-INFO/payload.zip")
    path.write_bytes(head + b"BUNDLE-INFO/paxload.zip" + tail)
    with pytest.raises(BundleFormatError, match=r"payload\.zip: has another name in the central directory"):
        Archive(str(path))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (RawEntry(b"bad.py", b"secret", flags=ENCRYPTED), "is encrypted"),
        (RawEntry(b"bad.py", b"/etc/passwd", mode=SYMLINK), "is a symbolic link"),
        (RawEntry(b"bad.py", b"bzip2", method=12), "method 12"),
        (RawEntry(b"bad.py", b"no zstd", method=93), "zstd|decompressed"),
        (RawEntry(b"bad.py", b"x = 1", crc=1), "checksum"),
        (RawEntry(b"bad.py", b"x = 1", size=4), "checksum"),
        (RawEntry(b"bad.py", b"x = 1", size=6), "checksum"),
        (RawEntry(b"bad.py", b"x = 1", packed_size=4), "checksum"),
        (RawEntry(b"bad.py", b"x = 1", packed_size=0), "checksum"),
        (RawEntry(b"bad.py", b"x = 1", packed_size=10_000), "outside the file"),
        (RawEntry(b"bad.py", b"x = 1", packed_size=2**63, zip64=True), "outside the file"),
        (RawEntry(b"bad.py", b"x = 1", packed_size=2**64 - 1, zip64=True), "outside the file"),
        (RawEntry(b"bad.py", b"x = 1", offset=10_000), "outside the file"),
        (RawEntry(b"bad.py", b"x = 1", offset=2**64 - 1, zip64=True), "outside the file"),
        (RawEntry(b"bad.py", b"x = 1", offset=3), "local header"),
        (RawEntry(b"bad.py", b"x = 1", header_name=b"not.py"), "local header"),
        (RawEntry(b"bad.py", b"x = 1", header_name=b"bad.pyc"), "local header"),
        (RawEntry(b"bad.py", b"a" * 5000, method=8, size=10), "checksum"),
        (RawEntry(b"bad.py", b"a" * 5000, method=8, size=2**40, zip64=True), "checksum|announce"),
        (RawEntry(b"bad.py", b"a" * 5000, method=8, size=2**63 - 1, zip64=True), "checksum|announce"),
        (RawEntry(b"bad.py", b"a" * 5000, method=8, size=2**64 - 1, zip64=True), "checksum|announce"),
        (RawEntry(b"bad.py", b"a" * 5000, method=8, packed_size=3), "checksum|decompressed|announce"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.method}-{value.size}-{value.packed_size}",
)
def test_a_member_that_lies_is_refused_by_name(tmp_path: Path, entry: RawEntry, reason: str) -> None:
    archive = archive_of(tmp_path, entry, GOOD)
    with pytest.raises(BundleFormatError, match=reason) as caught:
        read(archive, "bad.py")
    assert caught.value.file == archive.path
    assert caught.value.member == "bad.py"
    assert read(archive, "good.py") == b"x = 1"


def test_a_zip_bomb_is_unpacked_no_further_than_it_announced(tmp_path: Path) -> None:
    bomb = bytes(50_000_000)
    assert len(decompress(DEFLATED, deflated(bomb), 1000)) == 1001
    archive = archive_of(tmp_path, RawEntry(b"bomb.py", bomb, method=8, size=1000))
    del bomb
    tracemalloc.start()
    try:
        with pytest.raises(BundleFormatError, match="checksum"):
            read(archive, "bomb.py")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_names_that_make_far_more_directories_than_members_are_refused(tmp_path: Path) -> None:
    """A file of ten megabytes could have millions of them in memory."""
    entries = [RawEntry(b"/".join(b"%x" % (at * 150 + part) for part in range(150))) for at in range(20)]
    with pytest.raises(BundleFormatError, match="more than 1040 directories for 20 members"):
        archive_of(tmp_path, *entries)


@pytest.mark.parametrize("count", [0, 1, 3, 0xFFFF])
def test_a_wrong_number_of_entries_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(BundleFormatError, match="damaged"):
        archive_of(tmp_path, GOOD, RawEntry(b"other.py"), count=count)


@pytest.mark.parametrize(("field", "value"), [(12, 0xFFFFFFFF), (12, 47), (16, 0xFFFFFFFF), (16, 10_000)])
def test_an_end_record_that_points_outside_the_archive_is_refused(tmp_path: Path, field: int, value: int) -> None:
    path = tmp_path / "hostile.pybundle"
    data = bytearray(raw_zip([GOOD]))
    struct.pack_into("<L", data, len(data) - 22 + field, value)
    path.write_bytes(data)
    with pytest.raises(BundleFormatError, match="damaged"):
        Archive(str(path))


def test_a_zip64_field_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pybundle"
    data = raw_zip([RawEntry(b"a.py", b"x = 1", zip64=True)])
    path.write_bytes(data.replace(struct.pack("<2H", 1, 24), struct.pack("<2H", 1, 16)))
    with pytest.raises(BundleFormatError, match="zip64"):
        Archive(str(path))


@pytest.mark.parametrize("data", [b"", b"P", b"PK\5\6", b"text\n" * 9, bytes(100_000), b"PK\3\4" + bytes(50)])
def test_a_file_that_is_no_zip_is_no_bundle(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "not.pybundle"
    path.write_bytes(data)
    with pytest.raises(NotABundleError) as caught:
        Archive(str(path))
    assert caught.value.file == caught.value.path == str(path)


def observe(path: Path, images: dict[str, bytes]) -> str:
    """Open and read everything; assert that all that can be read is original; return how it went."""
    try:
        archive = Archive(str(path))
        found = list(file_names(archive))
    except BundleError:
        return "refused"
    seen = "read"
    for name in found:
        try:
            member = files.find(archive, name)
            assert member is not None
            content = files.read(archive, member)
        except BundleError:
            seen = "refused"
            continue
        assert content == CONTENTS.get(name), f"{name} has other bytes"
        try:
            image = embedded_image(archive, name)
        except BundleError:
            seen = "refused"
            continue
        assert image is None or image == images[name], f"{name} has other bytecode"
    return seen if sorted(found) == sorted(CONTENTS) else "listed otherwise"


def images_of(path: Path) -> dict[str, bytes]:
    """Return the embedded bytecode of each module."""
    archive = Archive(str(path))
    found = {name: embedded_image(archive, name) for name in CONTENTS}
    return {name: image for name, image in found.items() if image is not None}


@pytest.fixture(scope="module", params=["flat", "nested", "plain zip"])
def victim(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small file of each kind, which the tests damage in copies."""
    path = tmp_path_factory.mktemp("victim") / "out.pybundle"
    return make_zip(path, TREE) if request.param == "plain zip" else make_bundle(path, TREE, layout=request.param)


@pytest.fixture
def images(victim: Path) -> dict[str, bytes]:
    return images_of(victim)


def test_the_sound_file_gives_the_original_bytes(victim: Path, images: dict[str, bytes]) -> None:
    assert observe(victim, images) == "read"
    modules = [name for name in CONTENTS if name.endswith(".py")]
    assert sorted(images) == (sorted(modules) if Archive(str(victim)).indexed else [])


def damaged(path: Path, original: bytes) -> Iterator[int]:
    """Yield the number of each bit, while the file at *path* has that bit flipped."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        for bit in range(0, 8 * len(original), sparse()):
            at = bit // 8
            os.lseek(descriptor, at, os.SEEK_SET)
            os.write(descriptor, flipped(original[at : at + 1], bit % 8))
            yield bit
            os.lseek(descriptor, at, os.SEEK_SET)
            os.write(descriptor, original[at : at + 1])
    finally:
        os.close(descriptor)


def test_any_flipped_bit_is_an_error_or_without_effect(victim: Path, images: dict[str, bytes], tmp_path: Path) -> None:
    original = victim.read_bytes()
    copy = tmp_path / "copy.pybundle"
    copy.write_bytes(original)
    seen = {observe(copy, images) for _ in damaged(copy, original)}
    assert seen == {"read", "refused", "listed otherwise"}


def test_any_truncation_is_an_error_or_without_effect(victim: Path, images: dict[str, bytes], tmp_path: Path) -> None:
    original = victim.read_bytes()
    copy = tmp_path / "copy.pybundle"
    copy.write_bytes(original)
    seen = {}
    for size in range(len(original) - 1, -1, -1):
        os.truncate(copy, size)
        outcome = observe(copy, images)
        if outcome != "refused":
            seen[size] = outcome
    # Where the inner zip of a nested bundle ends, what is left is that zip, behind some other data.
    inner_end = original.find(b"PK\5\6") + 22
    assert seen == ({} if inner_end > len(original) - 70 else {inner_end: "read"})


def test_random_damage_is_an_error_or_without_effect(victim: Path, images: dict[str, bytes], tmp_path: Path) -> None:
    original = victim.read_bytes()
    copy = tmp_path / "copy.pybundle"
    chance = random.Random(11)  # noqa: S311 (the same in each run)
    seen = set()
    for _ in range(1500 // sparse()):
        data = bytearray(original)
        start = chance.randrange(len(data))
        size = min(chance.choice([1, 2, 4, 16, 100]), len(data) - start)
        data[start : start + size] = chance.choice([chance.randbytes(size), bytes(size), b"", b"\xff" * size])
        copy.write_bytes(data)
        seen.add(observe(copy, images))
    assert "refused" in seen
