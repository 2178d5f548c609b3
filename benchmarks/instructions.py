"""Row `instructions`: machine instructions executed per imported module, which no load on the machine disturbs.

Outside the kernel only: what a system call costs is not in them, so they flatter a directory, which makes twelve per
module.  Counted by ``perf stat`` where the processor's counter can be read, else by valgrind, which runs the process
in a simulated processor.  The hash seed is fixed; what is left of chance is the address space.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Count, Outcome, Row
from .measure import PROBES, RunError, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Counter = Callable[[Sequence[str], Mapping[str, str]], int]

_SIZES = (10, 1000)
_PACKAGES, _MODULES = 20, 50
_PERF = ("stat", "-x", ",", "-e", "instructions:u")
_VALGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_PERF_COUNT = re.compile(r"^(\d+),.*instructions", re.MULTILINE)
_VALGRIND_COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")


def _count(counting: Sequence[str], pattern: re.Pattern[str], command: Sequence[str], env: Mapping[str, str]) -> int:
    result = subprocess.run([*counting, *command], env=dict(env), capture_output=True, text=True, check=False)
    found = pattern.search(result.stderr)
    if result.returncode or found is None:
        message = f"{' '.join(counting)}: exit status {result.returncode}\n{result.stderr}"
        raise RunError(message)
    return int(found[1].replace(",", ""))


def _counter(python: Path) -> tuple[Counter, str] | None:
    """Return what counts here and its name: the first that gives a number for an interpreter that does nothing."""
    for name, options, pattern in (("perf", _PERF, _PERF_COUNT), ("valgrind", _VALGRIND, _VALGRIND_COUNT)):
        program = shutil.which(name)
        if program is not None:
            counter = partial(_count, [program, *options], pattern)
            try:
                counter([str(python), "-c", "pass"], environment())
            except RunError:
                continue
            return counter, name
    return None


def _per_module(counter: Counter, python: Path, arguments: Sequence[str], names: Sequence[str], cache: Path) -> int:
    variables = environment(PYTHONHASHSEED="0", BUNDLEIMP_CACHE_DIR=str(cache))
    command = [str(python), "-P", str(PROBES / "imports.py"), *arguments]
    few, many = (counter([*command, *names[:size]], variables) for size in _SIZES)
    return round((many - few) / (_SIZES[1] - _SIZES[0]))


def _run(folder: Path, _pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    counting = _counter(python)
    if counting is None:
        return Outcome([], ["not measured: neither perf nor valgrind counts instructions here"])
    counter, name = counting
    tree = trees.synthetic_tree(folder / "tree", _PACKAGES, 0, _MODULES)
    trees.compile_tree(tree)
    names = sorted(module.name for module in trees.compiled_modules(tree))
    ways = {
        "bundle": ("entry", trees.bundle(tree, folder / "modules.pybundle")),
        "peer: directory": ("entry", tree),
        "peer: zipimport": ("entry", trees.zip_file(tree, folder / "modules.zip")),
        "floor": ("floor", trees.code_file(tree, folder / "codes")),
    }
    figures = [
        Count(
            f"{way}: per further module",
            [_per_module(counter, python, [kind, str(entry), str(tree)], names, folder / "cache")],
        )
        for way, (kind, entry) in ways.items()
    ]
    return Outcome(figures, [f"counted by {name}, from {_SIZES[0]} to {_SIZES[1]:,} modules of one function each"])


ROW = Row("instructions", 1, _run, "machine instructions executed while importing")
