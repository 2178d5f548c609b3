"""What `files()` gives has the interface of `zipfile.Path`, and of `pathlib.Path` for reading, on all path entries."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from .places import DIRECTORY, FLAT, NESTED, ZIPIMPORT, Laboratory, Places, in_each_and_mounted, lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .builders import Tree

FILES = {
    "folder/a.tar.gz": "hello\r\nworld\n",
    "folder/B.txt": "b",
    "folder/.hidden": "",
    "folder/sub/c.txt": "c",
    "folder/sub/deep/d.gz": "d",
    "top.txt": "ä",
}
TREE: Tree = {"res/__init__.py": "", "code.py": "", **{f"res/{name}": text for name, text in FILES.items()}}
PORTIONS: list[Tree] = [
    {f"ns/{name}": text for number, (name, text) in enumerate(FILES.items()) if number % 3 == part} for part in range(3)
]
ORDERS = [*itertools.permutations((DIRECTORY, ZIPIMPORT, FLAT)), (NESTED, FLAT, FLAT)]

PROBE = """
import importlib.resources, io, os, pathlib, sys

base = pathlib.Path(NAME) if os.path.isabs(NAME) else importlib.resources.files(NAME)
folder = base / "folder"
file = folder / "a.tar.gz"
missing = folder / "none.txt"


def shown(value):
    if isinstance(value, (str, bytes, bool, int, float, type(None))):
        return repr(value)
    if isinstance(value, pathlib.PurePath) and not value.is_absolute():
        return value.as_posix()
    if hasattr(value, "iterdir"):
        return "<base>/" + value.relative_to(base).as_posix()
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return sorted(shown(item) for item in value)


def outcome(expression):
    try:
        return shown(eval(expression))
    except (OSError, ValueError, NotImplementedError, AttributeError) as error:
        return "OSError" if isinstance(error, OSError) else type(error).__name__


def read(*arguments, **options):
    with file.open(*arguments, **options) as stream:
        return stream.read()


