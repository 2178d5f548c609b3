"""What takes the space in a bundle, by `info`: each byte of the file belongs to one row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .archives import index_of
from .builders import Tree, make_bundle, make_tree, make_zip
from .command_line import APP, bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

LIB = ["lib-1.2.dist-info/METADATA", "lib-1.2.dist-info/RECORD", "lib-1.2.dist-info/entry_points.txt", "single.py"]
LARGE = "".join(f"def function_{number}(argument):\n    return argument + {number}\n" for number in range(50))
WORKING: Tree = {"app/__init__.py": LARGE, "app/__main__.py": "print('app')\n", "other.py": "VALUE = 1\n"}
LAYOUTS = ["flat", "nested"]


def info_of(bundle: Path) -> Any:
    """Return what ``info --json`` prints."""
    return json.loads(bundleimp_command("info", bundle, "--json").stdout)


def sizes_of(part: dict[str, Any]) -> tuple[int, ...]:
    return tuple(part[name] for name in ("source", "bytecode", "other", "total"))


def sum_of(info: Any) -> int:
    """Return the sum of all totals."""
    return sum(int(part["total"]) for part in [*info["parts"], info["runtime"] or {"total": 0}]) + int(info["rest"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_distribution_and_the_own_tree_are_one_row(tmp_path: Path, layout: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", APP, layout=layout)
    members = {item.member.name: item for item in index_of(bundle.read_bytes()).members}
    info = info_of(bundle)
    for part, names in zip(info["parts"], [set(LIB), APP.keys() - set(LIB)], strict=True):
        source = sum(members[name].member.packed_size for name in names if name.endswith(".py"))
        other = sum(members[name].member.packed_size for name in names if not name.endswith(".py"))
        bytecode = sum(code.size for name in names for code in members[name].codes if code is not None)
        assert sizes_of(part) == (source, bytecode, other, source + bytecode + other)
        assert min(source, bytecode, other) > 0
    assert [(part["name"], part["version"]) for part in info["parts"]] == [("lib", "1.2"), ("own-files", "")]


OPTIONS: dict[str, dict[str, Any]] = {
    "flat": {"layout": "flat"},
    "nested": {"layout": "nested"},
    "compressed bytecode": {"compress_bytecode": "deflate"},
    "no bytecode": {"bytecode": False},
    "no source": {"source": False},
    "program": {"entry_point": "app"},
    "standalone": {"entry_point": "app", "standalone": True},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_totals_add_up_to_the_size_of_the_file(tmp_path: Path, options: dict[str, Any]) -> None:
    tree = WORKING | {name: APP[name] for name in LIB}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, **options)
    info = info_of(bundle)
    assert sum_of(info) == info["size"] == bundle.stat().st_size
    assert info["rest"] > 0
    assert (info["runtime"] is None) is (not options.get("standalone"))


def test_without_source_bytecode_belongs_to_the_distribution_that_recorded_the_source(tmp_path: Path) -> None:
    (lib,) = info_of(make_bundle(tmp_path / "out.pybundle", {name: APP[name] for name in LIB}, source=False))["parts"]
    assert (lib["name"], lib["members"], lib["source"]) == ("lib", 4, 0)
    assert lib["bytecode"] > 0


def test_bytecode_beside_sources_of_a_plain_zip_belongs_to_their_distribution(tmp_path: Path) -> None:
    tree = {name: APP[name] for name in LIB} | {"__pycache__/single.cpython-311.pyc": b"bytecode"}
    info = info_of(make_zip(tmp_path / "out.pybundle", tree))
    (lib,) = info["parts"]
    assert (lib["name"], lib["members"], lib["bytecode"]) == ("lib", 5, 10)  # an empty deflate block makes it longer
    assert sum_of(info) == info["size"]


def test_the_embedded_runtime_is_a_row_of_its_own(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", WORKING, entry_point="app", standalone=True)
    runtime = info_of(bundle)["runtime"]
    assert 0 < runtime["source"] < runtime["bytecode"]
    assert runtime["other"] == 0
    compressed = make_bundle(
        tmp_path / "small.pybundle", WORKING, entry_point="app", standalone=True, compress_bytecode="deflate"
    )
    assert info_of(compressed)["runtime"]["bytecode"] < 0.6 * runtime["bytecode"]


def test_the_table_has_a_line_for_each_row(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", APP | WORKING, entry_point="app", standalone=True)
    lines = bundleimp_command("info", bundle).stdout.splitlines()
    start = next(at for at, line in enumerate(lines) if line.split()[0] == "source")
    assert lines[start].split() == ["source", "bytecode", "other", "total", "members", "distribution", "version"]
    rows = lines[start + 1 : start + 5]
    assert [line.rstrip() for line in rows if line.endswith("1.2")] == [rows[0]]
    assert rows[1].endswith("  own-files")
    assert rows[2].endswith("  (the embedded runtime)")
    assert rows[3].endswith("  (the file itself: index, manifest, ...)")


def test_a_damaged_index_is_one_line(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", APP)
    data = bytearray(bundle.read_bytes())
    data[data.rindex(b"PBd1") + 8] ^= 1
    bundle.write_bytes(data)
    result = bundleimp_command("info", bundle, status=2)
    assert result.stderr.startswith(f"bundleimp: error: {bundle}: ")
    assert "BUNDLE-INFO/index: the index is damaged" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_bundle_without_a_tree_of_its_own_has_no_row_for_it(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {name: APP[name] for name in LIB})
    bundle = tmp_path / "out.pybundle"
    bundleimp_command("pack", "--quiet", source, bundle)
    assert [part["name"] for part in info_of(bundle)["parts"]] == ["lib"]
