"""Archives without an index: the same members, sizes, checksums and contents as `zipfile` sees."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import files
from bundleimp.runtime.content.member import local_seconds
from bundleimp.runtime.plain import zipdirectory

from .archives import UTF8_NAME, RawEntry, file_names, raw_zip, read_all
from .strategies import contents, examples, names

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a file that each example writes anew."""
    return tmp_path_factory.mktemp("zips") / "some.pybundle"


class Pipe(io.RawIOBase):
    """A target that cannot seek, so that `zipfile` writes data descriptors behind the members."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(bytes(data))


@dataclass(frozen=True)
class Part:
    """One member to write: its content, and how."""

    content: bytes
    method: int
    zip64: bool


parts = st.builds(Part, contents, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.booleans())
trees = st.dictionaries(names, parts, max_size=8)
comments = st.one_of(st.just(b""), st.binary(max_size=50), st.integers(0, 0xFFFF).map(lambda size: b"c" * size))


def written(tree: dict[str, Part], folders: list[str], comment: bytes, *, seekable: bool) -> bytes:
    """Return a zip of *tree*, made by `zipfile`."""
    pipe, buffer = Pipe(), io.BytesIO()
    with zipfile.ZipFile(buffer if seekable else pipe, "w") as archive:
        for folder in folders:
            archive.writestr(folder + "/", b"")
        for name, part in tree.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = part.method
            with archive.open(info, "w", force_zip64=part.zip64) as target:
                target.write(part.content)
        archive.comment = comment
    return buffer.getvalue() if seekable else bytes(pipe.written)


def assert_agreement(path: Path) -> None:
    """Assert that our view of the zip at *path* is that of `zipfile`."""
    archive = Archive(str(path))
    with zipfile.ZipFile(path) as expected:
        infos = {info.filename: info for info in expected.infolist() if not info.is_dir()}
        assert not archive.indexed
        assert sorted(file_names(archive)) == sorted(infos)
        for name, info in infos.items():
            member = files.find(archive, name)
            assert member is not None
            assert (member.name, member.method) == (name, info.compress_type)
            assert (member.size, member.packed_size, member.crc) == (info.file_size, info.compress_size, info.CRC)
            assert files.read(archive, member) == expected.read(info)


@examples(150)
@given(trees, comments, st.binary(max_size=100), st.booleans(), st.data())
def test_zipfile_agrees(
    place: Path, tree: dict[str, Part], comment: bytes, prefix: bytes, seekable: bool, data: st.DataObject
) -> None:
    folders = sorted({name.rpartition("/")[0] for name in tree if "/" in name})
    chosen = data.draw(st.lists(st.sampled_from(folders), unique=True)) if folders else []
    place.write_bytes(prefix + written(tree, chosen, comment, seekable=seekable))
    assert_agreement(place)


@examples(100)
@given(st.lists(st.binary(min_size=1, max_size=8).filter(lambda raw: not set(raw) & set(b"/\\\0:.")), unique=True))
def test_zipfile_agrees_on_names_in_code_page_437(place: Path, raws: list[bytes]) -> None:
    place.write_bytes(raw_zip([RawEntry(raw, b"of " + raw) for raw in raws]))
    assert_agreement(place)


def test_the_utf8_flag_decides_how_a_name_is_read(place: Path) -> None:
    name = "é.py".encode()
    place.write_bytes(raw_zip([RawEntry(name, b"1", flags=UTF8_NAME)]))
    assert read_all(Archive(str(place))) == {"é.py": b"1"}
    place.write_bytes(raw_zip([RawEntry(name, b"1")]))
    assert read_all(Archive(str(place))) == {name.decode("cp437"): b"1"}


@pytest.mark.parametrize("size", [0, 1, 0xFFFE, 0xFFFF])
def test_a_comment_of_any_length_is_skipped(place: Path, size: int) -> None:
    place.write_bytes(raw_zip([RawEntry(b"a.py", b"x = 1")], comment=b"-" * size))
    assert_agreement(place)


@pytest.mark.parametrize("comment", [b"PK\5\6", b"PK\5\6" * 40, b"about PK\5\6 and PK\1\2 and PK\3\4 "])
def test_a_comment_that_speaks_of_signatures_is_a_comment(place: Path, comment: bytes) -> None:
    place.write_bytes(raw_zip([RawEntry(b"a.py", b"x = 1")], comment=comment))
    assert read_all(Archive(str(place))) == {"a.py": b"x = 1"}


@pytest.mark.parametrize("prefix", [b"#!/usr/bin/env python3\n", b"\x7fELF" + bytes(100_000), b"PK\3\4", b"PK\5\6"])
def test_data_before_the_archive_is_skipped(place: Path, prefix: bytes) -> None:
    tree = {
        "a.py": Part(b"x = 1", zipfile.ZIP_STORED, zip64=False),
        "b/c": Part(b"c" * 99, zipfile.ZIP_DEFLATED, zip64=True),
    }
    place.write_bytes(prefix + written(tree, [], b"", seekable=True))
    assert_agreement(place)


def test_more_members_than_an_end_record_can_count(tmp_path: Path) -> None:
    path = tmp_path / "many.pybundle"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(0x10000 + 4):
            archive.writestr(f"pkg{number % 7}/m{number}.py", b"%d" % number)
    ours = Archive(str(path))
    with zipfile.ZipFile(path) as expected:
        infos = {info.filename: (info.file_size, info.CRC) for info in expected.infolist()}
    found = {name: member for name in file_names(ours) if (member := files.find(ours, name)) is not None}
    assert {name: (member.size, member.crc) for name, member in found.items()} == infos
    for number in (0, 65_535, 65_536, 65_539):
        assert files.read(ours, found[f"pkg{number % 7}/m{number}.py"]) == b"%d" % number


def test_an_archive_without_members_is_sound(place: Path) -> None:
    place.write_bytes(raw_zip([]))
    assert list(file_names(Archive(str(place)))) == []


def test_directories_need_no_entries_and_may_have_some(place: Path) -> None:
    place.write_bytes(raw_zip([RawEntry(b"a/b/c.py"), RawEntry(b"d/e/"), RawEntry(b"f/"), RawEntry(b"f/g.py")]))
    archive = Archive(str(place))
    root, a, d, f = (archive.directory(path) for path in ("", "a", "d", "f"))
    assert root is not None
    assert a is not None
    assert d is not None
    assert f is not None
    assert sorted(root.names) == ["a/", "d/", "f/"]
    assert [list(directory.names) for directory in (a, d, f)] == [["b/"], ["e/"], ["g.py"]]
    assert archive.directory("d/e") is not None
    assert archive.directory("a/b/c.py") is None


@examples(200)
@given(
    st.integers(1980, 2107),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
)
def test_a_dos_time_is_that_of_zipfile(year: int, month: int, day: int, hour: int, minute: int, second: int) -> None:
    info = zipfile.ZipInfo("x", (year, month, day, hour, minute, second))
    info.file_size = info.compress_size = info.CRC = 0
    header = info.FileHeader()
    stamp = zipdirectory.dos_time((year, month, day, hour, minute, second))
    assert stamp.to_bytes(4, "little") == header[10:14]


@pytest.mark.parametrize("stamp", [0, 0xFFFFFFFF, 0x0021FFFF, 0xFFFF0000])
def test_a_dos_time_that_is_none_is_no_error(stamp: int) -> None:
    assert 0 <= local_seconds(stamp) < 2**32
