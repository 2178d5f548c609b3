"""Row `memory`: the most memory that a process had at any time, after the imports of row `import`.

What counts is resident: what is mapped and was never touched costs nothing, for any of them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, proportion
from .imports import PACKAGES, Variant, count_imported
from .measure import interleave

if TYPE_CHECKING:
    from pathlib import Path


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.copy_packages(PACKAGES, folder / "tree")
    variant = partial(Variant, python, folder / "cache", "entry", tree=tree)
    variants = {
        "bundle": variant(trees.bundle(tree, folder / "packages.pybundle")),
        "directory": variant(tree),
        "zipimport": variant(trees.zip_file(tree, folder / "packages.zip")),
    }
    interleave(variants, pairs)
    number = count_imported(variants)
    # Without the round that warms up.
    peaks = {name: each.peaks[1:] for name, each in variants.items()}
    return Outcome(
        [
            proportion("bundle / directory", peaks["bundle"], peaks["directory"], 1.02),
            proportion("peer: zipimport / directory", peaks["zipimport"], peaks["directory"]),
        ],
        [f"every variant imported the same {number} modules"],
    )


ROW = Row("memory", 10, _run, "peak memory after these")
