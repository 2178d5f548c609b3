"""`verify`: nothing to say of a sound file, and something to say of every kind of damage."""

from __future__ import annotations

import io
import marshal
import random
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.faults.kinds import BundleError, BundleVersionError

from .archives import (
    ENCRYPTED,
    SYMLINK,
    UTF8_NAME,
    RawEntry,
    flipped,
    index_of,
    locator_of,
    raw_zip,
    read_all,
)
from .brief import sparse
from .builders import Tree, make_bundle, make_zip, run_python

if TYPE_CHECKING:
    from pathlib import Path


TREE: Tree = {
    "pkg/__init__.py": "from .mod import value\n",
    "pkg/mod.py": "value = 'value'\n" * 3,
    "pkg/data/table.txt": "row\n" * 30,
    "pkg/data/empty.txt": "",
    "pkg/data/noise.bin": random.Random(7).randbytes(60),  # noqa: S311 (the same in each run)
}
LAYOUTS = ["flat", "nested"]


def findings(path: Path) -> list[str]:
    """Return what `verify` says of the file at *path*."""
    return [str(finding) for finding in bundleimp.open_bundle(path).verify()]


def works(path: Path) -> bool:
    """Return whether the package can be imported from *path*."""
    return run_python("-W", "error", "-c", "import pkg; print(pkg.value)", path=[path]).stdout == "value\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "out.pybundle", TREE)


