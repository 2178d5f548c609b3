"""Row `first-import`: what the first import from a bundle costs more than one from elsewhere, whatever is imported.

One small module, in a fresh interpreter with the hook installed: loading the runtime, opening the bundle, finding and
executing.  In the process, from before the path entry is there to after the import; and whole processes, with the path
entry on PYTHONPATH.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, difference
from .imports import importing
from .measure import Process, interleave

if TYPE_CHECKING:
    from pathlib import Path

    from .figures import Figure

_LIMIT = 2.0
_PACKAGE = "p000"


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.synthetic_tree(folder / "tree", 1, 0, 1)
    trees.compile_tree(tree)
    entries = {
        "bundle": trees.bundle(tree, folder / "one.pybundle"),
        "directory": tree,
        "zipimport": trees.zip_file(tree, folder / "one.zip"),
    }
    cache = folder / "cache"
    inside = partial(importing, python, cache, "entry", tree=tree, modules=[_PACKAGE])
    whole = partial(Process, python, "-P", "-c", f"import {_PACKAGE}", BUNDLEIMP_CACHE_DIR=str(cache))
    figures: list[Figure] = []
    for where, costs in {
        "in the process": interleave({name: inside(entry) for name, entry in entries.items()}, pairs),
        "whole process": interleave({name: whole(PYTHONPATH=str(entry)) for name, entry in entries.items()}, pairs),
    }.items():
        figures += [
            difference(f"{where}: bundle - directory", costs["bundle"], costs["directory"], _LIMIT),
            difference(f"{where}: peer: zipimport - directory", costs["zipimport"], costs["directory"]),
        ]
    return Outcome(figures)


ROW = Row("first-import", 100, _run, "first import of a process, one small module")
