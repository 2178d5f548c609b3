"""A flat bundle names its namespace packages, so that ``zipimport`` finds all modules without bundleimp."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.packing.folders import namespace_folders

from .builders import Tree, make_bundle, run_python
from .command_line import bundleimp_command
from .programs import VERSIONS, interpreter_without_bundleimp

if TYPE_CHECKING:
    from pathlib import Path

TREE: Tree = {
    "single.py": "",
    "pkg/__init__.py": "",
    "pkg/part/deep.py": "",
    "ns/one/two/mod.py": "",
    "ns/data/table.txt": "x",
    "not-a-package/tool.py": "",
    "d-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: d\nVersion: 1\n",
}
SCRIPT = "import single, pkg.part.deep, ns.one.two.mod; print(type(single.__loader__).__name__)"


@pytest.mark.parametrize("version", VERSIONS)
def test_zipimport_finds_all_modules(tmp_path: Path, version: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE)
    result = run_python("-c", SCRIPT, path=[bundle], executable=interpreter_without_bundleimp(version))
    assert result.stdout == "zipimporter\n"
    assert run_python("-S", "-c", SCRIPT, path=[bundle]).stdout == "zipimporter\n"


def test_bundleimp_imports_the_same(tmp_path: Path) -> None:
    for layout in ("flat", "nested"):
        bundle = make_bundle(tmp_path / f"{layout}.pybundle", TREE, layout=layout)
        assert run_python("-W", "error", "-c", SCRIPT, path=[bundle]).stdout == "BundleLoader\n"


def test_entries_are_those_of_namespace_packages_only() -> None:
    assert namespace_folders(TREE) == ["ns/", "ns/one/", "ns/one/two/", "pkg/part/"]
    assert namespace_folders(["a/__init__.pyc", "a/b/c.pyc", "d/e.so", "f.py"]) == ["a/b/"]


@pytest.mark.parametrize("options", [{}, {"source": False}, {"compress": "none"}, {"entry_point": "single"}])
def test_tools_see_the_members_and_no_more(tmp_path: Path, options: dict[str, object]) -> None:
    flat = make_bundle(tmp_path / "flat.pybundle", TREE, layout="flat", **options)
    nested = make_bundle(tmp_path / "nested.pybundle", TREE, layout="nested", **options)
    one, two = bundleimp.open_bundle(flat), bundleimp.open_bundle(nested)
    assert one.verify() == two.verify() == []
    assert one.members
    assert [member.name for member in one.members] == [member.name for member in two.members]
    assert (one.manifest or {})["members"] == len(one.members)
    with zipfile.ZipFile(flat) as archive:
        folders = [info for info in archive.infolist() if info.is_dir()]
        assert archive.testzip() is None
    children = {"__children__/sitecustomize.py"} if "entry_point" in options else set()
    assert [info.filename for info in folders] == namespace_folders([*TREE, *children])
    assert {info.external_attr for info in folders} == {0o40755 << 16 | 0x10}
    listed = bundleimp_command("list", flat).stdout
    assert listed == bundleimp_command("list", nested).stdout
    different = bundleimp_command("diff", flat, nested, status=1).stdout.splitlines()
    assert [line.partition(":")[0] for line in different] == ["inputs", "layout"]
    bundleimp_command("extract", flat, tmp_path / "out")
    assert sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()
    ) == [member.name for member in one.members]


def test_folders_far_down_have_no_entries() -> None:
    """They would make the central directory grow with the square of the depth."""
    assert namespace_folders(["a/" * 200 + "m.py"])[-1] == "a/" * 16