@pytest.mark.parametrize(
    "options",
    [
        *({"layout": "flat"}, {"layout": "nested"}, {"bytecode": False}, {"source": False}, {"optimize": 1}),
        *({"compress": "none", "layout": "flat"}, {"compress": "none", "layout": "nested"}),
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_a_sound_bundle_has_no_findings(tmp_path: Path, options: dict[str, Any]) -> None:
    assert findings(make_bundle(tmp_path / "out.pybundle", TREE, **options)) == []


@pytest.mark.parametrize("tree", [{"data.txt": "no module"}, {"a.py": ""}, {"bad.py": "x ="}, {"a": ""}])
def test_a_bundle_with_little_in_it_has_no_findings(tmp_path: Path, tree: Tree) -> None:
    assert findings(make_bundle(tmp_path / "out.pybundle", tree)) == []


def test_a_plain_zip_has_no_findings(tmp_path: Path) -> None:
    assert findings(make_zip(tmp_path / "plain.pybundle", TREE)) == []


def test_a_bundle_is_judged_without_unmarshalling(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        message = "something was unmarshalled"
        raise AssertionError(message)

    for name in ("load", "loads"):
        monkeypatch.setattr(marshal, name, fail)
    with pytest.raises(AssertionError):
        marshal.loads(b"N")  # noqa: S302 (it fails)
    assert findings(bundle) == []


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ["pkg/mod.py", "pkg/data/table.txt", "pkg/data/noise.bin"])
def test_a_damaged_member_is_named(tmp_path: Path, layout: str, name: str) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    member = index_of(path.read_bytes())[name].member
    path.write_bytes(flipped(path.read_bytes(), 8 * (member.offset + member.packed_size // 2)))
    assert [text for text in findings(path) if text.startswith(f"{name}: ")] != []


def test_damaged_bytecode_is_named(bundle: Path) -> None:
    (extent,) = index_of(bundle.read_bytes())["pkg/mod.py"].codes
    assert extent is not None
    bundle.write_bytes(flipped(bundle.read_bytes(), 8 * (extent.offset + 20)))
    assert [text for text in findings(bundle) if "the bytecode of pkg/mod.py does not match its checksum" in text] != []


def test_a_damaged_index_is_named(bundle: Path) -> None:
    bundle.write_bytes(flipped(bundle.read_bytes(), 8 * (locator_of(bundle.read_bytes()).index_offset + 20)))
    assert [text for text in findings(bundle) if text.startswith("BUNDLE-INFO/index: ")] != []


def test_a_damaged_locator_is_named(bundle: Path) -> None:
    bundle.write_bytes(flipped(bundle.read_bytes(), 8 * (bundle.stat().st_size - 10)))
    (text,) = findings(bundle)
    assert text.startswith("the locator in the archive's comment is damaged (at offset ")


def harmless_bytes(data: bytes) -> dict[int, str]:
    """Return the bytes of a bundle that no reader of it uses, by offset, with what they are."""
    result: dict[int, str] = {}
    end = len(data) - bundle_format.LOCATOR_SIZE - 22
    locator = locator_of(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            # The central directory repeats them, and what it says is protected by the locator's checksum.
            for at, text in [(4, "version needed"), (10, "time")]:
                size = 2 if at == 4 else 4
                result |= dict.fromkeys(range(info.header_offset + at, info.header_offset + at + size), text)
    # One disk is all there is; the count of all entries stands beside that of this disk.
    result |= dict.fromkeys(range(end + 4, end + 10), "disk numbers")
    assert locator.directory_offset + locator.directory_size == end
    return result


def test_every_flipped_bit_is_found_unless_nothing_reads_it(tmp_path: Path) -> None:
    for layout in LAYOUTS:
        path = make_bundle(tmp_path / f"{layout}.pybundle", TREE, layout=layout)
        original = path.read_bytes()
        contents = read_all(Archive(str(path)))
        harmless = harmless_bytes(original)
        found = set()
        tried = range(0, len(original), sparse())
        for at in tried:
            for bit in {at % 8, (at * 5 + 3) % 8}:
                path.write_bytes(flipped(original, 8 * at + bit))
                try:
                    seen = findings(path)
                except BundleError:
                    seen = ["refused"]
                if seen:
                    found.add(at)
                else:
                    # A field listed above, or in a deflate stream the padding, or another way to say the same (a
                    # repetition may be copied from either of two places): the checksum holds for the content.
                    assert read_all(Archive(str(path))) == contents
                    assert at in harmless or is_in_a_deflate_stream(original, at), f"{layout}: byte {at}, bit {bit}"
        assert len(found) > 0.95 * len([at for at in tried if at not in harmless])


def is_in_a_deflate_stream(data: bytes, at: int) -> bool:
    """Return whether the byte at *at* belongs to deflated data, where several streams stand for one content."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            if start <= at < start + info.compress_size and info.compress_type == zipfile.ZIP_DEFLATED:
                return True
    return False


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_truncation_is_found(tmp_path: Path, layout: str) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    original = path.read_bytes()
    inner_end = original.find(b"PK\5\6") + 22
    for size in range(0, len(original), sparse()):
        path.write_bytes(original[:size])
        if size == inner_end and layout == "nested":
            # The inner zip is whole and ends the file: a zip like any other, behind some other data.
            assert read_all(Archive(str(path))) == {name: _bytes(text) for name, text in TREE.items()}
            continue
        with pytest.raises(BundleError):
            bundleimp.open_bundle(path)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([RawEntry(b"a.py", b"x", header_name=b"b.py")], "a.py: the local header"),
        ([RawEntry(b"a.py", b"x", crc=1)], "a.py: does not match its checksum"),
        ([RawEntry(b"a.py", b"x", size=2)], "a.py: does not have the 2 bytes that it announces"),
        ([RawEntry(b"a.py", bytes(10**6), method=8, size=10)], "a.py: does not have the 10 bytes that it announces"),
        ([RawEntry(b"a.py", b"x", packed_size=1000)], "a.py: "),
        ([RawEntry(b"a.py", b"x", packed_size=30, size=30)], "the data reaches into the central directory"),
        ([RawEntry(b"a.py", b"x", offset=1000)], "a.py: points outside the file"),
        ([RawEntry(b"a.py", b"x"), RawEntry(b"a.py", b"y", offset=0)], "overlaps"),
        (
            [RawEntry(b"a.py", b"x" * 50, packed_size=60, size=60), RawEntry(b"b.py")],
            "b.py: the data overlaps that of a",
        ),
        ([RawEntry(b"a.py", b"x"), RawEntry(b"a.py", b"x")], "a.py: the name appears twice in the archive"),
        ([RawEntry(b"a.py"), RawEntry(b"A.py")], "A.py: the name differs from a.py only in case"),
        ([RawEntry(b"../a.py")], "../a.py: the name has an empty part, '.' or '..'"),
        ([RawEntry(b"/a.py")], "/a.py: the name is absolute"),
        ([RawEntry(b"C:/a.py")], "C:/a.py: the name "),
        ([RawEntry(b"a\\b.py")], "the name has a backslash"),
        ([RawEntry(b"a\0b.py")], "the name has a NUL"),
        ([RawEntry(b"")], "the name is empty"),
        ([RawEntry(b"\xff.py", flags=UTF8_NAME)], "the name is not valid UTF-8"),
        ([RawEntry(b"a.py", flags=ENCRYPTED)], "a.py: the member is encrypted"),
        ([RawEntry(b"a.py", b"/etc/passwd", mode=SYMLINK)], "a.py: the member is a symbolic link"),
        ([RawEntry(b"a.py", b"x", method=8, packed_size=2)], "a.py: its compressed data has no end"),
        ([RawEntry(b"a.py", b"x", method=12)], "a.py: is compressed with method 12"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_section_6_forbids_is_found(tmp_path: Path, entries: list[RawEntry], message: str) -> None:
    path = tmp_path / "hostile.pybundle"
    path.write_bytes(raw_zip(entries))
    assert any(message in text for text in findings(path)), findings(path)


@pytest.mark.parametrize(("at", "size"), [(6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (30, 1)])
def test_a_local_header_that_contradicts_the_central_directory_is_found(bundle: Path, at: int, size: int) -> None:
    data = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        start = archive.getinfo("pkg/mod.py").header_offset + at
    other = (int.from_bytes(data[start : start + size], "little") ^ 4).to_bytes(size, "little")
    bundle.write_bytes(data[:start] + other + data[start + size :])
    assert [text for text in findings(bundle) if text.startswith("pkg/mod.py: the local header")] != []
    assert works(bundle)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_member_added_by_another_tool_is_found_and_can_be_imported(tmp_path: Path, layout: str) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("added.py", "value = 'added'\n")
    (text,) = findings(path)
    assert text.startswith("BUNDLE-INFO/index: the index was made for another central directory")
    assert works(path)
    assert run_python("-c", "import added; print(added.value)", path=[path]).stdout == "added\n"


def test_a_member_replaced_by_another_tool_is_imported_as_it_is_now(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout="flat")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        comment = archive.comment
    members["pkg/mod.py"] = members["pkg/mod.py"].replace(b"'value'", b"'other'")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    assert [text for text in findings(path) if "some other tool has changed the archive" in text] != []
    assert run_python("-c", "import pkg; print(pkg.value)", path=[path]).stdout == "other\n"


def test_a_member_changed_by_another_tool_to_one_of_the_same_size_is_imported_as_it_is_now(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "out.pybundle", {"mod.py": "value = 'value'\n"}, layout="flat", compress="none")
    old, new = b"value = 'value'\n", b"value = 'other'\n"
    before, after = (zlib.crc32(content).to_bytes(4, "little") for content in (old, new))
    data = path.read_bytes()
    end = data.index(old) + len(old)
    directory = locator_of(data).directory_offset
    # The member with its local header, and its entry in the central directory; the index stays as it was.
    path.write_bytes(
        data[:end].replace(old, new).replace(before, after)
        + data[end:directory]
        + data[directory:].replace(before, after)
    )
    assert path.stat().st_size == len(data)
    assert run_python("-c", "import mod; print(mod.value)", path=[path]).stdout == "other\n"
    assert [text for text in findings(path) if "some other tool has changed the archive" in text] != []


def test_data_in_front_of_a_bundle_is_found_and_it_can_be_imported(bundle: Path) -> None:
    bundle.write_bytes(b"#!/usr/bin/env python3\n" + bundle.read_bytes())
    assert findings(bundle) != []
    assert works(bundle)


def test_an_index_without_its_locator_is_found(bundle: Path) -> None:
    data = bundle.read_bytes()[: -bundle_format.LOCATOR_SIZE]
    bundle.write_bytes(data[:-2] + bytes(2))
    (text,) = findings(bundle)
    assert text.startswith("BUNDLE-INFO/index: there is an index, but no locator")
    assert works(bundle)


@pytest.mark.parametrize("version", [2, 300, 65_535])
def test_a_newer_format_is_refused_with_both_versions(bundle: Path, version: int) -> None:
    data = bytearray(bundle.read_bytes())
    start = len(data) - bundle_format.LOCATOR_SIZE
    data[start + 8 : start + 10] = version.to_bytes(2, "little")
    bundle.write_bytes(data)
    for opened in (bundleimp.open_bundle, lambda path: Archive(str(path))):
        with pytest.raises(
            BundleVersionError, match=rf"format version {version}, .* up to version 1: upgrade"
        ) as caught:
            opened(bundle)
        assert caught.value.file == str(bundle)
