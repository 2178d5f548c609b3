"""Row `import`: about 1,300 modules of well-known packages, imported in a fresh interpreter, from one path entry.

The same files, without extension modules, as: bundle; directory with bytecode; zip as `zipimport` likes it best, the
same deflated, and one without bytecode (it compiles each time, and has fewer pairs); the floor, which unmarshals
and executes bytecode that is in memory already; and the floor of all that read from one file, which reads and checks
each module's bytecode besides, and does nothing else.  The path entry is put on ``sys.path``
after the clock has started, so opening the bundle and loading the runtime count.  What the packages import from the
standard library counts too, for all of them alike.  One package (certifi) asks for the path of a data file while it is
imported: the bundle has it in its cache from the round before, `zipimport` writes it each time.

The same runs give the most memory that a process had at any time.  What counts is resident: what is mapped and was
never touched costs nothing, for any of them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, proportion, ratio
from .measure import Probe, RunError, interleave

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .figures import Figure, Quantity

PACKAGES = (
    "asgiref",
    "certifi",
    "charset_normalizer",
    "django",
    "idna",
    "jinja2",
    "markdown_it",
    "markupsafe",
    "mdurl",
    "mpmath",
    "networkx",
    "pygments",
    "requests",
    "rich",
    "sqlalchemy",
    "sqlparse",
    "sympy",
    "typing_extensions",
    "urllib3",
)
MODULES = (
    "sympy",
    "networkx",
    "sqlalchemy.orm",
    "django.db.models",
    "rich",
    "rich.console",
    "rich.table",
    "rich.progress",
    "rich.markdown",
    "rich.syntax",
    "rich.traceback",
    "rich.logging",
    "rich.tree",
    "rich.prompt",
    "requests",
    "jinja2",
    "pygments",
    "pygments.lexers",
    "pygments.lexers.python",
    "pygments.formatters",
    "pygments.formatters.html",
)


def importing(python: Path, cache: Path, kind: str, entry: Path, tree: Path, modules: Sequence[str] = MODULES) -> Probe:
    """Return what imports *modules* in a fresh interpreter."""
    return Probe(python, cache, "imports.py", kind, entry, tree, *modules)


def count_imported(variants: Mapping[str, Probe]) -> int:
    """Return how many modules each of the *variants*, which have run, imported.

    Raises:
        RunError: not all imported the same.

    """
    expected = variants["directory"].reports[-1]["imported"]
    for name, each in variants.items():
        imported = each.reports[-1]["imported"]
        if imported != expected:
            message = f"{name} and directory did not import the same: {set(imported) ^ set(expected)}"
            raise RunError(message)
    return len(expected)


def _run(folder: Path, pairs: int) -> Outcome:
    python = trees.interpreter(folder / "environment", hook=True)
    tree = trees.copy_packages(PACKAGES, folder / "tree")
    variant = partial(importing, python, folder / "cache", tree=tree)
    variants = {
        "bundle": variant("entry", trees.bundle(tree, folder / "packages.pybundle")),
        "directory": variant("entry", tree),
        "zipimport": variant("entry", trees.zip_file(tree, folder / "packages.zip")),
        "deflated": variant("entry", trees.zip_file(tree, folder / "deflated.zip", deflated=True)),
        "floor": variant("floor", trees.code_file(tree, folder / "codes")),
        "read": variant("read", trees.image_file(tree, folder / "images")),
    }
    costs = interleave(variants, pairs)
    # Of the rounds that are counted: without the one that warms up, and before the directory runs again.
    peaks = {name: [report["peak"] for report in each.reports[1:]] for name, each in variants.items()}
    slow = {
        "directory": variants["directory"],
        "sources": variant("entry", trees.zip_file(tree, folder / "sources.zip", bytecode=False)),
    }
    slow_costs = interleave(slow, max(3, pairs // 5))
    count = count_imported(variants | slow)
    figures: list[Figure | Quantity] = [
        ratio("bundle / directory", costs["bundle"], costs["directory"], 0.92),
        ratio("bundle / floor", costs["bundle"], costs["floor"], 1.07),
        ratio("bundle / zipimport", costs["bundle"], costs["zipimport"], 0.62),
        proportion("peak memory, bundle / directory", peaks["bundle"], peaks["directory"], 1.02),
        ratio("floor / directory", costs["floor"], costs["directory"]),
        ratio("floor with a read and a CRC-32 of each module / directory", costs["read"], costs["directory"]),
        ratio("zipimport / directory", costs["zipimport"], costs["directory"]),
        ratio("zipimport, deflated / directory", costs["deflated"], costs["directory"]),
        ratio("zipimport, source only / directory", slow_costs["sources"], slow_costs["directory"]),
        proportion("peer: peak memory, zipimport / directory", peaks["zipimport"], peaks["directory"]),
    ]
    return Outcome(figures, [f"every variant imported the same {count} modules"])


ROW = Row("import", 20, _run, "import of about 1,300 modules")
