"""Row `metadata`: the first ``importlib.metadata.version(name)`` or ``entry_points(group=name)`` of a process.

The same tree with 200 distributions as directory, bundle and zip, in a program that has imported one module from it;
all that the call itself loads counts.  Below that, the same in a program that has not: for a bundle, loading the
runtime counts there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, ratio
from .measure import RunError, cost_of, environment, interleave, probe

if TYPE_CHECKING:
    from pathlib import Path

    from .figures import Cost

_DISTRIBUTIONS = 200
_QUESTIONS = {"version": "Project-100", "entry_points": "plugins"}
_LIMITS = {"used": 1.0, "fresh": None}


class _Variant:
    """One path entry that is asked one question; it notes the answer."""

    def __init__(self, python: Path, entry: Path, state: str, question: str) -> None:
        self._python = python
        self._arguments = [str(entry), state, question, _QUESTIONS[question]]
        self._cache = entry.with_name("cache")
        self.answer = ""

    def __call__(self, number: int) -> Cost:
        variables = environment(PYTHONHASHSEED=str(number), BUNDLEIMP_CACHE_DIR=str(self._cache))
        report = probe(self._python, "metadata.py", self._arguments, variables)
        self.answer = report["answer"]
        return cost_of(report)


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.distributions(folder / "tree", _DISTRIBUTIONS)
    trees.compile_tree(tree)
    entries = {
        "bundle": trees.bundle(tree, folder / "tree.pybundle"),
        "directory": tree,
        "zip": trees.zip_file(tree, folder / "tree.zip"),
    }
    figures = []
    for state, limit in _LIMITS.items():
        for question in _QUESTIONS:
            variants = {name: _Variant(python, entry, state, question) for name, entry in entries.items()}
            costs = interleave(variants, pairs)
            answers = {variant.answer for variant in variants.values()}
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
