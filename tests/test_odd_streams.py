"""Commands whose streams are closed, and whose output is no file."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp import importtimes
from bundleimp.wholefile import write_whole

from .builders import clean_environment, make_bundle

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform in {"win32", "emscripten"}, reason="needs a shell and links")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(tmp_path: Path, closed: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"m.py": ""})
    script = f'"$0" -m bundleimp --color always verify "$1" {closed}'
    words = ["/bin/sh", "-c", script, sys.executable, str(bundle)]
    result = subprocess.run(words, capture_output=True, text=True, env=clean_environment(), check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    link = tmp_path / "link"
    link.symlink_to(f"/dev/fd/{writing}")
    write_whole(b"text", str(link))
    assert os.read(reading, 10) == b"text"
    assert link.is_symlink()
    os.close(reading)
    os.close(writing)


def test_a_link_to_a_file_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "page.html")
    for content in (b"first", b"second"):
        write_whole(content, str(link))
        assert link.is_symlink()
        assert (tmp_path / "page.html").read_bytes() == content


def test_numbers_that_python_does_not_read_are_no_times() -> None:
    assert importtimes.outermost(f"import time: {'9' * 5000} | 1 | m\n") == []
