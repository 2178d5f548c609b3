"""Row `cold`: the imports of row `import` where nothing of what is imported is in the page cache.

Before each run the cache drops the files of the variant, and is asked whether it did; what it knows of the interpreter,
the standard library and bundleimp stays.  So do names and inodes, which spares the directory most of what it costs on a
machine that was just started.  Wall time counts here: a program that waits for a disk takes no CPU time.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import bundleimp

from . import trees
from .figures import Outcome, Row, ratio
from .imports import MODULES, PACKAGES, count_imported, importing
from .measure import RunError, interleave

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .figures import Cost, Figure
    from .measure import Variant

_BLOCK = 512  # what getrusage counts in
_TRIES = 5
_TOOL = "fincore"  # of util-linux
# Of a few files, the kernel keeps some pages that are on their way through its lists.
_MAY_STAY = 0.01


class _ColdVariant:
    """A way to import whose files are dropped from the page cache before each run."""

    def __init__(self, warm: Variant, entry: Path) -> None:
        self._warm = warm
        self._entry = entry
        self.read: list[int] = []

    def __call__(self, number: int) -> Cost:
        _drop(self._entry)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock
        cost = self._warm(number)
        self.read.append((resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock - before) * _BLOCK)
        return cost


def _files(entry: Path) -> Iterator[Path]:
    if entry.is_file():
        yield entry
    else:
        yield from (path for path in entry.rglob("*") if path.is_file() and path.stat().st_size)


def _drop(entry: Path) -> None:
    """Drop the files at and below *entry* from the page cache.

    Raises:
        RunError: it keeps them.

    """
    files = list(_files(entry))
    for _ in range(_TRIES):
        for path in files:
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)  # what is not written yet cannot be dropped
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
        kept = _kept(files)
        if kept <= _MAY_STAY * len(files):
            return
    message = f"the page cache keeps {kept} of {len(files)} files: {_storage(entry)}; set TMPDIR to a folder on a disk"
    raise RunError(message)


def _kept(files: Sequence[Path]) -> int:
    """Return of how many *files* the page cache holds something; to try to read them would bring it there."""
    command = [_TOOL, "--bytes", "--noheadings", "--output", "PAGES", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return sum(line.strip() != "0" for line in result.stdout.splitlines())


def _storage(path: Path) -> str:
    """Return on what *path* is stored, as the kernel calls it."""
    with open("/proc/self/mounts", encoding="utf-8") as stream:
        mounts = [line.split()[:3] for line in stream]
    within = [mount for mount in mounts if path.is_relative_to(mount[1])]
    device, _, kind = max(within, key=lambda mount: len(mount[1]))
    return f"{kind} on {device}"


def _figures(costs: dict[str, list[Cost]]) -> Iterator[Figure]:
    def over(name: str, ours: str, theirs: str, limit: float | None = None) -> Figure:
        return replace(ratio(name, costs[ours], costs[theirs], limit), by_wall=True)

    yield over("bundle with --profile / directory", "profile", "directory", 0.8)
    yield over("bundle / directory", "bundle", "directory")
    yield over("bundle with --profile / bundle", "profile", "bundle")
    yield over("zipimport / directory", "zipimport", "directory")


def _notes(read: Mapping[str, Sequence[int]], modules: int, folder: Path) -> list[str]:
    amounts = ", ".join(f"{name} {sorted(values)[len(values) // 2] / 1e6:.0f} MB" for name, values in read.items())
    return [
        f"every variant imported the same {modules} modules",
        f"{_storage(folder)}; read from it with what the kernel read ahead, median: {amounts}",
    ]


def _run(folder: Path, pairs: int) -> Outcome:
    if shutil.which(_TOOL) is None:
        return Outcome([], [f"not measured: {_TOOL}, which says what the page cache holds, is not installed"])
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.copy_packages(PACKAGES, folder / "tree")
    profiled = folder / "profiled.pybundle"
    bundleimp.pack([tree], profiled, profile=f"python -c {shlex.quote('import ' + ', '.join(MODULES))}")
    entries = {
        "profile": profiled,
        "bundle": trees.bundle(tree, folder / "packages.pybundle"),
        "directory": tree,
        "zipimport": trees.zip_file(tree, folder / "packages.zip"),
    }
    variant = partial(importing, python, folder / "cache", "entry", tree=tree)
    warm = {name: variant(entry) for name, entry in entries.items()}
    variants = {name: _ColdVariant(warm[name], entry) for name, entry in entries.items()}
    costs = interleave(variants, pairs)
    read = {name: variant.read for name, variant in variants.items()}
    return Outcome(list(_figures(costs)), _notes(read, count_imported(warm), folder))


ROW = Row("cold", 10, _run, "import of about 1,300 modules, cold page cache")
