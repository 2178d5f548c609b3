"""Tables of units that lie: nothing else is placed than what the table's digests say."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.format import Extent
from bundleimp.runtime.site.listing import units_of

from .archives import forge, index_of, locator_of, placed_files
from .builders import Tree, make_bundle, make_zip
from .placing import ASK, TREE, answer, ask, in_each_layout, placed, recorded, sites

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def patch_table(path: Path, change: Callable[[bytes], bytes], *, checksums: bool = True) -> None:
    """Change the bundle's table of units to another of the same size; with *checksums*, make all over it fit."""
    data = bytearray(path.read_bytes())
    index = index_of(bytes(data))
    extent = index.units
    assert extent is not None
    table = change(bytes(data[extent.offset : extent.offset + extent.size]))
    assert len(table) == extent.size
    assert table != data[extent.offset : extent.offset + extent.size]
    data[extent.offset : extent.offset + extent.size] = table
    if checksums:
        crc = zlib.crc32(table)
        header = extent.offset - 30 - len(bundle_format.UNITS)
        entry = data.index(bundle_format.UNITS.encode(), locator_of(bytes(data)).directory_offset) - 46
        for place in (header + 14, entry + 16):
            data[place : place + 4] = crc.to_bytes(4, "little")
        index.units = Extent(offset=extent.offset, size=extent.size, checksum=bundle_format.checksum(table))
    path.write_bytes(data)
    if checksums:
        forge(path, index)


def _other_digest(table: bytes) -> bytes:
    place = table.index(b"\npkg\t") + 5
    return table[:place] + (b"0" if table[place : place + 1] != b"0" else b"1") + table[place + 1 :]


LIES: dict[str, Callable[[bytes], bytes]] = {
    "digest": _other_digest,
    "mode": lambda table: table.replace(b"dpkg/table.txt", b"epkg/table.txt"),
    "part": lambda table: table.replace(b"dpkg/table.txt", b"-pkg/table.txt"),
    "a file that is not there": lambda table: table.replace(b"pkg/table.txt", b"pkg/tabel.txt"),
    "a file outside": lambda table: table.replace(b"pkg/table.txt", b"../../out.txt"),
    "an absolute file": lambda table: table.replace(b"pkg/table.txt", b"/tmp/outs.txt"),
    "a folder": lambda table: table.replace(b"pkg/table.txt", b"pkg//////////"),
    "one file twice": lambda table: table.replace(b"pkg/tool.sh", b"pkg/mod.py\0"),
    "not text": lambda table: table.replace(b"pkg/table.txt", b"pkg/tabl\xff.txt"),
    "another letter": lambda table: table.replace(b"dpkg/table.txt", b"fpkg/table.txt"),
    "another magic": lambda table: table.replace(b"PBu1", b"PBu9"),
}


@in_each_layout
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_table_that_lies_is_an_error_at_import_and_verify_finds_it(
    tmp_path: Path, cache: Path, layout: str, lie: Callable[[bytes], bytes]
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), layout=layout)
    assert bundleimp.open_bundle(bundle).verify() == []
    patch_table(bundle, lie)
    before = {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache}
    result = ask(bundle, cache)
    assert result.returncode == 1
    assert "bundleimp.runtime.faults.kinds.BundleFormatError: " in result.stderr
    assert str(bundle) in result.stderr
    assert "the file is damaged" in result.stderr or "the table of units is damaged" in result.stderr
    assert [name for site in sites(cache) for name in placed_files(site)] == []
    assert {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache} == before
    assert any("unit" in str(finding) for finding in bundleimp.open_bundle(bundle).verify())


def test_a_table_that_lies_about_a_data_part_is_an_error(bundle: Path, cache: Path) -> None:
    """The part of `passive` is all of it, so both digests in the table are the same."""
    digest = next(unit.data_digest for unit in units_of(Archive(str(bundle))) if unit.name == "passive").encode()
    patch_table(bundle, lambda table: table.replace(digest, digest[::-1]))
    assert "the files of 'passive' do not match their digest" in ask(bundle, cache, "import passive").stderr
    assert placed(cache) == {}
    assert answer(bundle, cache) == "old\n"


@in_each_layout
def test_nothing_is_written_outside_of_a_site_though_index_and_table_agree(
    tmp_path: Path, cache: Path, layout: str
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), layout=layout)
    patch_table(bundle, LIES["a file outside"])
    index = index_of(bundle.read_bytes())
    index["pkg/table.txt"].member.name = "../../out.txt"
    forge(bundle, index)
    result = ask(bundle, cache)
    assert "'../../out.txt' cannot be unpacked, which 'pkg' needs: the file is damaged" in result.stderr
    assert list(tmp_path.rglob("out.txt")) == []


def test_a_record_of_a_plain_zip_that_was_made_to_fill_the_memory_is_not_read(tmp_path: Path, cache: Path) -> None:
    record: Tree = {"other-1.dist-info/RECORD": b"\n" * ((8 << 20) + 1)}
    result = ask(make_zip(tmp_path / "out.pybundle", TREE | record), cache)
    assert result.returncode == 1
    assert f"other-1.dist-info/RECORD: announces {(8 << 20) + 1} bytes, more than it can have" in result.stderr


def test_a_site_is_not_mended_from_a_bundle_that_lies_about_its_digest(
    tmp_path: Path, bundle: Path, cache: Path
) -> None:
    """Other bundles share the site, and would use what such a bundle had written."""
    liar = make_bundle(tmp_path / "liar.pybundle", recorded(TREE | {"pkg/table.txt": "lie\n"}))
    answer(bundle, cache)
    (site,) = sites(cache)
    (site / "pkg" / "table.txt").unlink()
    before = placed_files(site)
    told, true = (
        next(unit.digest.encode() for unit in units_of(Archive(str(path))) if unit.name == "pkg")
        for path in (liar, bundle)
    )
    patch_table(liar, lambda table: table.replace(told, true))
    assert "do not match their digest" in ask(liar, cache).stderr
    assert placed_files(site) == before
    assert answer(bundle, cache) == "old\n"


@in_each_layout
def test_a_damaged_table_is_an_error_only_for_modules_that_need_it(tmp_path: Path, cache: Path, layout: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", recorded(TREE), layout=layout)
    patch_table(bundle, _other_digest, checksums=False)
    assert answer(bundle, cache, "import pure.mod; print(pure.mod.X, end='')") == "pure"
    for script in (ASK, "import passive"):
        result = ask(bundle, cache, script)
        assert (result.returncode, sites(cache)) == (1, [])
        assert f"{bundle}: BUNDLE-INFO/units: does not match its checksum" in result.stderr
    assert any("BUNDLE-INFO/units" in str(finding) for finding in bundleimp.open_bundle(bundle).verify())


def test_a_table_that_the_index_does_not_know_or_that_is_missing_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    known = index.units
    assert known is not None
    moved = Extent(offset=known.offset + 1, size=known.size - 1, checksum=known.checksum)
    faults = ("the table of units is missing in the index or in", "does not lie where the index says")
    for units, fault in zip((None, moved), faults, strict=True):
        index.units = units
        forge(bundle, index)
        assert any(fault in str(finding) for finding in bundleimp.open_bundle(bundle).verify())
