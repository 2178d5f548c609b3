"""Row `opened-files`: system calls on the bundle while N modules are imported from it, counted with strace (Linux).

The path entry is put on ``sys.path`` by the program, so that only what the import system asks of it is counted.  (Of
one on PYTHONPATH CPython's own `zipimport` reads the directory first, before any hook exists.)  The modules are spread
over packages of 50.
"""

from __future__ import annotations

import collections
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from . import trees
from .figures import Count, Outcome, Row
from .measure import PROBES, RunError, environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SIZES = (10, 100, 1000)
_PACKAGES, _MODULES = 20, 50
_CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")
_OPENING = {"open", "openat"}
_METADATA = {"stat", "lstat", "fstat", "newfstatat", "statx", "lseek", "access", "faccessat", "faccessat2"}
_READING = {"read", "pread64"}


class _Calls:
    """How often each system call was made on a path or on descriptors of it."""

    def __init__(self, trace: str, entry: Path) -> None:
        self._counts: collections.Counter[str] = collections.Counter()
        for line in trace.splitlines():
            call = _CALL.match(line)
            # With -y, strace shows the path of a descriptor; the program's own arguments do not count.
            if call is not None and call[1] != "execve" and str(entry) in line:
                self._counts[call[1]] += 1

    def of(self, kinds: set[str]) -> int:
        return sum(count for name, count in self._counts.items() if name in kinds)

    @property
    def all(self) -> int:
        return self._counts.total()


def _trace(strace: str, python: Path, entry: Path, modules: Sequence[str]) -> _Calls:
    output = entry.with_name("trace")
    tracer = [strace, "-f", "-y", "-qq", "-e", "trace=%file,%desc", "-o", str(output)]
    command = [*tracer, str(python), "-P", str(PROBES / "opening.py"), str(entry), *modules]
    variables = environment(BUNDLEIMP_CACHE_DIR=str(entry.with_name("cache")))
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"strace: exit status {result.returncode}\n{result.stderr}"
        raise RunError(message)
    calls = _Calls(output.read_text(errors="replace"), entry)
    if calls.of(_READING) < len(modules):
        message = f"{entry.name}: {len(modules)} modules and {calls.of(_READING)} reads: some came from elsewhere"
        raise RunError(message)
    return calls


def _figures(name: str, calls: Sequence[_Calls], *, limited: bool) -> list[Count]:
    def limit(value: float) -> float | None:
        return value if limited else None

    def per_module(values: Sequence[int]) -> list[float]:
        return [(values[-1] - values[0]) / (_SIZES[-1] - _SIZES[0])]

    sizes = " / ".join(f"{size:,}" for size in _SIZES)
    opened = [each.of(_OPENING) for each in calls]
    metadata = [each.of(_METADATA) for each in calls]
    reads = [each.of(_READING) for each in calls]
    everything = [each.all for each in calls]
    return [
        Count(f"{name}: opened, N = {sizes}", opened, limit(1), constant=True),
        Count(f"{name}: metadata calls, N = {sizes}", metadata, limit(3), constant=True),
        Count(f"{name}: reads, N = {sizes}", reads),
        Count(f"{name}: reads per further module", per_module(reads), limit(1.05)),
        Count(f"{name}: calls of any kind per further module", per_module(everything), limit(1.05)),
    ]


def _run(folder: Path, _pairs: int) -> Outcome:
    strace = shutil.which("strace")
    if strace is None:
        return Outcome([], ["not measured: strace is not installed"])
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.synthetic_tree(folder / "tree", _PACKAGES, 0, _MODULES)
    trees.compile_tree(tree)
    names = sorted(module.name for module in trees.compiled_modules(tree))
    entries = {
        "bundle": trees.bundle(tree, folder / "modules.pybundle"),
        "peer: directory": tree,
        "peer: zipimport": trees.zip_file(tree, folder / "modules.zip"),
    }
    figures: list[Count] = []
    for name, entry in entries.items():
        calls = [_trace(strace, python, entry, names[:size]) for size in _SIZES]
        figures += _figures(name, calls, limited=name == "bundle")
    return Outcome(
        figures, ["per further module: from the first N to the last; a package's block of the index is a read too"]
    )


ROW = Row("opened-files", 1, _run, "system calls on the path entry")
