"""What a bundle consists of that `pack` made: layouts, compression, manifest, RECORD, and a valid zip all around."""

from __future__ import annotations

import base64
import csv
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import os
import random
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.inspection.extract import extract
from bundleimp.packing.build import LARGEST_FLAT
from bundleimp.packing.errors import PackError
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.format import MANIFEST, PAYLOAD, RECORD
from bundleimp.runtime.plain.stubs import CONTENT

from .archives import index_of, read_all
from .builders import Tree, make_bundle, make_tree, run_python
from .platforms import needs_processes
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from collections.abc import Sequence

TREE: Tree = {
    "pkg/__init__.py": '"""Docstring."""\nassert True\nx = 1\n',
    "pkg/mod.py": "value = 'value'\n",
    "pkg/data.txt": "text\n" * 100,
    "my_dist-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: My.Dist\nVersion: 1.5\n\nDescription\n",
}
OWN_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"


def manifest_of(bundle: Path) -> dict[str, Any]:
    manifest = bundleimp.open_bundle(bundle).manifest
    assert manifest is not None
    return manifest


def reads_as_a_zip(bundle: Path) -> dict[str, bytes]:
    """Assert that `zipfile` finds nothing wrong, and return what it reads."""
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_flat_bundle_is_a_zip_of_its_members(tmp_path: Path) -> None:
    contents = reads_as_a_zip(make_bundle(tmp_path / "out.pybundle", TREE, layout="flat"))
    assert {name for name in contents if not name.startswith("BUNDLE-INFO/")} == set(TREE)
    assert all(contents[name] == str(text).encode() for name, text in TREE.items())


def test_a_nested_bundle_is_a_zip_that_holds_a_zip_of_its_members(tmp_path: Path) -> None:
    contents = reads_as_a_zip(make_bundle(tmp_path / "out.pybundle", TREE, layout="nested"))
    stubs = {name: content for name, content in contents.items() if not name.startswith("BUNDLE-INFO/")}
    assert stubs == {"pkg/__init__.py": CONTENT}
    with zipfile.ZipFile(io.BytesIO(contents[PAYLOAD])) as inner:
        assert inner.testzip() is None
        assert inner.namelist() == sorted(TREE)
        assert all(inner.read(name) == str(text).encode() for name, text in TREE.items())


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_payload_members_are_sorted_and_only_flat_namespace_packages_have_directory_entries(
    tmp_path: Path, layout: str
) -> None:
    tree: Tree = {"b.py": "", "a/z.py": "", "a/b/c.py": "", "a-.py": "", "B.txt": ""}
    bundle = bundleimp.open_bundle(make_bundle(tmp_path / "out.pybundle", tree, layout=layout))
    folders = ["a/", "a/b/"] if layout == "flat" else []
    assert [entry.member.name for entry in bundle.entries()] == sorted(tree) + folders
    assert [member.name for member in bundle.members] == sorted(tree)


@pytest.mark.parametrize(("extra", "layout"), [(0, "flat"), (1, "nested")])
def test_auto_nests_what_would_slow_the_start_of_python(tmp_path: Path, extra: int, layout: str) -> None:
    tree: Tree = {f"data/{number}.txt": "" for number in range(LARGEST_FLAT + extra)}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    assert bundleimp.open_bundle(bundle).layout == manifest_of(bundle)["layout"] == layout
    with zipfile.ZipFile(bundle) as archive:
        assert (len(archive.namelist()) < 10) is (layout == "nested")


