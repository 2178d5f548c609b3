"""``python -m benchmarks``: run the rows, print their table, and write it to the documentation with its plot."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundleimp import BundleError
from compatibility.marks import between

from . import (
    application,
    application_import,
    cold,
    fetching,
    first,
    imports,
    instructions,
    metadata,
    mounted,
    opening,
    packing,
    plot,
    programs,
    resources,
    size,
    startup,
    syscalls,
    table,
)
from .measure import RunError
from .results import Measured, Results, as_data, keep, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .figures import Row

ROWS = (
    imports.ROW,
    mounted.ROW,
    cold.ROW,
    startup.ROW,
    first.ROW,
    opening.ROW,
    syscalls.ROW,
    instructions.ROW,
    metadata.ROW,
    fetching.ROW,
    resources.ROW,
    application.ROW,
    application_import.ROW,
    size.ROW,
    programs.ROW,
    packing.ROW,
)
_KEPT = Path(__file__).with_name("results")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_MARKS = "benchmarks"
# What a row may raise where the machine lacks something, or what is measured is broken; the other rows run on.
_FAILURES = (RunError, BundleError, ImportError, OSError, subprocess.CalledProcessError)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure bundleimp against its peers, side by side in one run.",
        epilog="rows, with the pairs of each:\n"
        + "".join(f"  {row.name:<20}{row.pairs:>4}  {row.title}\n" for row in ROWS)
        + "\nExit status: 0 fine, 1 a target is missed, 2 bad usage or a run that failed.",
    )
    parser.add_argument(
        "--pairs", type=int, metavar="N", help="interleaved pairs for every row (default: each row's own)"
    )
    parser.add_argument(
        "--row", action="append", choices=[row.name for row in ROWS], metavar="ROW", help="only this row (repeatable)"
    )
    parser.add_argument(
        "--write",
        type=Path,
        nargs="?",
        const=PAGE,
        metavar="FILE",
        help="keep the figures, and renew the plot and the table in FILE (default: docs/benchmarks.md)",
    )
    parser.add_argument("--kept", action="store_true", help="with --write: measure nothing, write what is kept")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.pairs is not None and options.pairs < 1:
        parser.error("--pairs: at least 1")
    if options.kept and (options.write is None or options.row or options.pairs):
        parser.error("--kept: only with --write, and without --row and --pairs")
    return options


def _measure(row: Row, pairs: int | None) -> Measured:
    with tempfile.TemporaryDirectory(prefix="bundleimp-benchmark-") as folder:
        outcome = row.run(Path(folder).resolve(), pairs or row.pairs)
    return Measured(row.name, tuple(outcome.figures), tuple(outcome.notes))


def _run(options: argparse.Namespace) -> tuple[Results, bool]:
    """Return what the chosen rows gave, and whether one of them failed.

    Each row is written when it is measured: what comes later may fail, or be interrupted.
    """
    results, failed = Results.here(), False
    if not options.json:
        print(f"{results.python}, {results.platform}, {results.processors} processors", flush=True)
    for row in ROWS:
        if options.row and row.name not in options.row:
            continue
        try:
            measured = _measure(row, options.pairs)
        except _FAILURES as error:
            print(f"benchmarks: error: {row.name}: {error}", file=sys.stderr)
            failed = True
            continue
        if not options.json:
            print("\n".join(table.lines(measured)), flush=True)
        if options.write is not None:
            _keep(replace(results, rows=(measured,)))
            _write(options.write)
        results = results.with_rows(measured)
    return results, failed


def _keep(results: Results) -> None:
    keep(results, _KEPT / f"{sys.implementation.cache_tag}.json", [row.name for row in ROWS])


def _write(page: Path) -> None:
    kept = load(_KEPT)
    titles = {row.name: row.title for row in ROWS}
    (_KEPT / "plot.svg").write_text(plot.svg(kept), "utf-8")
    page.write_text(between(page.read_text("utf-8"), _MARKS, table.markdown(kept, titles)), "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 where a target is missed, 2 where a run failed."""
    options = _parse(arguments)
    try:
        if options.write is not None:
            # What cannot be written to later is an error now.
            between(options.write.read_text("utf-8"), _MARKS, "")
        if options.kept:
            _write(options.write)
            return int(any(each.missed for each in load(_KEPT)))
        results, failed = _run(options)
    except (OSError, ValueError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("benchmarks: interrupted", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_data(results), indent=2))
    return 2 if failed else int(results.missed)


if __name__ == "__main__":
    sys.exit(main())
