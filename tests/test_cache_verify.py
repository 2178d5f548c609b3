"""`bundleimp cache verify` compares all real files with the bundles that they came from; `doctor` does so, too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .builders import Tree, make_bundle, run_python
from .command_line import bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

TREE: Tree = {
    "app/__init__.py": "import os\nHERE = os.path.dirname(__file__)\n",
    "app/data.txt": "data\n",
    "app/tool": "#!/bin/sh\n",
    "app/line\nbreak\r.txt": "odd\n",
    "app/line\nbreak\r/x.txt": "odd, too\n",
}
BUNDLE = "app.pybundle"


@pytest.fixture(name="cache")
def _cache(tmp_path: Path) -> Path:
    """A cache in which all of a bundle was placed."""
    make_bundle(tmp_path / BUNDLE, TREE)
    bundleimp_command("site", tmp_path / BUNDLE, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    return tmp_path / "cache"


def verify(cache: Path, status: int) -> str:
    return bundleimp_command("cache", "verify", status=status, BUNDLEIMP_CACHE_DIR=str(cache)).stdout


def test_what_is_as_in_the_bundle_is_sound(cache: Path) -> None:
    assert verify(cache, 0) == f"{cache}: sound\n"


def test_what_is_in_the_cache_is_not_written_again(cache: Path) -> None:
    """Neither where names have line breaks."""
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_dir()}
    for unpack in ("0", "1"):
        path = [cache.parent / BUNDLE]
        run_python("-c", "import app", path=path, BUNDLEIMP_CACHE_DIR=str(cache), BUNDLEIMP_UNPACK=unpack)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_dir()} == before


@pytest.mark.parametrize("kind", ["sites", "unpacked"])
@pytest.mark.parametrize("damage", ["another content of the same size", "missing", "cut off"])
def test_each_difference_is_named(cache: Path, kind: str, damage: str) -> None:
    (file,) = cache.glob(f"{kind}/*/app/data.txt")
    times = file.parent.stat()
    file.unlink()
    if damage != "missing":
        file.write_text("DATA\n" if "same" in damage else "")
    os.utime(file.parent, ns=(times.st_atime_ns, times.st_mtime_ns))  # what a process would notice at once
    text = "is missing" if damage == "missing" else "differs from the bundle"
    assert verify(cache, 1).startswith(f"{file}: {text}")
    printed = bundleimp_command("doctor", status=1, BUNDLEIMP_CACHE_DIR=str(cache)).stdout
    assert f"PROBLEM  cache: {file}: {text}" in printed


def test_a_file_that_a_program_wrote_into_a_site_is_named(cache: Path) -> None:
    (folder,) = cache.glob("sites/*/app")
    (folder / "db.sqlite3").write_text("")
    assert verify(cache, 1).startswith(f"{folder / 'db.sqlite3'}: is not a file of the bundle")


@pytest.mark.parametrize("change", ["gone", "replaced"])
def test_without_the_bundle_nothing_is_checked_and_that_is_said(cache: Path, change: str) -> None:
    bundle = cache.parent / BUNDLE
    bundle.unlink()
    if change == "replaced":
        make_bundle(bundle, TREE | {"app/data.txt": "other\n"})
    lines = verify(cache, 0).splitlines()
    assert [": not checked: " in line for line in lines] == [True, True, False]
