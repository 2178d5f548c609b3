"""Row `application-import`: the modules of row `import` as an application, which owns its process.

Whole processes: a function is imported with all of them, and returns.  An executable with the runtime in it and
`bundleimp run` may relax the cyclic collector until then, and leave what was imported out of its sight; a directory
stands beside as it is, and with a main script that does the same to the collector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bundleimp

from . import trees
from .figures import Outcome, Row, ratio
from .imports import MODULES, PACKAGES
from .measure import Process, interleave

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = "application-import"
_PROGRAM = "".join(f"import {name}\n" for name in MODULES) + "\ndef main():\n    return 0\n"
_PLAIN = "import sys, sample; sys.exit(sample.main())"
_RELAXED = (
    "import gc, sys; usual = gc.get_threshold(); gc.set_threshold(500_000, *usual[1:]); import sample;"
    " gc.set_threshold(*usual); gc.freeze(); sys.exit(sample.main())"
)


def _ways(folder: Path) -> Mapping[str, Process]:
    bare = trees.interpreter(folder / "bare", hook=False)
    hooked = trees.interpreter(folder / "hooked", hook=True)
    tree = trees.copy_packages(PACKAGES, folder / "tree")
    (tree / "sample.py").write_text(_PROGRAM, "utf-8")
    trees.compile_tree(tree / "sample.py")
    program, standalone = folder / "program.pybundle", folder / "standalone.pybundle"
    bundleimp.pack([tree], program, entry_point="sample:main")
    bundleimp.pack([tree], standalone, entry_point="sample:main", standalone=True)
    cached = {"BUNDLEIMP_CACHE_DIR": str(folder / "cache")}
    on_path = cached | {"PYTHONPATH": str(tree)}
    return {
        "directory": Process(bare, "-c", _PLAIN, **on_path),
        "relaxed directory": Process(bare, "-c", _RELAXED, **on_path),
        "executable": Process(bare, standalone, **cached),
        "run": Process(hooked, "-m", "bundleimp", "run", program, **cached),
        "usual": Process(bare, standalone, BUNDLEIMP_RELAX_GC="0", **cached),
    }


def _run(folder: Path, pairs: int) -> Outcome:
    costs = interleave(_ways(folder), pairs)
    directory, relaxed = costs["directory"], costs["relaxed directory"]
    return Outcome(
        [
            ratio("executable / directory", costs["executable"], directory, 0.78),
            ratio("bundleimp run / directory", costs["run"], directory, 0.78),
            ratio("executable / directory with the collector relaxed", costs["executable"], relaxed),
            ratio("executable with BUNDLEIMP_RELAX_GC=0 / directory", costs["usual"], directory),
            ratio("directory with the collector relaxed / directory", relaxed, directory),
        ]
    )


ROW = Row(_NAME, 20, _run, "import of about 1,300 modules as an application")
