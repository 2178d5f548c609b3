"""Row `startup`: what every start of an interpreter pays, whole processes that do nothing (``python -c pass``).

With a bundle of 9,000 members on PYTHONPATH over without one; the same for a plain zip, which CPython reads in Python
before any hook exists; and with bundleimp installed over an environment without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, difference, ratio
from .measure import Process, interleave

if TYPE_CHECKING:
    from pathlib import Path

_PACKAGES, _SUBPACKAGES, _MODULES = 30, 2, 100


def _start(python: Path, **variables: str) -> Process:
    return Process(python, "-P", "-c", "pass", **variables)


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "with", hook=True)
    bare = trees.interpreter(folder / "without", hook=False)
    tree = trees.synthetic_tree(folder / "tree", _PACKAGES, _SUBPACKAGES, _MODULES)
    big = trees.bundle(tree, folder / "big.pybundle")
    plain = trees.zip_file(tree, folder / "big.zip")
    costs = interleave(
        {
            "bundle": _start(python, PYTHONPATH=str(big)),
            "hook": _start(python),
            "nothing": _start(bare),
            "zip": _start(bare, PYTHONPATH=str(plain)),
        },
        pairs,
    )
    return Outcome(
        [
            difference("9,000 members on the path - none", costs["bundle"], costs["hook"], 1.5),
            ratio("9,000 members on the path / none", costs["bundle"], costs["hook"]),
            difference("hook installed - not", costs["hook"], costs["nothing"], 0.3),
            ratio("hook installed / not", costs["hook"], costs["nothing"]),
            difference("peer: zip of 9,000 members - none", costs["zip"], costs["nothing"]),
        ]
    )


ROW = Row("startup", 200, _run, "start of Python, `python -c pass`")
