"""Members compressed with zstd (Python 3.14 and newer) are what they are in a directory, or refused."""

from __future__ import annotations

import hashlib
import importlib
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp import BundleError
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import files
from bundleimp.runtime.faults.kinds import BundleFormatError

from .archives import RawEntry, raw_zip
from .builders import Tree, make_bundle, make_tree
from .command_line import bundleimp_command
from .places import Laboratory

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="zstd is in the standard library from 3.14 on")

WORDS = "".join(f"line {number}, again and again\n" for number in range(500))
TREE: Tree = {
    "pkg/__init__.py": f'"""Words.\n\n{WORDS}"""\n\n\ndef fail():\n    return 1 / 0\n',
    "pkg/sub/deep.py": f"# {WORDS.replace(chr(10), ' ')}\nNAME = __name__\n",
    "pkg/words.txt": WORDS,
    "pkg/data/noise.bin": b"".join(hashlib.sha256(bytes([n])).digest() for n in range(160)),
    "pkg/empty.txt": "",
}
PROBE = """
import hashlib, importlib.resources, inspect, linecache, pkgutil, traceback
import pkg, pkg.sub.deep
files = importlib.resources.files("pkg")
with importlib.resources.as_file(files / "words.txt") as path:
    result = [len(path.read_text())]
result += [pkg.__doc__, pkg.sub.deep.NAME, inspect.getsource(pkg.fail), linecache.getline(pkg.sub.deep.__file__, 2)]
result += [hashlib.sha256(pkgutil.get_data("pkg", name)).hexdigest() for name in ("words.txt", "data/noise.bin")]
result += [(files / "empty.txt").read_text(), (files / "words.txt").read_text()]
try:
    pkg.fail()
except ZeroDivisionError:
    result.append(traceback.format_exc())
"""


def bundle_of(folder: Path, **options: object) -> Path:
    return make_bundle(folder / "out.pybundle", TREE, compress="zstd", **options)


@pytest.mark.parametrize("options", [{"layout": "flat"}, {"layout": "nested"}, {"bytecode": False}])
def test_modules_and_resources_are_those_of_a_directory(tmp_path: Path, options: dict[str, object]) -> None:
    bundle = bundle_of(tmp_path, **options)
    methods = {member.name: member.method for member in bundleimp.open_bundle(bundle).members}
    # What does not become smaller is stored.
    assert (methods["pkg/__init__.py"], methods["pkg/words.txt"], methods["pkg/data/noise.bin"]) == (93, 93, 0)
    laboratory = Laboratory(tmp_path / "laboratory")
    expected = laboratory.observe([make_tree(tmp_path / "directory", TREE)], PROBE)
    assert laboratory.observe([bundle], PROBE) == expected


def test_the_bundle_is_reproducible_and_sound_and_gives_its_tree_back(tmp_path: Path) -> None:
    one, two = (bundle_of(tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    bundleimp_command("verify", one)
    bundleimp_command("extract", one, tmp_path / "back")
    back = {path.relative_to(tmp_path / "back").as_posix(): path for path in (tmp_path / "back").rglob("*.*")}
    assert {name: path.read_bytes() for name, path in back.items()} == {
        name: content.encode() if isinstance(content, str) else content for name, content in TREE.items()
    }


def test_any_flipped_bit_of_a_member_is_refused_or_without_effect(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, layout="flat")
    archive = Archive(str(bundle))
    member = files.find(archive, "pkg/words.txt")
    assert member is not None
    whole = bundle.read_bytes()
    start = whole.index(b"pkg/words.txt") + len("pkg/words.txt")
    refused = 0
    for position in range(start, start + member.packed_size):
        damaged = tmp_path / "damaged.pybundle"
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        opened = Archive(str(damaged))
        found = files.find(opened, "pkg/words.txt")
        assert found is not None
        # Zstandard's frame header has a few bits that change nothing.
        try:
            assert files.read(opened, found) == WORDS.encode()
        except BundleFormatError as error:
            refused += error.member == "pkg/words.txt"
        damaged.unlink()
    assert refused > 0.9 * member.packed_size


@pytest.mark.parametrize("announced", [10, 10**6, 2**40, 2**63 - 1, 2**64 - 1])
def test_a_member_that_announces_another_size_is_refused(tmp_path: Path, announced: int) -> None:
    zstd = importlib.import_module("compression.zstd")
    content = zstd.compress(b"a" * 5000)
    path = tmp_path / "lies.pybundle"
    path.write_bytes(raw_zip([RawEntry(b"bad.py", content, method=93, size=announced, zip64=True)]))
    archive = Archive(str(path))
    member = files.find(archive, "bad.py")
    assert member is not None
    with pytest.raises(BundleError, match=r"bad\.py"):
        files.read(archive, member)
