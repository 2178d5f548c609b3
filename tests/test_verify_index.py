"""`verify` against an index or a RECORD that was made to lie, with every checksum over it made to fit."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zlib
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.encoding import CodeTag, IndexedMember, encode_locator, sealed
from bundleimp.packing.compiler import Compiler
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.content.member import Member
from bundleimp.runtime.format import FLAG_DATA, FLAG_WHOLE, Extent, Locator, decode_head
from bundleimp.runtime.interpreter.lazily import LAZY_TAG
from bundleimp.runtime.site.units import decode_units

from .archives import RawEntry, forge, index_of, index_over, locator_of, raw_zip, with_index
from .builders import Tree, make_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundleimp.runtime.site.units import Unit

    from .archives import Index

TREE: Tree = {
    "pkg/__init__.py": "from .mod import value\n",
    "pkg/mod.py": "value = 'value'\n" * 3,
    "pkg/data/noise.bin": bytes(range(60)),
}
LAYOUTS = ["flat", "nested"]


def findings(path: Path) -> list[str]:
    """Return what `verify` says of the file at *path*."""
    return [str(finding) for finding in bundleimp.open_bundle(path).verify()]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "out.pybundle", TREE)


@pytest.mark.parametrize("change", ["offset", "crc", "size", "method", "stamp", "code", "missing", "extra", "digest"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_index_that_contradicts_the_central_directory_is_found(tmp_path: Path, layout: str, change: str) -> None:
    path = make_bundle(tmp_path / "out.pybundle", TREE, layout=layout)
    index = index_of(path.read_bytes())
    FORGERIES[change](index)
    forge(path, index)
    texts = findings(path)
    assert any("BUNDLE-INFO/" in text for text in texts), texts


def _other_offset(index: Index) -> None:
    index["pkg/mod.py"].member.offset = index["pkg/__init__.py"].member.offset


def _other_code(index: Index) -> None:
    one, other = index["pkg/mod.py"], index["pkg/__init__.py"]
    one.codes, other.codes = other.codes, one.codes


def _extra_module(index: Index) -> None:
    known = index["pkg/mod.py"]
    member = Member("evil.py", 0, known.member.offset, 1, 1, 0, 0)
    index.members.append(IndexedMember(member, list(known.codes)))


FORGERIES: dict[str, Callable[[Index], object]] = {
    "offset": _other_offset,
    "crc": lambda index: setattr(index["pkg/mod.py"].member, "crc", 1),
    "size": lambda index: setattr(index["pkg/mod.py"].member, "size", 1),
    "method": lambda index: setattr(index["pkg/mod.py"].member, "method", 99),
    "stamp": lambda index: setattr(index["pkg/mod.py"].member, "stamp", 1),
    "code": _other_code,
    "missing": lambda index: index.members.remove(index["pkg/mod.py"]),
    "extra": _extra_module,
    "digest": lambda index: setattr(index, "record_digest", bytes(32)),
}


def test_an_index_sealed_anew_without_a_change_is_sound(bundle: Path) -> None:
    original = bundle.read_bytes()
    forge(bundle, index_of(original))
    assert bundle.read_bytes() == original


FLAGGED: Tree = {
    "pkg/__init__.py": "",
    "pkg/static/a.css": "",
    "pkg/far/__init__.py": "",
    "pkg/far/mod.py": "",
    "space/table.txt": "",
    "space/pkg/__init__.py": "",
    "asks/__init__.py": "HERE = __file__\n",
}


def _flag(name: str, flags: int) -> Callable[[Index], None]:
    def change(index: Index) -> None:
        if name.endswith("/"):
            assert index.folder_flags[name] != flags
            index.folder_flags[name] = flags
        else:
            assert index[name].flags != flags
            index[name].flags = flags

    return change


FLAG_LIES = {
    "a portion is not flagged": _flag("pkg/static/", 0),
    "a namespace package with data is not flagged": _flag("space/", 0),
    "a portion needs more than the data part": _flag("space/", FLAG_WHOLE),
    "both flags": _flag("space/", FLAG_WHOLE | FLAG_DATA),
    "a flag that there is not": _flag("space/", 4),
    "a package is a portion": _flag("pkg/", FLAG_DATA),
    "a package without data is a portion": _flag("space/pkg/", FLAG_DATA),
    "a module near data is not flagged": _flag("pkg/__init__.py", 0),
    "a module far from data is flagged": _flag("pkg/far/mod.py", FLAG_DATA),
    "a module with both flags": _flag("pkg/__init__.py", FLAG_WHOLE | FLAG_DATA),
    "data is flagged": _flag("space/table.txt", FLAG_DATA),
}


@pytest.mark.parametrize("lie", FLAG_LIES.values(), ids=FLAG_LIES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_flags_that_do_not_fit_the_units_are_found(tmp_path: Path, layout: str, lie: Callable[[Index], None]) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", FLAGGED, layout=layout)
    index = index_of(bundle.read_bytes())
    before = dict(index.folder_flags)
    assert before == {"asks/": 0, "pkg/": 0, "pkg/far/": 0, "pkg/static/": 2, "space/": 2, "space/pkg/": 0}
    lie(index)
    forge(bundle, index)
    (text,) = findings(bundle)
    assert re.fullmatch(r"BUNDLE-INFO/index: the flags of [\w/.]+ do not fit the table of units", text)


def test_flags_of_a_bundle_without_units_are_found(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"pkg/__init__.py": ""})
    index = index_of(bundle.read_bytes())
    index.folder_flags["pkg/"] = index["pkg/__init__.py"].flags = FLAG_DATA
    forge(bundle, index)
    assert [text.partition(" of ")[2] for text in findings(bundle)] == [
        f"{name} do not fit the table of units" for name in ("pkg/__init__.py", "pkg/")
    ]


def test_all_modules_of_a_unit_with_an_extension_module_have_to_need_the_whole_unit(tmp_path: Path) -> None:
    tree: Tree = {"pkg/__init__.py": "", "pkg/_fast.abi3.so": b"", "pkg/table.txt": "", "templates/index.html": ""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    assert findings(bundle) == []
    for flags in (0, FLAG_DATA):
        index = index_of(bundle.read_bytes())
        index["pkg/__init__.py"].flags = flags
        forge(bundle, index)
        assert findings(bundle) == ["BUNDLE-INFO/index: the flags of pkg/__init__.py do not fit the table of units"]


DIGEST = "the files of unit 'own-files' do not match its digest"
PART = "the unit 'own-files' has another data part than it says"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table, unit: table.replace(unit.data_digest, unit.digest), DIGEST),
        (lambda table, unit: table.replace(unit.digest, unit.data_digest), DIGEST),
        (lambda table, _: table.replace("dpkg/__init__.py", "-pkg/__init__.py"), PART),
        (lambda table, _: table.replace("-pkg/far/mod.py", "dpkg/far/mod.py"), PART),
        (lambda table, _: table.replace("dspace/table.txt", "-space/table.txt"), PART),
    ],
    ids=["digest of the data part", "digest", "less modules", "more modules", "less data"],
)
def test_a_data_part_that_is_not_as_its_unit_says_is_found(
    tmp_path: Path, change: Callable[[str, Unit], str], message: str
) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", FLAGGED)
    extent = index_of(bundle.read_bytes()).units
    assert extent is not None
    table = bundle.read_bytes()[extent.offset : extent.offset + extent.size]
    (unit,) = decode_units(table)
    with_table(bundle, change(table.decode(), unit).encode())
    assert [text for text in findings(bundle) if message in text] != []


def with_table(path: Path, table: bytes) -> None:
    """Change the bundle's table of units to another of the same size, and make every checksum fit."""
    data = bytearray(path.read_bytes())
    index = index_of(bytes(data))
    assert index.units is not None
    assert len(table) == index.units.size
    assert table != data[index.units.offset : index.units.offset + index.units.size]
    data[index.units.offset : index.units.offset + index.units.size] = table
    header = index.units.offset - 30 - len(bundle_format.UNITS)
    entry = data.index(bundle_format.UNITS.encode(), locator_of(bytes(data)).directory_offset) - 46
    for place in (header + 14, entry + 16):
        data[place : place + 4] = zlib.crc32(table).to_bytes(4, "little")
    index.units = Extent(offset=index.units.offset, size=len(table), checksum=bundle_format.checksum(table))
    path.write_bytes(data)
    forge(path, index)


