"""Row `pack`: about 4,000 modules from a directory into a file, and the same wheels into a program of each kind.

What has to be beaten is what the standard library does: bytecode by ``compileall`` on all processors, then `zipfile`.
All are whole processes, with all the processes that they start.  Wall time decides here, and CPU time stands beside:
the work is the same, and to share it among the processors is what is wanted.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import peers, trees
from .figures import Cost, Count, Outcome, Row, ratio
from .measure import PROBES, Process, environment, interleave, prepare, run_probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .figures import Figure
    from .measure import Variant

_PACKAGES = (
    *("_pytest", "coverage", "django", "hypothesis", "jinja2", "markdown_it", "mpmath", "networkx", "pygments"),
    *("requests", "rich", "sqlalchemy", "sympy", "urllib3"),
    *("asyncio", "concurrent", "ctypes", "email", "encodings", "http", "idlelib", "importlib", "json", "logging"),
    *("multiprocessing", "sqlite3", "unittest", "wsgiref", "xml"),
)
_SMALL = ("sympy", "rich", "requests")
_REQUIREMENTS = ("django", "networkx", "pygments", "sqlalchemy", "sympy")
_PROGRAM = "django-admin"


def _pack(*arguments: str | Path) -> Process:
    return Process(sys.executable, "-m", "bundleimp", "pack", "--quiet", *arguments)


def _standard_library(tree: Path, output: Path) -> Variant:
    """Return what compiles a fresh copy of *tree*, and writes it as a zip."""
    copy = tree.with_name("copy")
    compiling = Process(sys.executable, "-m", "compileall", "-q", "-j0", copy)
    zipping = Process(sys.executable, PROBES / "zipping.py", copy, output)

    def variant(number: int) -> Cost:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(tree, copy)
        costs = [step(number) for step in (compiling, zipping)]
        return Cost(sum(cost.cpu for cost in costs), sum(cost.wall for cost in costs))

    return variant


def _modules(tree: Path) -> int:
    return sum(1 for _ in tree.rglob("*.py"))


def _against_the_standard_library(folder: Path, tree: Path, pairs: int) -> list[Figure | Count]:
    bundle, archive = folder / "out.pybundle", folder / "out.zip"
    costs = interleave({"bundle": _pack(tree, bundle), "zip": _standard_library(tree, archive)}, pairs)
    name = f"{_modules(tree):,} modules, pack / compileall -j0 and zipfile"
    size = os.path.getsize(bundle) - os.path.getsize(archive)
    return [
        replace(ratio(name, costs["bundle"], costs["zip"], 0.9), by_wall=True),
        Count("size in bytes, bundle - zip", [size], 0),
    ]


def _memory(folder: Path, tree: Path) -> list[Count]:
    """Return what memory it takes to pack about a thousand, four thousand and sixteen thousand modules."""
    small = trees.copy_packages(_SMALL, folder / "small", compiled=False)
    for copy in "abcd":
        shutil.copytree(tree, folder / "large" / copy)
    sources = (small, tree, folder / "large")
    output = folder / "out.pybundle"
    interpreter = Path(sys.executable)
    peaks = [run_probe(interpreter, "packing.py", [str(source), str(output)], environment()) for source in sources]
    modules = [_modules(source) for source in sources]
    sizes = " / ".join(f"{number:,}" for number in modules)
    growth = 1e3 * (peaks[-1]["own"] - peaks[0]["own"]) / (modules[-1] - modules[0])
    return [
        Count(f"peak memory in MB, {sizes} modules", [round(peak["own"]) for peak in peaks]),
        Count("peak memory in MB of each process that compiles", [round(peak["compiler"]) for peak in peaks]),
        Count("growth of the first in kB for each module more", [round(growth, 1)], 0),
    ]


def _program_makers(folder: Path) -> dict[str, Variant]:
    """Prepare what makes programs of the same downloaded wheels; an installer's run is in all of them.

    What pex and shiv make has no bytecode of what is in the wheels, not even after ``pex --compile``: they are compared
    with a bundle that has none.  Pex keeps what it installed of a wheel: once it begins without, and then with that.

    Raises:
        RunError: the peers or the wheels cannot be had.

    """
    tools, wheels = peers.environment_with_pip(folder / "tools"), folder / "wheels"
    peers.install(tools)
    prepare("downloading", tools / "pip", "download", "--quiet", "--dest", wheels, *_REQUIREMENTS)
    offline = ("--no-index", "--find-links", wheels)
    pack = (*(word for name in _REQUIREMENTS for word in ("--with", name)), "--standalone", "-e", _PROGRAM)
    fresh, known, copy = folder / "pex-fresh", folder / "pex", folder / "pex-copy"
    pex = (tools / "pex", *offline, "-o", folder / "out.pex", "--pex-root")
    # So that it has itself in its folder, and none of the large wheels.
    prepare("pex", *pex, fresh, "asgiref")
    program = (*_REQUIREMENTS, "-c", _PROGRAM)
    from_fresh = Process(*pex, copy, *program)

    def first(number: int) -> Cost:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(fresh, copy, symlinks=True)
        return from_fresh(number)

    return {
        "bundle": _pack(*pack, "--no-bytecode", folder / "bare.pybundle", "--", *offline),
        "complete": _pack(*pack, folder / "complete.pybundle", "--", *offline),
        "pex": first,
        "pex again": Process(*pex, known, *program),
        "shiv": Process(tools / "shiv", "-o", folder / "out.pyz", *program[-2:], *offline, *_REQUIREMENTS),
    }


def _against_program_makers(variants: Mapping[str, Variant], pairs: int) -> list[Figure]:
    costs = interleave(variants, pairs)
    ours, name = costs["bundle"], "wheels to a program, no bytecode, bundle"
    figures = [
        ratio(f"{name} / shiv", ours, costs["shiv"], 1.0),
        ratio(f"{name} / pex", ours, costs["pex"], 1.0),
        ratio(f"{name} / pex that has installed them before", ours, costs["pex again"]),
        ratio(f"{name} with it / without", costs["complete"], ours),
    ]
    return [replace(figure, by_wall=True) for figure in figures]


def _measure(folder: Path, pairs: int) -> Outcome:
    tree = trees.copy_packages(_PACKAGES, folder / "tree", compiled=False)
    figures = [*_against_the_standard_library(folder, tree, pairs), *_memory(folder, tree)]
    notes = [
        "wall time decides: the work is to be shared among the processors",
        "the bundle is on the disk when pack ends (fsync); no peer waits for that",
    ]
    makers: dict[str, Variant] = {}
    with peers.noted(notes, "without pex and shiv"):
        makers = _program_makers(folder)
    if makers:
        figures += _against_program_makers(makers, pairs)
        wheels = f"{', '.join(_REQUIREMENTS)} and what they need"
        notes.append(f"wheels: {wheels}, downloaded before; each peer runs pip on them")
    return Outcome(figures, notes)


ROW = Row("pack", 5, _measure, "packing modules and wheels")