result = {expression: outcome(expression) for expression in EXPRESSIONS}
"""
OF_NAMES = [
    *("file.name", "file.suffix", "file.suffixes", "file.stem", "file.parent.name", "folder.name", "folder.stem"),
    *("file.match('*.gz')", "file.match('folder/*')", "file.match('*.txt')", "file.parts[-2:]", "folder.parts[-1]"),
    *("file.relative_to(base)", "file.relative_to(folder)", "folder.relative_to(base)", "base.relative_to(base)"),
    *("file.is_relative_to(base)", "base.is_relative_to(file)", "folder.relative_to(file)"),
    *(
        "isinstance(folder, importlib.resources.abc.Traversable)",
        "file.parent",
        "file.parent.parent",
        "file.parent == folder",
        "(file.parent / 'none').exists()",
    ),
    *("file.with_name('B.txt').read_text()", "file.with_suffix('.x').name", "file.with_stem('y').name"),
    *("file.parents[0]", "file.is_absolute()", "file.as_posix().endswith('folder/a.tar.gz')"),
    *("base / 'folder' / 'sub'", "base.joinpath('folder', 'sub')", "base.joinpath('folder/sub')"),
    *("(base / 'folder' / '..' / 'top.txt').read_bytes()", "base.joinpath()"),
    *("file == base / 'folder/a.tar.gz'", "hash(file) == hash(base / 'folder/a.tar.gz')", "file == folder"),
    *("sorted(folder.iterdir())[0] == folder / '.hidden'", "file < missing", "file >= missing"),
]
OF_FILES = [
    *("file.exists()", "missing.exists()", "folder.exists()", "file.is_file()", "folder.is_file()"),
    *("file.is_dir()", "folder.is_dir()", "file.is_symlink()", "missing.is_dir()", "missing.is_file()"),
    *("folder.iterdir()", "file.stat().st_size", "file.stat().st_mode >> 12", "folder.stat().st_mode >> 12"),
    *("missing.stat()", "file.lstat().st_size", "file.samefile(file)", "file.samefile(folder / 'B.txt')"),
    *("read()", "read('rb')", "read('r', encoding='utf-8', newline='')", "read(encoding='ascii', errors='strict')"),
    *("read('rb', buffering=0)", "read('rb', buffering=-1)", "file.read_bytes()", "file.read_text()"),
    *("(base / 'top.txt').read_text('utf-8')", "(base / 'top.txt').read_text('ascii', 'replace')"),
    *("missing.read_bytes()", "missing.read_text()", "missing.open()", "missing.iterdir().__next__()"),
    *("file.is_mount()", "file.is_fifo()", "file.resolve().name", "file.absolute() == file", "file.unknown"),
    "missing.resolve(strict=True)",
]
OF_GLOBS = [
    *(f"base.glob({pattern!r})" for pattern in ("*", "*.txt", "**", "**/", "**/*", "**/*.gz", "folder/*", "*/sub")),
    *(f"base.glob({pattern!r})" for pattern in ("folder/[aB]*", "folder/?.txt", "none/*", "top.txt/*", "f*/", "t*/")),
    *(f"base.glob({pattern!r})" for pattern in ("", "/x", "**/sub/**/*.txt", "folder/sub", "**/none", "*/**/d.gz")),
    *(f"base.rglob({pattern!r})" for pattern in ("*.gz", "*", "sub/*", "d.gz", "sub")),
]
FROM_3_12 = [
    "sorted(f'{shown(path)} {sorted(folders)} {sorted(files)}' for path, folders, files in base.walk())",
    "[path for path, folders, files in folder.walk(top_down=False)][-1]",
    "list(missing.walk())",
    "base.glob('folder/b.txt', case_sensitive=False)",
    "base.glob('FOLDER/*', case_sensitive=True)",
]


def probe(name: str, expressions: Sequence[str]) -> str:
    return f"EXPRESSIONS = {json.dumps(expressions)}\nNAME = {name!r}\n{PROBE}"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("interface"), TREE, PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1")


@in_each_and_mounted
@pytest.mark.parametrize("expressions", [OF_NAMES, OF_FILES, OF_GLOBS], ids=["names", "files", "globs"])
def test_all_is_as_in_a_directory(places: Places, kind: str, expressions: list[str]) -> None:
    observed = places.as_in_directory(kind, probe("res", expressions))
    assert "AttributeError" not in [observed[name] for name in expressions if name != "file.unknown"]


@in_each_and_mounted
def test_what_younger_pythons_have_is_there_on_all(places: Places, kind: str) -> None:
    observed = places.observe(kind, probe("res", FROM_3_12))
    module = "__init__.pyc" if kind == "bundle without source" else "__init__.py"
    assert observed[FROM_3_12[0]] == [
        repr(f"<base>/. ['folder'] {[module, 'top.txt']}"),
        repr("<base>/folder ['sub'] ['.hidden', 'B.txt', 'a.tar.gz']"),
        repr("<base>/folder/sub ['deep'] ['c.txt']"),
        repr("<base>/folder/sub/deep [] ['d.gz']"),
    ]
    assert [observed[name] for name in FROM_3_12[1:]] == ["<base>/folder", [], ["<base>/folder/B.txt"], []]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_a_namespace_package_over_all_kinds_is_as_one_directory(order: Sequence[str], tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory", PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1")
    together = lay_out(DIRECTORY, tmp_path / "one", {f"ns/{name}": text for name, text in FILES.items()})
    # The parent of a file is the directory of its portion, not the union.
    expressions = [
        each for each in (*OF_NAMES, *OF_FILES, *OF_GLOBS) if "== folder" not in each and "with_" not in each
    ]
    parts = [lay_out(kind, tmp_path / str(number), PORTIONS[number]) for number, kind in enumerate(order)]
    expected = laboratory.observe([together], probe(str(together / "ns"), expressions))
    assert laboratory.observe(parts, probe("ns", expressions)) == expected
