"""Files that may not be read and folders that may not be written to, also where the tests are run by root."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, make_tree, run_python

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
# Root may read and write everything, unless it gives that power up.
POWERS = "-dac_override,-dac_read_search"
PREFIX = ["setpriv", f"--inh-caps={POWERS}", f"--bounding-set={POWERS}", sys.executable] if ROOT else [sys.executable]

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="permissions are other things there"),
    pytest.mark.skipif(shutil.which(PREFIX[0]) is None, reason="root cannot give up its powers here without setpriv"),
]


def run(*arguments: str | Path, path: Sequence[Path] = (), cache: str = "") -> subprocess.CompletedProcess[str]:
    program, *options = [*PREFIX, *map(str, arguments)]
    return run_python(*options, path=path, executable=program, check=False, BUNDLEIMP_CACHE_DIR=cache)


@pytest.fixture(name="bundle")
def _bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "out.pybundle", {"mod.py": "x = 1\n"}, bytecode=False)


def test_an_unreadable_bundle_on_the_path_is_one_warning_and_other_imports_go_on(bundle: Path) -> None:
    bundle.chmod(0)
    result = run("-c", "import colorsys, importlib.util; print(importlib.util.find_spec('mod'))", path=[bundle])
    assert (result.returncode, result.stdout) == (0, "None\n")
    assert result.stderr.count("BundleWarning") == 1
    assert f"{bundle}: cannot be opened: Permission denied" in result.stderr


@pytest.mark.parametrize("command", ["list", "info", "verify", "run"])
def test_an_unreadable_bundle_given_to_a_command_is_one_line(bundle: Path, command: str) -> None:
    bundle.chmod(0)
    result = run("-m", "bundleimp", command, bundle)
    expected = f"bundleimp: error: {bundle}: cannot be opened: Permission denied\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)


@pytest.mark.parametrize("name", ["mod.py", "data.bin", "sub", "x-1.dist-info/METADATA"])
def test_an_unreadable_source_is_one_line_and_leaves_the_output_untouched(tmp_path: Path, name: str) -> None:
    tree = {"mod.py": "", "data.bin": "data", "sub/mod.py": "", "x-1.dist-info/METADATA": "Name: x\n"}
    source = make_tree(tmp_path / "src", tree)
    output = tmp_path / "out.pybundle"
    output.write_bytes(b"what was there before")
    (source / name).chmod(0)
    try:
        result = run("-m", "bundleimp", "pack", source, output)
    finally:
        (source / name).chmod(0o700)
    assert result.returncode == 2
    assert result.stderr.startswith(f"bundleimp: error: {source / name}: cannot be read: Permission denied")
    assert result.stderr.count("\n") == 1
    assert output.read_bytes() == b"what was there before"
    assert sorted(os.listdir(tmp_path)) == ["out.pybundle", "src"]


def test_an_output_in_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    folder = make_tree(tmp_path / "folder", {"out.pybundle": "what was there before"})
    folder.chmod(0o500)
    try:
        result = run("-m", "bundleimp", "pack", source, folder / "out.pybundle")
    finally:
        folder.chmod(0o700)
    expected = f"bundleimp: error: {folder / 'out.pybundle'}: cannot be written: Permission denied\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", expected)
    assert (folder / "out.pybundle").read_text() == "what was there before"


def test_a_cache_that_cannot_be_written_to_stops_no_import(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(0o500)
    result = run("-c", "import mod; print(mod.x)", path=[bundle], cache=str(tmp_path / "cache"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")
    assert os.listdir(tmp_path / "cache") == []
