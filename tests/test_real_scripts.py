"""The real `black`, one of the scripts in a program that has all of them.  Downloads the package."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .platforms import needs_processes
from .programs import is_reachable, run_file

if TYPE_CHECKING:
    from pathlib import Path

MESSY = "x = {  'a':1 }\n"
NEAT = 'x = {"a": 1}\n'


@needs_processes
def test_black_formats_files_by_its_first_word_and_by_a_link(tmp_path: Path) -> None:
    if not is_reachable("black", tmp_path / "downloads"):
        pytest.skip("no package index is reachable")
    program = tmp_path / "tools"
    bundleimp.pack([], program, requirements=["black"], entry_point="*", standalone=True, shebang=sys.executable)
    cache: dict[str, Any] = {
        "BUNDLEIMP_CACHE_DIR": str(tmp_path / "cache"),
        "BLACK_CACHE_DIR": str(tmp_path / "black-cache"),
    }
    files = [tmp_path / "one.py", tmp_path / "two.py"]
    for file in files:
        file.write_text(MESSY)
    # Several files are formatted in child processes.
    run_file(sys.executable, "-I", "-S", program, "black", "--workers", "2", *map(str, files), **cache)
    assert [file.read_text() for file in files] == [NEAT, NEAT]
    if sys.platform != "win32":
        link = tmp_path / "black"
        link.symlink_to(program)
        assert "would reformat" not in run_file(link, "--check", str(files[0]), **cache).stderr
        files[0].write_text(MESSY)
        assert "would reformat" in run_file(link, "--check", str(files[0]), status=1, **cache).stderr
    assert "did you mean black?" in run_file(sys.executable, "-S", program, "blakc", status=2, **cache).stderr