def test_bytecode_of_another_source_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    _other_code(index)
    forge(bundle, index)
    assert [text for text in findings(bundle) if "was made from another source" in text] != []


def test_code_that_lies_elsewhere_in_the_file_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    noise = index["pkg/data/noise.bin"].member
    content = bundle.read_bytes()[noise.offset : noise.offset + noise.size]
    index["pkg/mod.py"].codes = [Extent(offset=noise.offset, size=noise.size, checksum=bundle_format.checksum(content))]
    forge(bundle, index)
    assert [
        text for text in findings(bundle) if "the bytecode of pkg/mod.py does not lie where it should" in text
    ] != []


@pytest.mark.parametrize("change", ["none", "size", "checksum"])
def test_code_for_lazy_imports_that_is_only_partly_that_for_other_programs_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    def tags(compiler: Compiler) -> list[CodeTag]:
        return [compiler.tag, CodeTag(compiler.tag.name + LAZY_TAG, compiler.tag.magic)]

    monkeypatch.setattr(Compiler, "tags", property(tags))
    monkeypatch.setattr(Compiler, "columns", lambda _, compiled: [compiled.packed if compiled else None, None])
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    index = index_of(bundle.read_bytes())
    plain, lazy = index["pkg/mod.py"].codes
    assert plain is not None
    assert lazy == plain
    other = Extent(
        offset=plain.offset, size=plain.size - (change == "size"), checksum=plain.checksum ^ (change == "checksum")
    )
    index["pkg/mod.py"].codes = [plain, other]
    forge(bundle, index)
    wrong = [text for text in findings(bundle) if "the bytecode of pkg/mod.py does not lie where it should" in text]
    assert bool(wrong) == bool(findings(bundle)) == (change != "none")


