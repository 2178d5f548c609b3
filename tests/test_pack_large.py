"""Bundles for which a zip's own numbers are too small; with BUNDLEIMP_TEST_LARGE=1 only: minutes, and 15 GB of disk."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import run_python
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from pathlib import Path

    from bundleimp.packing.options import Layout

pytestmark = pytest.mark.skipif(not os.environ.get("BUNDLEIMP_TEST_LARGE"), reason="takes minutes and 15 GB")

VERSIONS = ("3.11", "3.12", "3.13")
SIZE = (4 << 30) + 100


def assert_starts(bundle: Path) -> None:
    """Assert that Python starts with *bundle* on its path, whether or not it knows of bundles."""
    for version in VERSIONS:
        python = interpreter_without_bundleimp(version)
        assert run_python("-c", "print('started')", path=[bundle], executable=python).stdout == "started\n"
    assert run_python("-c", "import mod; print(mod.x)", path=[bundle]).stdout == "1\n"


@pytest.mark.parametrize("compress", ["none", "deflate"])
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_file_of_more_than_4_gib_is_packed(tmp_path: Path, layout: Layout, compress: str) -> None:
    source = tmp_path / "src"
    source.mkdir()
    with (source / "large.bin").open("wb") as file:
        file.truncate(SIZE - 3)
        file.seek(0, os.SEEK_END)
        file.write(b"end")
    # Before it in the zip, and behind it.
    (source / "before.txt").write_text("before")
    (source / "mod.py").write_text("x = 1\n")
    bundle = tmp_path / "out.pybundle"
    bundleimp.pack([source], bundle, layout=layout, compress=compress)  # type: ignore[arg-type]
    (source / "large.bin").unlink()
    opened = bundleimp.open_bundle(bundle)
    assert {member.name: member.size for member in opened.members} == {"before.txt": 6, "large.bin": SIZE, "mod.py": 6}
    assert opened.verify() == []
    assert_starts(bundle)
    bundle.unlink()


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_more_members_than_65535_are_packed(tmp_path: Path, layout: Layout) -> None:
    source, number = tmp_path / "src", 70_000
    for at in range(number):
        folder = source / f"{at // 1000}"
        if at % 1000 == 0:
            folder.mkdir(parents=True)
        (folder / f"{at}.txt").write_text(str(at))
    (source / "mod.py").write_text("x = 1\n")
    bundle = tmp_path / "out.pybundle"
    assert bundleimp.pack([source], bundle, layout=layout).members == number + 1
    opened = bundleimp.open_bundle(bundle)
    assert zlib.crc32(opened.read("69/69999.txt")) == zlib.crc32(b"69999")
    assert opened.verify() == []
    assert_starts(bundle)
