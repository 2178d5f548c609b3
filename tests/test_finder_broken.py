"""Path entries that are no sound bundles: one warning that names file and reason, and everything else goes on."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from bundleimp.runtime import format as bundle_format

from .builders import run_python
from .places import FLAT, NESTED, PLAIN_ZIP, WITH_SOURCE, Laboratory, lay_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {"mod.py": "VALUE = 1\n", "pkg/__init__.py": "", "pkg/leaf.py": ""}
OTHER: Tree = {"other.py": "VALUE = 2\n"}
GOES_ON = """
import importlib
import sys

missed = []
for name in ("mod", "pkg.leaf", "also_missing"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        missed.append(error.name)
importlib.invalidate_caches()
import json, other
print([missed, other.VALUE])
"""


def newer_version(data: bytes) -> bytes:
    """Return a bundle whose locator claims the format version after this one."""
    position = data.rindex(bundle_format.LOCATOR_MAGIC) + len(bundle_format.LOCATOR_MAGIC)
    version = (bundle_format.VERSION + 1).to_bytes(2, "little")
    return data[:position] + version + data[position + 2 :]


BREAKINGS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "not a zip archive"),
    "one byte": (lambda _: b"P", "not a zip archive"),
    "no zip": (lambda _: b"just text\n" * 1000, "not a zip archive"),
    "a tar": (lambda _: b"ustar" * 4000, "not a zip archive"),
    "without its last byte": (lambda data: data[:-1], "truncated"),
    "first half": (lambda data: data[: len(data) // 2], "truncated"),
    "second half": (lambda data: data[len(data) // 2 :], "damaged|truncated"),
    "newer format": (newer_version, rf"format version {bundle_format.VERSION + 1}.* {bundle_format.VERSION}\b"),
}


def warnings_in(stderr: str) -> list[str]:
    return re.findall(r"^.*BundleWarning: (.*)$", stderr, re.MULTILINE)


def run_with(path: Path, folder: Path, *options: str) -> tuple[list[str], str]:
    """Return what a program that has *path* first on its path warns of, and prints."""
    laboratory = Laboratory(folder / "laboratory")
    good = lay_out(FLAT, folder / "good", OTHER)
    script = laboratory.probe_file(GOES_ON)
    outcome = laboratory.run([path, good], *options, str(script))
    assert outcome.status == 0, outcome.stderr
    rest = [line for line in outcome.stderr.splitlines() if "BundleWarning" not in line and not line.startswith("  ")]
    assert rest == []
    return warnings_in(outcome.stderr), outcome.stdout


@pytest.mark.parametrize("kind", [FLAT, NESTED])
@pytest.mark.parametrize("breaking", BREAKINGS)
@pytest.mark.parametrize("options", [(), ("-W", "always")], ids=["default filters", "always"])
def test_a_broken_bundle_is_one_warning_that_names_it_and_the_reason(
    kind: str, breaking: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    path = lay_out(kind, tmp_path / "broken", TREE)
    breaks, reason = BREAKINGS[breaking]
    path.write_bytes(breaks(path.read_bytes()))
    warned, printed = run_with(path, tmp_path, *options)
    assert len(warned) == 1
    assert printed == "[['mod', 'pkg', 'also_missing'], 2]\n"
    assert "<place 0>" in warned[0]
    assert re.search(reason, warned[0])


@pytest.mark.parametrize("breaking", ["first half", "without its last byte", "no zip"])
def test_a_broken_plain_zip_is_one_warning_too(breaking: str, tmp_path: Path) -> None:
    path = lay_out(PLAIN_ZIP, tmp_path / "broken", TREE)
    breaks, reason = BREAKINGS[breaking]
    path.write_bytes(breaks(path.read_bytes()))
    warned, printed = run_with(path, tmp_path)
    assert printed == "[['mod', 'pkg', 'also_missing'], 2]\n"
    assert [bool(re.search(reason, text)) for text in warned] == [True]


def test_a_broken_bundle_with_several_path_entries_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "broken.pybundle").write_bytes(b"no zip")
    script = """
    import sys
    broken = sys.path[1]
    sys.path[1:1] = [broken + "/", broken + "/pkg", broken + "/pkg/sub"]
    import json, importlib
    importlib.invalidate_caches()
    import decimal
    """
    laboratory = Laboratory(tmp_path / "laboratory")
    outcome = laboratory.run([tmp_path / "broken.pybundle"], str(laboratory.probe_file(script)))
    assert (outcome.status, len(warnings_in(outcome.stderr))) == (0, 1)


def test_a_file_that_cannot_be_read_is_one_warning(tmp_path: Path) -> None:
    path = lay_out(FLAT, tmp_path / "broken", TREE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read every file")
    warned, printed = run_with(path, tmp_path)
    assert printed == "[['mod', 'pkg', 'also_missing'], 2]\n"
    assert len(warned) == 1
    assert "Permission denied" in warned[0]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the interpreter's own warnings import the module there")
def test_the_warning_needs_no_module_that_a_bundle_may_have(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pybundle"
    broken.write_bytes(b"no zip")
    other = lay_out(FLAT, tmp_path / "other", {"warnings.py": "raise SystemExit('imported')\n", "mod.py": "X = 1\n"})
    script = f"import sys; sys.modules.pop('warnings', None); sys.path[:0] = {[str(broken), str(other)]}; import mod"
    result = run_python("-c", script)
    assert result.stderr.count("BundleWarning") == 1


def test_a_missing_bundle_is_passed_over_like_a_missing_directory(tmp_path: Path) -> None:
    warned, printed = run_with(tmp_path / "missing.pybundle", tmp_path)
    assert (warned, printed) == ([], "[['mod', 'pkg', 'also_missing'], 2]\n")


@pytest.mark.parametrize("kind", WITH_SOURCE)
def test_a_damaged_member_stops_only_its_own_import(kind: str, tmp_path: Path) -> None:
    """With the name of the module, the bundle, the member and the offset."""
    incompressible = hashlib.sha512().hexdigest()
    tree: Tree = {"mod.py": f"VALUE = '{incompressible}'\n", "sound.py": "VALUE = 2\n"}
    path = lay_out(kind, tmp_path / "broken", tree)
    damage(path, "mod.py")
    probe = """
    import sound
    try:
        import mod
    except ImportError as error:
        result = [error.name, error.path, error.member, isinstance(error.offset, int), str(error), sound.VALUE]
    """
    known = Laboratory(tmp_path / "laboratory").observe([path], probe)
    assert known[:2] == ["mod", "<place>"]
    assert "mod.py" in known[2]
    assert known[3] is True
    assert "mod.py" in known[4]
    assert "<place>" in known[4]
    assert known[5] == 2


def damage(path: Path, member: str) -> None:
    """Change a byte of each place that a module's code may come from."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name == member or name.startswith((bundle_format.CODE, bundle_format.PAYLOAD))
        ]
        places = [(archive.getinfo(name), name) for name in names]
    for info, name in places:
        start = info.header_offset + 30 + len(info.filename.encode())
        if name == bundle_format.PAYLOAD:
            start += 30 + len(member.encode())
        data[start + 20] ^= 0xFF
    path.write_bytes(data)


