"""Row `instructions`: machine instructions executed, which no load on the machine disturbs.

Three costs, each beside its peers: that of the installed hook at a start without a bundle, that of the first import of
a process, and that of each further module.  The first two are differences between whole processes.

Only instructions outside the kernel count.  The cost of a system call is not in them, so they flatter a directory,
which makes twelve per module.  They are counted by ``perf stat`` where the processor's counter can be read, else by
valgrind, which runs the process in a simulated processor.  The hash seed is fixed, and each process has run twice
before it is counted.  Only the address space is left to chance.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Count, Outcome, Row
from .measure import PROBES, RunError, environment, whole_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Counter = Callable[[Sequence[str], Mapping[str, str]], int]

_SIZES = (10, 1000)
_PACKAGES, _MODULES = 20, 50
_MODULE = "p000"
_WARM_RUNS = 2
_MAY_DIFFER = 0.01
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


def counting_tool(python: Path) -> tuple[Counter, str] | None:
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


class Instructions:
    """Counts the instructions of processes; remembers by how much two counts of the same process differed at most."""

    def __init__(self, counter: Counter, cache: Path) -> None:
        self._counter = counter
        self._variables = {"PYTHONHASHSEED": "0", "BUNDLEIMP_CACHE_DIR": str(cache)}
        self.difference = 0.0

    def once(self, *command: str | Path, **variables: str) -> int:
        """Return the count of a process, for one that is long enough to be counted once.

        Raises:
            RunError: it failed.

        """
        arguments, env = list(map(str, command)), environment(**self._variables, **variables)
        for _ in range(_WARM_RUNS):
            whole_process(arguments, env)  # it writes missing bytecode of the standard library
        return self._counter(arguments, env)

    def twice(self, *command: str | Path, **variables: str) -> int:
        """Return the lower of two counts of a process.

        Raises:
            RunError: it failed, or the counts differ by 1 % or more.

        """
        lower, higher = sorted(self.once(*command, **variables) for _ in range(2))
        difference = higher / lower - 1
        if difference >= _MAY_DIFFER:
            shown = " ".join(map(str, command))
            message = f"{shown}: two counts differ too much, {lower:,} and {higher:,} instructions; run the row again"
            raise RunError(message)
        self.difference = max(self.difference, difference)
        return lower


def _start(instructions: Instructions, hook: Path, folder: Path) -> list[Count]:
    # Folder names of one length: a longer path takes more instructions.
    none = trees.interpreter(folder / "none", hook=False)
    line = trees.interpreter(folder / "line", hook=False)
    trees.add_start_module(folder / "line")
    with_hook, without, with_line = (instructions.twice(python, "-P", "-c", "pass") for python in (hook, none, line))
    return [
        Count("hook installed, no bundle: with - without bundleimp", [with_hook - without], limit=1_000_000),
        Count("peer: .pth file that imports an empty module: with - without", [with_line - without]),
        Count("peer: start of Python without bundleimp", [without]),
    ]


def _first(instructions: Instructions, python: Path, folder: Path) -> list[Count]:
    tree = trees.synthetic_tree(folder / "one", 1, 0, 1)
    trees.compile_tree(tree)
    bundle, directory, zipped = (
        instructions.twice(python, "-P", "-c", f"import {_MODULE}", PYTHONPATH=str(entry))
        for entry in (trees.bundle(tree, folder / "one.pybundle"), tree, trees.zip_file(tree, folder / "one.zip"))
    )
    return [
        Count("first import, one small module: bundle - directory", [bundle - directory], limit=6_000_000),
        Count("peer: first import, one small module: zipimport - directory", [zipped - directory]),
    ]


def _further(instructions: Instructions, python: Path, folder: Path) -> list[Count]:
    tree = trees.synthetic_tree(folder / "tree", _PACKAGES, 0, _MODULES)
    trees.compile_tree(tree)
    names = sorted(module.name for module in trees.compiled_modules(tree))
    ways = {
        "bundle": ("entry", trees.bundle(tree, folder / "modules.pybundle")),
        "peer: directory": ("entry", tree),
        "peer: zipimport": ("entry", trees.zip_file(tree, folder / "modules.zip")),
        "floor": ("floor", trees.code_file(tree, folder / "codes")),
    }
    figures = []
    for way, (kind, entry) in ways.items():
        command: list[str | Path] = [python, "-P", PROBES / "imports.py", kind, entry, tree]
        few, many = (instructions.once(*command, *names[:size]) for size in _SIZES)
        each = round((many - few) / (_SIZES[1] - _SIZES[0]))
        figures.append(Count(f"{way}: per further module", [each], limit=170_000 if way == "bundle" else None))
    return figures


def _run(folder: Path, _pairs: int) -> Outcome:
    python = trees.interpreter(folder / "hook", hook=True)
    counting = counting_tool(python)
    if counting is None:
        return Outcome([], ["not measured: neither perf nor valgrind counts instructions here"])
    counter, name = counting
    instructions = Instructions(counter, folder / "cache")
    figures = [
        *_start(instructions, python, folder),
        *_first(instructions, python, folder),
        *_further(instructions, python, folder),
    ]
    return Outcome(
        figures,
        [
            f"counted by {name}; further modules: from {_SIZES[0]} to {_SIZES[1]:,} of one function each",
            f"start and first import: two counts of a whole process differ by at most {instructions.difference:.3%}",
        ],
    )


ROW = Row("instructions", 1, _run, "machine instructions executed")
