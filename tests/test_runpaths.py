"""Run paths of native files: which folders are read from ELF and Mach-O files, and that no bytes raise."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundleimp.runtime.site.runpaths import run_paths

from .brief import sparse
from .strategies import examples

if TYPE_CHECKING:
    from pathlib import Path

LC_LOAD_DYLIB, LC_ID_DYLIB = 0xC, 0xD
LC_LOAD_WEAK_DYLIB, LC_RPATH, LC_REEXPORT_DYLIB = 0x80000018, 0x8000001C, 0x8000001F
DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 10, 14, 15, 29
MACHO_MAGICS = [bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe")]
FAT_MAGICS = [bytes.fromhex(magic) for magic in ("cafebabe", "cafebabf")]
ELF_MAGICS = [b"\x7fELF" + bytes([word, order, 1]) for word in (1, 2) for order in (1, 2)]

each_order = pytest.mark.parametrize("order", ["<", ">"])
each_width = pytest.mark.parametrize("wide", [False, True], ids=["32-bit", "64-bit"])


def library(folder: Path, *options: str) -> bytes:
    """Return a small shared library with run paths, or skip."""
    gcc = shutil.which("gcc")
    if sys.platform != "linux" or gcc is None:
        pytest.skip("needs gcc on Linux to make an ELF file")
    source = folder / "source.c"
    source.write_text("int value(void) { return 1; }\n")
    output = folder / "output.so"
    paths = "-Wl,-rpath,$ORIGIN/../a:/abs:${ORIGIN}/b"
    subprocess.run([gcc, "-shared", "-fPIC", paths, *options, str(source), "-o", str(output)], check=True)
    return output.read_bytes()


def elf(*entries: tuple[int, str], order: str = ">", wide: bool = False) -> bytes:
    """Return an ELF file with these *entries* in its dynamic section, and the string table at another address."""
    word = "Q" if wide else "I"
    header, segment, entry = (64, 56, 16) if wide else (52, 32, 8)
    dynamic = header + 3 * segment
    strings, values = b"\0", []
    for tag, text in entries:
        values.append((tag, len(strings)))
        strings += os.fsencode(text) + b"\0"
    table = dynamic + (len(values) + 3) * entry
    base = 0x400000
    values += [(DT_STRTAB, base + table), (DT_STRSZ, len(strings)), (0, 0)]

    def program_header(kind: int, offset: int, address: int, size: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 4, offset, address, address, size, size, 8)
        return struct.pack(order + "8I", kind, offset, address, address, size, size, 4, 4)

    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    fields = (3, 8, 1, 0, header, 0, 0, header, segment, 3, 0, 0, 0)
    result = ident + struct.pack(f"{order}HHI{word}{word}{word}IHHHHHH", *fields)
    result += program_header(1, 0, 0x1000, 16)
    result += program_header(1, 0, base, table + len(strings))
    result += program_header(2, dynamic, base + dynamic, len(values) * entry)
    result += b"".join(struct.pack(f"{order}{word}{word}", *value) for value in values)
    assert len(result) == table
    return result + strings


def macho(*commands: tuple[int, str], order: str = "<", wide: bool = True) -> bytes:
    """Return a Mach-O file with these load *commands*."""
    body = b""
    for kind, text in commands:
        start = 12 if kind == LC_RPATH else 24
        size = (start + len(os.fsencode(text)) + 8) // 8 * 8
        body += struct.pack(order + "III", kind, size, start).ljust(start, b"\1")
        body += os.fsencode(text).ljust(size - start, b"\0")
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    header = struct.pack(order + "7I", magic, 0x0100000C, 0, 6, len(commands), len(body), 0)
    return header + bytes(4 if wide else 0) + body


def fat(*slices: bytes, wide: bool = False) -> bytes:
    """Return a universal file with these *slices*."""
    entry = struct.Struct(">IIQQII" if wide else ">IIIII")
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices))
    at = len(head) + len(slices) * entry.size
    for content in slices:
        head += entry.pack(7, 3, at, len(content), 12, *([0] if wide else []))
        at += len(content)
    return head + b"".join(slices)


# ELF.


@pytest.mark.parametrize("option", ["--enable-new-dtags", "--disable-new-dtags"])
def test_the_run_paths_of_a_library_made_by_a_linker_are_found(tmp_path: Path, option: str) -> None:
    assert run_paths(library(tmp_path, f"-Wl,{option}")) == ["../a", "b"]


@each_order
@each_width
def test_both_kinds_of_run_paths_of_every_elf_file_are_found(order: str, *, wide: bool) -> None:
    entries = [(DT_NEEDED, "$ORIGIN/needed"), (DT_RPATH, "$ORIGIN/old:$ORIGIN"), (DT_SONAME, "$ORIGIN/name")]
    data = elf(*entries, (DT_RUNPATH, "$ORIGIN/../nvx/blas/lib:$ORIGIN"), order=order, wide=wide)
    assert run_paths(data) == ["../nvx/blas/lib", "", "old"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$ORIGIN", [""]),
        ("${ORIGIN}/", [""]),
        ("$ORIGIN//lib/", ["lib"]),
        ("$ORIGIN/../a:$ORIGIN/../a/:${ORIGIN}/../a", ["../a"]),
        ("$ORIGINAL/lib:${ORIGIN}.libs:$LIB/a", []),
        ("/usr/lib:lib::./$ORIGIN:@loader_path/lib", []),
        ("", []),
        ("$ORIGIN/bibliothèque:$ORIGIN/\udcff", ["bibliothèque", "\udcff"]),
    ],
)
def test_only_entries_relative_to_the_folder_of_an_elf_file_are_found(text: str, expected: list[str]) -> None:
    if sys.getfilesystemencoding() != "utf-8":
        pytest.skip("the test's paths are encoded in UTF-8")
    assert run_paths(elf((DT_RUNPATH, text))) == expected


def test_entries_after_the_end_of_the_dynamic_section_are_not_read() -> None:
    data = elf((DT_RUNPATH, "$ORIGIN/a"), (0, ""), (DT_RPATH, "$ORIGIN/b"))
    assert run_paths(data) == []  # without DT_STRTAB
    assert run_paths(elf((DT_SONAME, "liba.so"))) == []


def test_a_string_table_outside_the_segments_is_damage() -> None:
    data = elf((DT_RUNPATH, "$ORIGIN/a"))
    assert run_paths(data) == ["a"]
    place = data.index(struct.pack(">I", DT_STRTAB) + b"\0\x40") + 4
    assert run_paths(data[:place] + b"\xff" * 4 + data[place + 4 :]) == []


# Mach-O.


@each_order
@each_width
def test_the_run_paths_of_every_macho_file_are_found(order: str, *, wide: bool) -> None:
    commands = [
        (LC_ID_DYLIB, "@loader_path/itself/lib.dylib"),
        (LC_LOAD_DYLIB, "@loader_path/.dylibs/libz.dylib"),
        (LC_LOAD_DYLIB, "@rpath/libx.dylib"),
        (LC_LOAD_DYLIB, "/usr/lib/libSystem.B.dylib"),
        (LC_RPATH, "@loader_path/../x"),
        (LC_RPATH, "@executable_path/../y"),
        (LC_LOAD_WEAK_DYLIB, "@loader_path/../weak/libw.dylib"),
        (LC_REEXPORT_DYLIB, "@loader_path/sub/libr.dylib"),
        (LC_RPATH, "@loader_path/../x/"),
        (LC_RPATH, "@loader_paths/z"),
        (LC_RPATH, "$ORIGIN/z"),
        (LC_RPATH, "@loader_path"),
    ]
    assert run_paths(macho(*commands, order=order, wide=wide)) == [".dylibs", "../x", "../weak", "sub", ""]


@each_width
def test_the_run_paths_of_all_slices_of_a_universal_file_are_found_once(*, wide: bool) -> None:
    first = macho((LC_RPATH, "@loader_path/a"), (LC_RPATH, "@loader_path/b"))
    second = macho((LC_RPATH, "@loader_path/b"), (LC_RPATH, "@loader_path/c"), order=">", wide=False)
    assert run_paths(fat(first, b"!<arch>\n", second, wide=wide)) == ["a", "b", "c"]
    assert run_paths(fat(first, second, wide=wide)[:-1]) == []


# Other files, and damage.


@pytest.mark.parametrize("version", [45, 52, 65])
def test_a_java_class_file_has_no_run_paths(version: int) -> None:
    start = struct.pack(">IHHH", 0xCAFEBABE, 0, version, 20)
    assert run_paths(start + b"\1\0\x0e@loader_path/a" * 200) == []


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"MZ\x90\0" * 40, b"PK\3\4", b"$ORIGIN/a\0", b"!<arch>\n"])
def test_other_files_have_no_run_paths(data: bytes) -> None:
    assert run_paths(data) == []


def test_a_library_cut_off_anywhere_raises_nothing(tmp_path: Path) -> None:
    data = library(tmp_path, "-s", "-nostdlib", "-Wl,-z,noseparate-code")
    whole = run_paths(data)
    assert whole == ["../a", "b"]
    found = [run_paths(data[:size]) for size in range(0, len(data), sparse(3))]
    assert all(paths in ([], whole) for paths in found)
    assert found[0] == found[len(found) // 100] == []


BUILT = [
    elf((DT_RPATH, "$ORIGIN/a"), (DT_RUNPATH, "$ORIGIN/b")),
    elf((DT_RPATH, "$ORIGIN/a"), (DT_RUNPATH, "$ORIGIN/b"), order="<", wide=True),
    macho((LC_RPATH, "@loader_path/a"), (LC_LOAD_DYLIB, "@loader_path/b/lib.dylib")),
    fat(macho((LC_RPATH, "@loader_path/a")), macho((LC_RPATH, "@loader_path/b"), order=">", wide=False), wide=True),
]


@pytest.mark.parametrize("data", BUILT, ids=["elf32", "elf64", "macho", "fat"])
def test_a_small_file_cut_off_anywhere_has_no_run_paths(data: bytes) -> None:
    assert sorted(run_paths(data)) == ["a", "b"]
    end = len(data.rstrip(b"\0")) + 1 if data.startswith(b"\x7fELF") else len(data)
    assert [size for size in range(end) if run_paths(data[:size])] == []


@pytest.mark.parametrize(("count", "expected"), [(4096, ["a"]), (4097, [])])
def test_a_table_larger_than_in_any_real_file_is_not_read(count: int, expected: list[str]) -> None:
    others = count - 1
    assert run_paths(macho((LC_RPATH, "@loader_path/a"), *[(0x1B, "")] * others)) == expected
    assert run_paths(elf((DT_RUNPATH, "$ORIGIN/a"), *[(DT_NEEDED, "")] * (others - 3))) == expected


def test_a_string_longer_than_in_any_real_file_is_not_read() -> None:
    assert run_paths(elf((DT_RUNPATH, "$ORIGIN/".ljust(65535, "a")))) == ["a" * 65527]
    assert run_paths(elf((DT_RUNPATH, "$ORIGIN/".ljust(65536, "a")))) == []


@pytest.mark.parametrize(("count", "expected"), [(42, ["a"]), (43, [])])
def test_more_slices_than_in_any_real_file_are_not_read(count: int, expected: list[str]) -> None:
    assert run_paths(fat(*[macho((LC_RPATH, "@loader_path/a"))] * count)) == expected


@pytest.mark.parametrize("start", ["feedface" + "00" * 12, "cafebabe", "cafebabf"])
def test_a_count_beyond_the_end_of_the_file_is_damage(start: str) -> None:
    assert run_paths(bytes.fromhex(start) + b"\xff" * 4 + bytes(100)) == []


def test_slices_that_overlap_are_not_read() -> None:
    content = macho((LC_RPATH, "@loader_path/a"))
    entry = struct.pack(">IIIII", 7, 3, 8 + 40 * 20, len(content), 3)
    assert run_paths(struct.pack(">II", 0xCAFEBABE, 40) + entry * 40 + content) == []


@pytest.mark.parametrize("size", [0, 7])
def test_a_load_command_smaller_than_its_head_is_damage(size: int) -> None:
    data = macho((LC_RPATH, "@loader_path/a"), (LC_RPATH, "@loader_path/b"))
    place = data.rindex(struct.pack("<I", LC_RPATH))
    assert run_paths(data[:place] + struct.pack("<II", 0x1B, size) + data[place + 8 :]) == []


@pytest.mark.parametrize("magic", [*ELF_MAGICS, *MACHO_MAGICS, *FAT_MAGICS], ids=bytes.hex)
@examples(200)
@given(rest=st.binary(max_size=300))
def test_no_bytes_after_a_magic_number_raise(magic: bytes, rest: bytes) -> None:
    assert isinstance(run_paths(magic + rest), list)


@examples(200)
@given(data=st.sampled_from(BUILT), changes=st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=4))
def test_no_changed_bytes_raise(data: bytes, changes: dict[int, int]) -> None:
    changed = bytearray(data)
    for place, value in changes.items():
        changed[place % len(data)] = value
    assert isinstance(run_paths(bytes(changed)), list)