def test_code_that_no_module_has_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    index["pkg/mod.py"].codes = [None]
    forge(bundle, index)
    assert [text for text in findings(bundle) if "holds bytes that belong to no module" in text] != []


def test_an_index_that_leads_back_to_itself_is_found(bundle: Path) -> None:
    """Its root has a directory without a name, which is the root."""
    index = index_of(bundle.read_bytes())
    index.members.append(IndexedMember(Member("/a.py", 0, 0, 0, 0, 0, 0), [None]))
    forge(bundle, index)
    data = bundle.read_bytes()
    locator = locator_of(data)
    encoded = bytearray(data[locator.index_offset : locator.index_offset + locator.index_size])
    head = decode_head(bytes(encoded[-locator.head_size :]))
    start = head.root_offset - locator.index_offset
    end = start + head.root_size
    entry = start + 12 + int.from_bytes(encoded[start + 4 : start + 8], "little")
    encoded[entry + 8 : entry + 16] = head.root_offset.to_bytes(8, "little")
    encoded[entry + 16 : entry + 24] = head.root_size.to_bytes(8, "little")
    encoded[start:end] = sealed(bytes(encoded[start : end - 4]))
    bundle.write_bytes(with_index(data, bytes(encoded), locator.head_size))
    assert [text for text in findings(bundle) if "is used twice" in text] != []


def test_code_outside_the_file_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    index["pkg/mod.py"].codes = [Extent(offset=2**60, size=100, checksum=0)]
    forge(bundle, index)
    assert findings(bundle) != []


def test_a_code_tag_that_is_no_text_is_found(bundle: Path) -> None:
    data = bundle.read_bytes()
    locator = locator_of(data)
    encoded = data[locator.index_offset : locator.index_offset + locator.index_size]
    head = bytearray(encoded[-locator.head_size : -4])
    head[-bundle_format.CODE_SIZE - 1] = 0xFF  # the last letter of the only tag; behind it, where the units lie
    bundle.write_bytes(with_index(data, encoded[: -locator.head_size] + sealed(bytes(head)), locator.head_size))
    (finding,) = findings(bundle)
    assert "the index needs this member, and it is missing" in finding


def test_code_with_no_member_of_its_own_is_found(bundle: Path) -> None:
    index = index_of(bundle.read_bytes())
    index.tags[0].name = "cpython-399"
    forge(bundle, index)
    assert [text for text in findings(bundle) if text.startswith("BUNDLE-INFO/code.cpython-399: ")] != []


def _with_record(record: bytes) -> bytes:
    """Return a plain zip of some members and a RECORD, with an index that fits."""
    entries = [RawEntry(b"a.py", b"x = 1"), RawEntry(b"BUNDLE-INFO/RECORD", record), RawEntry(b"BUNDLE-INFO/index")]
    data = raw_zip(entries, comment=bytes(bundle_format.LOCATOR_SIZE))
    directory_offset = data.index(b"PK\1\2")
    size = data.index(b"PK\5\6") - directory_offset
    blank = Locator(
        head_size=0,
        index_offset=directory_offset,
        index_size=0,
        index_checksum=0,
        directory_offset=directory_offset,
        directory_size=size,
        directory_count=len(entries),
        directory_checksum=0,
    )
    member = Member("a.py", 0, 34, 5, 5, zlib.crc32(b"x = 1"), 0x210000)
    digest = hashlib.sha256(record).digest()
    encoded = index_over([IndexedMember(member, [])], [], digest, directory_offset)
    return with_index(data[: -bundle_format.LOCATOR_SIZE] + encode_locator(blank), encoded.data, encoded.head_size)


def record_line(name: str, content: bytes, size: int | None = None) -> bytes:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content) if size is None else size}\n".encode()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (record_line("a.py", b"x = 1"), None),
        (record_line("a.py", b"x = 2"), "a.py: the content differs from what RECORD says"),
        (record_line("a.py", b"x = 1", 6), "a.py: the content differs from what RECORD says"),
        (b"a.py,,\n", "a.py: the content differs from what RECORD says"),
        (b"", "a.py: RECORD does not name this member"),
        (record_line("a.py", b"x = 1") + record_line("b.py", b""), "b.py: RECORD names a member that is not there"),
        (record_line("a.py", b"x = 1") * 2, "a.py: RECORD names this member twice"),
        (b"a.py," + b"x" * 200_000 + b"\n", "a.py"),
        (b"\xff\xfe\0\n", "a.py: RECORD does not name this member"),
    ],
    ids=["right", "hash", "size", "empty fields", "unnamed", "missing", "twice", "overlong", "binary"],
)
def test_record_is_held_against_the_members(tmp_path: Path, record: bytes, message: str | None) -> None:
    path = tmp_path / "out.pybundle"
    path.write_bytes(_with_record(record))
    texts = findings(path)
    if message is None:
        assert texts == []
    else:
        assert any(message in text for text in texts), texts


def test_record_is_a_list_of_rows(bundle: Path) -> None:
    rows = list(csv.reader(io.StringIO(bundleimp.open_bundle(bundle).read("BUNDLE-INFO/RECORD").decode())))
    assert [row[0] for row in rows] == sorted(TREE)