def test_a_directory_with_the_suffix_is_left_to_the_next_hook(tmp_path: Path) -> None:
    folder = tmp_path / "directory.pybundle"
    (folder / "pkg").mkdir(parents=True)
    (folder / "mod.py").write_text("VALUE = 3\n")
    (folder / "pkg" / "leaf.py").write_text("VALUE = 4\n")
    probe = """
    import sys
    import mod, pkg.leaf
    finder = sys.path_importer_cache[sys.path[1]]
    result = [mod.VALUE, pkg.leaf.VALUE, type(mod.__loader__).__name__, type(finder).__name__]
    """
    known = Laboratory(tmp_path / "laboratory").observe([folder], probe)
    assert known == [3, 4, "SourceFileLoader", "FileFinder"]


def test_a_bundle_below_a_directory_with_the_suffix_is_found(tmp_path: Path) -> None:
    path = lay_out(FLAT, tmp_path / "directory.pybundle", TREE)
    probe = "import mod, bundleimp\nresult = [mod.__file__, isinstance(mod.__loader__, bundleimp.BundleLoader)]"
    known = Laboratory(tmp_path / "laboratory").observe([path], probe)
    assert known == ["<place>/mod.py", True]


@pytest.mark.parametrize("name", ["x.pybundle.bak", "x.pybundles", "pybundle"])
def test_a_file_of_another_suffix_is_left_to_the_next_hook(name: str, tmp_path: Path) -> None:
    path = lay_out(PLAIN_ZIP, tmp_path, TREE).rename(tmp_path / name)
    probe = "import mod\nresult = type(mod.__loader__).__name__"
    assert Laboratory(tmp_path / "laboratory").observe([path], probe) == "zipimporter"
