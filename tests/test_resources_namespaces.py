"""Resources of namespace packages with portions in directories, zips and bundles are the union of the portions'."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from .places import DIRECTORY, FLAT, NESTED, PLAIN_ZIP, ZIPIMPORT, Laboratory, lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .builders import Tree

PORTIONS: list[Tree] = [
    {
        "nsres/one.txt": "1",
        "nsres/same.txt": "first",
        "nsres/folder/one.txt": "in 1",
        "nsres/folder/deep/one.txt": "deep 1",
    },
    {"nsres/two.txt": "2", "nsres/same.txt": "second", "nsres/folder/two.txt": "in 2", "nsres/own/two.txt": "own 2"},
    {
        "nsres/three.txt": "3",
        "nsres/same.txt": "third",
        "nsres/folder/deep/three.txt": "deep 3",
        "nsres/folder/one.txt": "no",
    },
]
ORDERS = [
    *itertools.permutations((DIRECTORY, PLAIN_ZIP, FLAT)),
    *itertools.permutations((DIRECTORY, ZIPIMPORT, NESTED)),
    (FLAT, FLAT, FLAT),
    (DIRECTORY, DIRECTORY, NESTED),
]
in_every_order = pytest.mark.parametrize("order", ORDERS, ids=", ".join)
# Of a zip left to zipimport, a single file or folder is the standard library's own traversable, with its limits.
in_every_order_of_ours = pytest.mark.parametrize(
    "order", [order for order in ORDERS if ZIPIMPORT not in order], ids=", ".join
)

WALK = """
import importlib.resources as resources


def walk(path):
    if path.is_dir():
        children = list(path.iterdir())
        assert len({child.name for child in children}) == len(children), children
        return {child.name: walk(child) for child in children if child.name != "__pycache__"}
    return path.read_text()

"""
WHOLE = {
    "one.txt": "1",
    "two.txt": "2",
    "three.txt": "3",
    "same.txt": "first",
    "folder": {"one.txt": "in 1", "two.txt": "in 2", "deep": {"one.txt": "deep 1", "three.txt": "deep 3"}},
    "own": {"two.txt": "own 2"},
}


def observe(order: Sequence[str], folder: Path, probe: str) -> Any:
    paths = [lay_out(kind, folder / str(number), PORTIONS[number]) for number, kind in enumerate(order)]
    return Laboratory(folder / "laboratory").observe(paths, probe)


@in_every_order
def test_files_is_the_union_of_the_portions_and_the_first_wins(order: Sequence[str], tmp_path: Path) -> None:
    assert observe(order, tmp_path, f"{WALK}\nresult = walk(resources.files('nsres'))") == WHOLE


@in_every_order_of_ours
def test_a_folder_in_several_portions_is_one_namespace_package_too(order: Sequence[str], tmp_path: Path) -> None:
    probe = (
        f"{WALK}\nresult = [walk(resources.files(name)) for name in ('nsres.folder', 'nsres.folder.deep', 'nsres.own')]"
    )
    assert observe(order, tmp_path, probe) == [
        WHOLE["folder"],
        {"one.txt": "deep 1", "three.txt": "deep 3"},
        WHOLE["own"],
    ]


@in_every_order
def test_joinpath_leads_into_each_portion(order: Sequence[str], tmp_path: Path) -> None:
    probe = f"""{WALK}
top = resources.files("nsres")
result = [top.is_dir(), top.is_file(), top.name]
names = [["three.txt"], ["folder/two.txt"], ["folder", "deep", "three.txt"], ["folder/deep"], ["own/two.txt"]]
for parts in (*names, ["same.txt"]):
    found = top.joinpath(*parts)
    result.append([found.name, walk(found)])
result.append(walk(top / "folder" / "deep"))
for missing in (top / "missing", top / "folder" / "missing", top / "missing" / "x", top.joinpath("folder/missing/x")):
    try:
        missing.read_bytes()
    except OSError as error:
        result.append([missing.is_dir(), missing.is_file(), type(error).__name__])
"""
    known = observe(order, tmp_path, probe)
    assert known[:3] == [True, False, "nsres"]
    deep = {"one.txt": "deep 1", "three.txt": "deep 3"}
    texts = ["3", "in 2", "deep 3", deep, "own 2", "first"]
    assert known[3:9] == [
        [name, text]
        for name, text in zip(["three.txt", "two.txt", "three.txt", "deep", "two.txt", "same.txt"], texts, strict=True)
    ]
    assert known[9:] == [deep, *[[False, False, "FileNotFoundError"]] * 4]


@in_every_order_of_ours
def test_as_file_makes_files_and_folders_under_their_own_names(order: Sequence[str], tmp_path: Path) -> None:
    probe = f"""{WALK}
import pathlib
result = []
for parts in (["one.txt"], ["two.txt"], ["three.txt"], ["folder"], ["folder", "deep"], ["own"]):
    with resources.as_file(resources.files("nsres").joinpath(*parts)) as path:
        result.append([isinstance(path, pathlib.Path), path.name, walk(path)])
"""
    known = observe(order, tmp_path, probe)
    assert known[:3] == [[True, "one.txt", "1"], [True, "two.txt", "2"], [True, "three.txt", "3"]]
    assert known[3:5] == [
        [True, "folder", WHOLE["folder"]],
        [True, "deep", {"one.txt": "deep 1", "three.txt": "deep 3"}],
    ]
    assert known[5:] == [[True, "own", WHOLE["own"]]]


@in_every_order
def test_as_file_makes_one_folder_of_all_portions(order: Sequence[str], tmp_path: Path) -> None:
    probe = f"""{WALK}
result = []
for whole in (resources.files("nsres"), resources.files("nsres") / "folder"):
    with resources.as_file(whole) as path:
        result.append([path.name, walk(path)])
"""
    assert observe(order, tmp_path, probe) == [["nsres", WHOLE], ["folder", WHOLE["folder"]]]


@in_every_order
def test_the_functions_read_from_each_portion(order: Sequence[str], tmp_path: Path) -> None:
    probe = """
    import importlib.resources as resources, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    result = [resources.read_text("nsres", f"{name}.txt") for name in ("one", "two", "three", "same")]
    with resources.open_binary("nsres", "two.txt") as stream:
        result += [resources.read_binary("nsres", "three.txt").decode(), stream.read().decode()]
    result += [resources.is_resource("nsres", name) for name in ("three.txt", "folder", "missing")]
    result += [sorted(name for name in resources.contents("nsres") if name != "__pycache__")]
    with resources.path("nsres", "three.txt") as path:
        result.append(path.read_text())
    """
    known = observe(order, tmp_path, probe)
    assert known[:9] == ["1", "2", "3", "first", "3", "2", True, False, False]
    assert known[9:] == [sorted(WHOLE), "3"]


def test_a_portion_that_is_gone_does_not_hide_the_others(tmp_path: Path) -> None:
    probe = f"""{WALK}
import os, sys
import nsres
os.remove(sys.path[2])
result = walk(resources.files("nsres"))["one.txt"]
"""
    assert observe((DIRECTORY, FLAT, NESTED), tmp_path, probe) == "1"
