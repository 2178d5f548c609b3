"""Row `open`: opening an archive and importing one module from it, a large archive over one of 100 members.

The large ones have 250 top-level packages (25 for `zipimport`) with three subpackages each, and 100 modules in each
of them; the small one has one package of 100 modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, ratio
from .measure import Probe, interleave

if TYPE_CHECKING:
    from pathlib import Path

_MODULES = 100
_SUBPACKAGES = 3


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    small = trees.synthetic_tree(folder / "small", 1, 0, _MODULES)
    middle = trees.synthetic_tree(folder / "middle", 25, _SUBPACKAGES, _MODULES)
    large = trees.synthetic_tree(folder / "large", 250, _SUBPACKAGES, _MODULES)
    # Only what is imported: the zips' bytecode would be members of theirs.
    trees.compile_tree(*(tree / "p000" / name for tree in (small, middle) for name in ("__init__.py", "m050.py")))
    entries = {
        "bundle 100": trees.bundle(small, folder / "small.pybundle"),
        "bundle 100,000": trees.bundle(large, folder / "large.pybundle"),
        "zip 100": trees.zip_file(small, folder / "small.zip"),
        "zip 10,000": trees.zip_file(middle, folder / "middle.zip"),
    }
    cache = folder / "cache"
    costs = interleave(
        {name: Probe(python, cache, "opening.py", entry, "p000.m050") for name, entry in entries.items()}, pairs
    )
    return Outcome(
        [
            ratio("bundle: 100,000 members / 100", costs["bundle 100,000"], costs["bundle 100"], 1.3),
            ratio("peer: zipimport: 10,000 / 100", costs["zip 10,000"], costs["zip 100"]),
        ]
    )


ROW = Row("open", 100, _run, "opening an archive and importing one module")
