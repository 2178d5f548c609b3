"""Files that were made to exhaust who looks at them: it ends, in little memory, and unmarshals nothing."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from bundleimp.encoding import sealed
from bundleimp.runtime import format as bundle_format

from .archives import RawEntry, locator_of, raw_zip, with_index
from .builders import make_bundle, run_python
from .command_line import bundleimp_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST = 200 << 20
MARKER = "what nobody may unmarshal"
# Runs every command over one file, in one process; prints its exit statuses, and the most memory that it had.
PROGRAM = """
import contextlib, io, json, os, sys
path, folder, marker = sys.argv[1:]
def watch(event, arguments):
    if event == "marshal.loads" and marker.encode() in bytes(arguments[0]):
        os._exit(99)
sys.addaudithook(watch)
from bundleimp.cli import main
sys.path.insert(0, path)
commands = [["list", "--tree"], ["info"], ["verify"], ["extract", folder, "a*"], ["diff", path]]
commands += [["explain"], ["doctor"]]
statuses = {}
for command, *more in commands:
    given = [command, *(["a"] if command == "explain" else [] if command == "doctor" else [path]), *more]
    error = io.StringIO()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(error):
        status = main(given)
    assert status in (0, 1, 2) and "Traceback" not in error.getvalue(), (given, status, error.getvalue())
    statuses[" ".join([command, *more])] = status
with open("/proc/self/status") as lines:  # ru_maxrss would count what the process was forked from
    peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
print(json.dumps([peak, statuses]))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")


def with_note(name: str, content: bytes) -> bytes:
    """Return a deflated zip with the member *name* beside a module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "x = 1")
        archive.writestr(name, content)
    return buffer.getvalue()


def deep_names(_: Path) -> bytes:
    return raw_zip([RawEntry(b"/".join(b"%x" % (at * 64 + part) for part in range(150))) for at in range(2000)])


def many_folders(_: Path) -> bytes:
    return raw_zip([RawEntry(b"/".join(b"%x" % (at * 64 + part) for part in range(12))) for at in range(4000)])


def with_count(folder: Path) -> bytes:
    """Return a bundle of which the root block announces four billion entries, with checksums that fit."""
    data = make_bundle(folder / "sound.pybundle", {"a.py": f"x = {MARKER!r}"}).read_bytes()
    locator = locator_of(data)
    index = bytearray(data[locator.index_offset : locator.index_offset + locator.index_size])
    head = bundle_format.decode_head(bytes(index[-locator.head_size :]))
    start = head.root_offset - locator.index_offset
    block = bytes(index[start : start + 8]) + b"\xff" * 4 + bytes(index[start + 12 : start + head.root_size - 4])
    index[start : start + head.root_size] = sealed(block)
    return with_index(data, bytes(index), locator.head_size)


def forged_units(_: Path) -> bytes:
    table = b"PBu1\n" + b"".join(b"u%d\t%s\t0\n" % (at, b"0" * 64) for at in range(300_000)) + b"\n"
    return with_note(bundle_format.UNITS, table)


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "a sound bundle": lambda folder: make_bundle(folder / "sound.pybundle", {"a.py": f"x = {MARKER!r}"}).read_bytes(),
    "members that announce exabytes": lambda _: raw_zip(
        [RawEntry(b"%d.py" % at, b"x" * 99, method=8, size=2**62, zip64=True) for at in range(99)]
    ),
    "many entries with long names": lambda _: raw_zip([RawEntry(b"%05d" % at + b"n" * 395) for at in range(9000)]),
    "names of thousands of letters": lambda _: raw_zip([RawEntry(b"%d" % at + b"n" * 3000) for at in range(9999)]),
    "a bomb": lambda _: with_note("b.py", bytes(100 << 20)),
    "a bomb for a manifest": lambda _: with_note(bundle_format.MANIFEST, b" " * (100 << 20)),
    "a bomb for a RECORD": lambda _: with_note("a-1.dist-info/RECORD", b"\n" * (100 << 20)),
    "a bomb for METADATA": lambda _: with_note("a-1.dist-info/METADATA", b"A: b\n" * (20 << 20)),
    "a deep manifest": lambda _: with_note(bundle_format.MANIFEST, b"[" * 1_000_000),
    "a manifest of ten million keys": lambda _: with_note(
        bundle_format.MANIFEST, b"{" + b'"key":0,' * 10**7 + b'"key":0}'
    ),
    "a manifest as large as may be": lambda _: with_note(bundle_format.MANIFEST, b"[" + b"[]," * 1_390_000 + b"[]]"),
    "deep directories": deep_names,
    "more directories than members": many_folders,
    "a block of four billion entries": with_count,
    "a table of many units": forged_units,
    "METADATA as large as may be": lambda _: with_note("a-1.dist-info/METADATA", b"A: b\n" * 830_000),
    "a RECORD as large as may be": lambda _: with_note("a-1.dist-info/RECORD", b"\n" * (4 << 20)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_makes_inspection_use_much_memory_or_unmarshal_anything(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.pybundle"
    path.write_bytes(HOSTILE[name](tmp_path))
    arguments = (str(path), str(tmp_path / "extracted"), MARKER)
    result = run_python("-c", PROGRAM, *arguments, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    peak, _ = json.loads(result.stdout)
    assert peak < MOST, f"{peak >> 20} MiB"


@pytest.mark.parametrize("words", [["list", "--tree"], ["list"], ["info"], ["verify"]], ids=" ".join)
def test_names_whose_tree_has_millions_of_letters_are_refused_in_one_line(words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "hostile.pybundle"
    path.write_bytes(deep_names(tmp_path))
    result = bundleimp_command(*words, path, status=2)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        f"bundleimp: error: {path}: its 2000 members lie 149 directories deep on average (at offset "
    )