def test_the_report_says_what_was_done(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", TREE)
    report = bundleimp.pack([source], tmp_path / "out.pybundle", layout="nested", jobs=1)
    assert report.output == str(tmp_path / "out.pybundle")
    assert report.size == (tmp_path / "out.pybundle").stat().st_size
    assert (report.members, report.modules, report.layout) == (4, 2, "nested")
    assert (report.code_tags, report.warnings) == ([OWN_TAG], [])
    assert dataclasses.asdict(report)["members"] == 4


def test_progress_counts_to_the_number_of_members(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    source = make_tree(tmp_path / "src", TREE)
    bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1, progress=lambda *step: seen.append(step))
    assert seen == [(number, 4, name) for number, name in enumerate(sorted(TREE), 1)]


NOISE = random.Random(3).randbytes(50_000)  # noqa: S311 (the same in each run)


def methods(bundle: Path) -> dict[str, int]:
    return {member.name: member.method for member in bundleimp.open_bundle(bundle).members}


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_what_deflate_makes_smaller_is_deflated(tmp_path: Path, layout: str) -> None:
    tree: Tree = {"a.txt": "text\n" * 100, "m.py": "x = 1\n" * 50, "noise.bin": NOISE, "empty": "", "short": "ab"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout=layout)
    assert methods(bundle) == {"a.txt": 8, "m.py": 8, "noise.bin": 0, "empty": 0, "short": 0}


@pytest.mark.parametrize(
    "content", [NOISE + bytes(500_000), bytes(200) + NOISE * 4], ids=["noise in front", "noise behind"]
)
def test_no_member_is_larger_than_it_need_be(tmp_path: Path, content: bytes) -> None:
    (member,) = bundleimp.open_bundle(make_bundle(tmp_path / "out.pybundle", {"a.bin": content})).members
    assert member.packed_size <= min(len(content), len(zlib.compress(content)))


def test_nothing_is_compressed_where_that_is_asked_for(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, compress="none")
    assert set(methods(bundle).values()) == {0}


def test_zstd_is_written_only_where_it_can_be_read(tmp_path: Path) -> None:
    if sys.version_info >= (3, 14):
        bundle = make_bundle(tmp_path / "out.pybundle", TREE, compress="zstd")
        assert methods(bundle)["pkg/data.txt"] == 93
        assert bundleimp.open_bundle(bundle).verify() == []
    else:
        with pytest.raises(PackError, match=r"needs Python 3\.14"):
            make_bundle(tmp_path / "out.pybundle", TREE, compress="zstd")
        assert not (tmp_path / "out.pybundle").exists()


def times(bundle: Path) -> set[tuple[int, int, int, int, int, int]]:
    with zipfile.ZipFile(bundle) as archive:
        return {info.date_time for info in archive.infolist()}


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        ("", (1980, 1, 1, 0, 0, 0)),
        ("0", (1980, 1, 1, 0, 0, 0)),
        ("-5", (1980, 1, 1, 0, 0, 0)),
        ("1700000001", (2023, 11, 14, 22, 13, 20)),
        ("99999999999", (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_the_time_is_that_of_source_date_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str, expected: tuple[int, int, int, int, int, int]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    assert times(bundle) == {expected}
    assert bundleimp.open_bundle(bundle).verify() == []


def test_a_source_date_epoch_that_is_no_number_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(PackError, match="SOURCE_DATE_EPOCH is not a time in seconds: 'yesterday'"):
        make_bundle(tmp_path / "out.pybundle", TREE)


def test_the_manifest_says_what_went_in(tmp_path: Path) -> None:
    make_tree(tmp_path / "src", TREE)
    make_tree(tmp_path / "other", {"mod.py": ""})
    bundle = tmp_path / "out.pybundle"
    bundleimp.pack([tmp_path / "src", tmp_path / "other/mod.py"], bundle, compress="none", jobs=1)
    manifest = json.loads(bundleimp.open_bundle(bundle).read(MANIFEST))
    version = ".".join(map(str, sys.version_info[:3]))
    assert manifest == {
        "format": 1,
        "tool": f"bundleimp {importlib.metadata.version('bundleimp')}",
        "inputs": ["src", "mod.py"],
        "layout": "flat",
        "compress": "none",
        "source": True,
        "python": [{"tag": OWN_TAG, "magic": importlib.util.MAGIC_NUMBER.hex(), "version": version}],
        "distributions": [{"name": "My.Dist", "version": "1.5"}],
        "members": 5,
        "entry_point": None,
        "placed": [
            {
                "name": "own-files",
                "files": 0,
                "size": 0,
                "data_files": 3,
                "data_size": 551,
                "reason": "pkg/data.txt is data near modules",
                "brings": [],
            }
        ],
    }


@pytest.mark.parametrize("options", [{"layout": "flat"}, {"layout": "nested"}, {"source": False}])
def test_record_has_the_hash_and_size_of_every_payload_member(tmp_path: Path, options: dict[str, Any]) -> None:
    tree: Tree = TREE | {'a,b "c".txt': "quoted", "line\nbreak.txt": "x", "ä.bin": NOISE, "empty": ""}
    opened = bundleimp.open_bundle(make_bundle(tmp_path / "out.pybundle", tree, **options))
    expected = [
        [member.name, "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("="), str(len(data))]
        for member in opened.members
        for data in [opened.read(member.name)]
        for digest in [hashlib.sha256(data).digest()]
    ]
    assert list(csv.reader(io.StringIO(opened.read(RECORD).decode(), newline=""))) == expected


def executable_members(bundle: Path) -> list[str]:
    return [entry.member.name for entry in bundleimp.open_bundle(bundle).entries() if entry.mode & 0o100]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such permission there")
def test_the_permission_to_execute_is_all_that_is_kept_of_a_mode(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.sh": "", "b.txt": "", "c.sh": ""})
    for name, mode in (("a.sh", 0o700), ("b.txt", 0o666), ("c.sh", 0o4755)):
        (source / name).chmod(mode)
    bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1)
    modes = {entry.member.name: entry.mode for entry in bundleimp.open_bundle(tmp_path / "out.pybundle").entries()}
    assert modes == {"a.sh": 0o100755, "b.txt": 0o100644, "c.sh": 0o100755}
    target = tmp_path / "back"
    extract(bundleimp.open_bundle(tmp_path / "out.pybundle"), target)
    assert [os.access(target / name, os.X_OK) for name in ("a.sh", "b.txt", "c.sh")] == [True, False, True]


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_zip64_is_not_written_where_it_is_not_needed(tmp_path: Path, layout: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    data = bundle.read_bytes()
    assert b"PK\6\6" not in data
    with zipfile.ZipFile(bundle) as archive:
        assert [info.filename for info in archive.infolist() if info.extra] == []


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("size", [90_000, 97_000, 99_999, 100_001, 250_000])
def test_sizes_around_the_limit_of_zip64_are_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, layout: str
) -> None:
    # As if the limit, 2 GiB, was 100 kB.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100_000)
    content = random.Random(size).randbytes(size)  # noqa: S311 (the same in each run)
    bundle = make_bundle(tmp_path / "out.pybundle", {"a.bin": content, "b.py": "x = 1\n"}, layout=layout)
    opened = bundleimp.open_bundle(bundle)
    assert opened.verify() == []
    assert index_of(bundle.read_bytes())["a.bin"].member.size == size
    # Not over PYTHONPATH: the interpreter's own zipimport may fail on zip64 (CPython 3.13.0 does).
    assert read_all(Archive(str(bundle)))["a.bin"] == content


@needs_processes
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("limit", ["ZIP64_LIMIT", "ZIP_FILECOUNT_LIMIT"])
def test_zip64_stops_no_interpreter_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, layout: str, version: str
) -> None:
    python = interpreter_without_bundleimp(version)
    tree: Tree = {"a.bin": NOISE * 5, "b.py": "x = 1\n", "c.txt": "text"}
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, limit, {"ZIP64_LIMIT": 100_000, "ZIP_FILECOUNT_LIMIT": 2}[limit])
        bundle = make_bundle(tmp_path / "out.pybundle", tree, layout=layout)
    assert b"PK\6\6" in bundle.read_bytes()
    assert run_python("-c", "print('started')", path=[bundle], executable=python).stdout == "started\n"
    assert run_python("-c", "import b; print(b.x)", path=[bundle]).stdout == "1\n"
    assert bundleimp.open_bundle(bundle).verify() == []
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None


def tree_of(folder: Path, left_out: Sequence[str] = ("__pycache__",)) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not set(left_out) & set(path.parts)
    }


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_an_installed_package_comes_back_as_it_was(tmp_path: Path, layout: str) -> None:
    jinja2 = Path(pytest.importorskip("jinja2").__file__).parent
    (metadata,) = jinja2.parent.glob("[jJ]inja2-*.dist-info")
    source = tmp_path / "site"
    for folder in (jinja2, metadata):
        shutil.copytree(folder, source / folder.name)
    bundle = tmp_path / "out.pybundle"
    bundleimp.pack([source], bundle, layout=layout)  # type: ignore[arg-type]
    assert extract(bundleimp.open_bundle(bundle), tmp_path / "back") == sorted(tree_of(source))
    assert tree_of(tmp_path / "back", ()) == tree_of(source)
    assert manifest_of(bundle)["distributions"] == [{"name": "Jinja2", "version": importlib.metadata.version("jinja2")}]
    assert bundleimp.open_bundle(bundle).verify() == []
