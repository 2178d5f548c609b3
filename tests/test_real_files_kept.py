"""`--unpack` and `--no-unpack` of bundles that are sources; real files of bundles with several targets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.errors import PackError

from .builders import Tree, make_bundle, make_tree, run_python
from .command_line import bundleimp_command
from .platforms import needs_processes
from .test_targets import LATER, SAME_VERSION, as_target, make_platform_wheel, own_name, pack

if TYPE_CHECKING:
    from pathlib import Path

TREE: Tree = {
    "one/__init__.py": "",
    "one-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: one\nVersion: 1\n",
    "one-1.dist-info/RECORD": "one/__init__.py,,\none-1.dist-info/METADATA,,\none-1.dist-info/RECORD,,\n",
    "two/__init__.py": "print(__file__)",
    "two/table.txt": "x",
}


def wishes(bundle: Path) -> tuple[Any, Any]:
    manifest = bundleimp.open_bundle(bundle).manifest or {}
    return manifest.get("unpack"), manifest.get("no_unpack")


def placed(bundle: Path) -> set[str]:
    return {unit["name"] for unit in (bundleimp.open_bundle(bundle).manifest or {}).get("placed", ())}


def test_what_a_bundle_was_packed_for_is_kept_when_it_is_a_source(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "first.pybundle", TREE, unpack=["One"], no_unpack=["two"])
    assert (wishes(first), placed(first)) == ((["One"], ["two"]), {"one"})
    for number in range(2):
        again = tmp_path / f"{number}.pybundle"
        bundleimp.pack([first], again)
        assert (wishes(again), placed(again)) == (wishes(first), placed(first))
        assert bundleimp.open_bundle(again).verify() == []
        first = again
    result = run_python("-c", "import two", path=[first])
    assert result.stdout.startswith(str(first)), "no real file"


def test_the_user_of_today_decides(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "first.pybundle", TREE, unpack=["one"], no_unpack=["two"])
    bundleimp.pack([first], tmp_path / "again.pybundle", unpack=["two"], no_unpack=["one"])
    assert wishes(tmp_path / "again.pybundle") == (["two"], ["one"])
    assert placed(tmp_path / "again.pybundle") == {"two"}


def test_a_wish_for_what_is_left_out_does_not_matter(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "first.pybundle", TREE, unpack=["one"])
    bundleimp.pack([first], tmp_path / "again.pybundle", exclude=["one", "one-1.dist-info"])
    assert placed(tmp_path / "again.pybundle") == {"two"}


def test_bundles_that_disagree_are_an_error(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "first.pybundle", TREE, unpack=["one"])
    second = make_bundle(tmp_path / "second.pybundle", TREE, no_unpack=["One"])
    output = tmp_path / "out.pybundle"
    with pytest.raises(PackError) as caught:
        bundleimp.pack([first, second], output)
    assert str(caught.value) == (
        f"{first} was packed with --unpack one, and {second} with --no-unpack One; give one of these options to choose"
    )
    assert not output.exists()
    bundleimp.pack([first, second], output, unpack=["one"])
    assert wishes(output) == (["one"], None)


@needs_processes
def test_real_files_are_those_of_each_target(tmp_path: Path) -> None:
    wheels, bundle, cache = tmp_path / "wheels", tmp_path / "out.pybundle", tmp_path / "cache"
    for tag in (own_name(), SAME_VERSION, LATER.replace("2_28", "2_17")):
        make_platform_wheel(wheels, tag)
    pack(bundle, wheels, [SAME_VERSION, LATER], unpack=["nat"])
    info = json.loads(bundleimp_command("info", "--json", bundle).stdout)
    assert {target: [unit["name"] for unit in units] for target, units in info["placed"].items()} == {
        target: ["nat"] for target in info["targets"]
    }
    sizes = {units[0]["size"] for units in info["placed"].values()}
    lines = [line for line in bundleimp_command("info", bundle).stdout.splitlines() if line.startswith("placed in")]
    assert len(sizes) == len(lines) == 3
    assert all(f"placed in the cache when imported ({target}): nat" in "\n".join(lines) for target in info["targets"])

    run_python("-c", "import nat", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    run_python("-c", f"{as_target(SAME_VERSION)}import nat", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    sites = sorted(cache.glob("sites/*/nat/data.txt"), key=lambda file: file.read_text())
    assert {file.read_text() for file in sites} == {own_name(), SAME_VERSION}
    command = ["cache", "verify"]
    assert "not checked" not in bundleimp_command(*command, BUNDLEIMP_CACHE_DIR=str(cache)).stdout
    for file in sites:
        text = file.read_text()
        file.chmod(0o644)
        file.write_text("other")
        printed = bundleimp_command(*command, status=1, BUNDLEIMP_CACHE_DIR=str(cache)).stdout
        assert f"{file}: differs from the bundle" in printed
        file.write_text(text)


@needs_processes
def test_real_files_that_are_the_same_for_all_targets_are_one_line(tmp_path: Path) -> None:
    wheels, bundle = tmp_path / "wheels", tmp_path / "out.pybundle"
    for tag in (own_name(), SAME_VERSION):
        make_platform_wheel(wheels, tag)
    source = make_tree(tmp_path / "src", TREE)
    bundleimp.pack(
        [source],
        bundle,
        requirements=["nat"],
        target=[SAME_VERSION],
        no_unpack=["nat"],
        installer_options=["--no-index", "--find-links", str(wheels)],
    )
    lines = [line for line in bundleimp_command("info", bundle).stdout.splitlines() if line.startswith("placed in")]
    assert len(lines) == 1
    assert lines[0].startswith("placed in the cache when imported: two (")
