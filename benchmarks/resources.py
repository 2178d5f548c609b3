"""Row `resources`: ``importlib.resources.files(package).joinpath(name).read_bytes()``, for files of several sizes.

The same package of text files as directory; as bundle and as zip with members stored; and as both with members
deflated.  Warm: each file of a size was read once, and then all are read again and again.  First: one file, in a
program that has imported the package and `importlib.resources`; what a path entry loads for its first read counts.
The floor for deflated members is `zlib` alone: inflating bytes that are in memory, and their CRC-32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import trees
from .figures import Outcome, Row, ratio
from .measure import Probe, RunError, interleave

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .figures import Figure

_PACKAGE, _FILES = "texts", 20
_STORED_LIMIT, _DEFLATED_LIMIT = 1.0, 3.0


class _Size(NamedTuple):
    """Files of a size, and how often all of them are read."""

    size: int
    rounds: int


_FIRST = _Size(10_000, 0)
_WARM = (_Size(1_000, 100), _Size(10_000, 50), _Size(100_000, 20))


def _reading(python: Path, kind: str, entry: Path, rounds: int) -> Probe:
    """Return what reads the files of a path entry; no rounds: one file, not warm."""
    return Probe(python, entry.with_name("cache"), "resources.py", kind, entry, _PACKAGE, str(rounds), str(_FILES))


def _entries(folder: Path, size: int) -> dict[str, Path]:
    tree = trees.data_tree(folder / "tree", _PACKAGE, _FILES, size)
    return {
        "directory": tree,
        "stored": trees.bundle(tree, folder / "stored.pybundle", deflated=False),
        "deflated": trees.bundle(tree, folder / "deflated.pybundle"),
        "stored zip": trees.zip_file(tree, folder / "stored.zip"),
        "deflated zip": trees.zip_file(tree, folder / "deflated.zip", deflated=True),
    }


def _figures(work: str, python: Path, entries: Mapping[str, Path], size: _Size, pairs: int) -> list[Figure]:
    variants = {name: _reading(python, "entry", entry, size.rounds) for name, entry in entries.items()}
    if size.rounds:
        variants["floor"] = _reading(python, "floor", entries["directory"], size.rounds)
    costs = interleave(variants, pairs)
    if len({report["digest"] for variant in variants.values() for report in variant.reports}) != 1:
        message = f"{work}: the path entries gave different bytes"
        raise RunError(message)
    directory, deflated = costs["directory"], costs["deflated"]
    figures = [
        ratio(f"{work}, stored: bundle / directory", costs["stored"], directory, _STORED_LIMIT),
        ratio(f"{work}, deflated: bundle / directory", deflated, directory, _DEFLATED_LIMIT),
    ]
    if size.rounds:
        figures += [
            ratio(f"{work}, deflated: bundle / floor", deflated, costs["floor"]),
            ratio(f"{work}, deflated: floor / directory", costs["floor"], directory),
        ]
    return [
        *figures,
        ratio(f"peer: {work}, stored: zip / directory", costs["stored zip"], directory),
        ratio(f"peer: {work}, deflated: zip / directory", costs["deflated zip"], directory),
    ]


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    entries = {each.size: _entries(folder / str(each.size), each.size) for each in _WARM}
    figures = _figures("first read", python, entries[_FIRST.size], _FIRST, 2 * pairs)
    for each in _WARM:
        figures += _figures(f"{each.size // 1000} kB, warm", python, entries[each.size], each, pairs)
    largest = entries[_WARM[-1].size]
    part = largest["deflated"].stat().st_size / largest["stored"].stat().st_size
    return Outcome(figures, [f"deflated, the large files take {part:.0%}"])


ROW = Row("resources", 20, _run, "reading data files of a package")
