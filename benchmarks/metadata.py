"""Row `metadata`: the first ``importlib.metadata.version(name)`` or ``entry_points(group=name)`` of a process.

The same tree with 200 distributions as directory, bundle and zip, in a program that has imported one module from it;
all that the call itself loads counts.  Below that, the same in a program that has not: for a bundle, loading the
runtime counts there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, ratio
from .measure import Probe, RunError, interleave

if TYPE_CHECKING:
    from pathlib import Path

_DISTRIBUTIONS = 200
_QUESTIONS = {"version": "Project-100", "entry_points": "plugins"}
_LIMITS = {"used": 1.0, "fresh": None}


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.distributions(folder / "tree", _DISTRIBUTIONS)
    trees.compile_tree(tree)
    entries = {
        "bundle": trees.bundle(tree, folder / "tree.pybundle"),
        "directory": tree,
        "zip": trees.zip_file(tree, folder / "tree.zip"),
    }
    figures, cache = [], folder / "cache"
    for state, limit in _LIMITS.items():
        for question, about in _QUESTIONS.items():
            arguments = (state, question, about)
            variants = {name: Probe(python, cache, "metadata.py", entry, *arguments) for name, entry in entries.items()}
            costs = interleave(variants, pairs)
            answers = {report["answer"] for variant in variants.values() for report in variant.reports}
            if len(answers) != 1:
                message = f"the path entries gave different answers: {answers}"
                raise RunError(message)
            name = f"{question}, {state} path entry: "
            figures += [
                ratio(f"{name}bundle / directory", costs["bundle"], costs["directory"], limit),
                ratio(f"{name}peer: zip / directory", costs["zip"], costs["directory"]),
            ]
    return Outcome(figures)


ROW = Row("metadata", 40, _run, "first question about the metadata of 200 distributions")
