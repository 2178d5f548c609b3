"""Row `mounted`: the modules of row `import` from a bundle in memory and from a dict, over the same bundle in a file.

The bytes, and the dict with all files of the tree, are there before the clock starts.  Mounting counts.  A dict has no
embedded bytecode, so it is in the cache from the round before.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, ratio
from .imports import PACKAGES, count_imported, importing
from .measure import interleave

if TYPE_CHECKING:
    from pathlib import Path


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.copy_packages(PACKAGES, folder / "tree")
    bundle = trees.bundle(tree, folder / "packages.pybundle")
    variant = partial(importing, python, folder / "cache", tree=tree)
    variants = {
        "bundle": variant("entry", bundle),
        "memory": variant("memory", bundle),
        "dict": variant("dict", tree),
        "directory": variant("entry", tree),
    }
    costs = interleave(variants, pairs)
    count = count_imported(variants)
    figures = [
        ratio("bundle in memory / in a file", costs["memory"], costs["bundle"], 1.05),
        ratio("dict / bundle in a file", costs["dict"], costs["bundle"], 1.3),
        ratio("dict / directory", costs["dict"], costs["directory"]),
    ]
    return Outcome(figures, [f"every variant imported the same {count} modules"])


ROW = Row("mounted", 20, _run, "import of about 1,300 modules from memory and from a dict")
