"""``python -m benchmarks``: run the rows and print their table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import application, imports, metadata, opening, packing, startup, syscalls
from .figures import Figure
from .measure import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .figures import Count, Outcome, Row, Spread

_ROWS = (imports.ROW, startup.ROW, opening.ROW, syscalls.ROW, metadata.ROW, packing.ROW, application.ROW)
_VERDICTS = {True: "ok", False: "MISSED", None: ""}
_COMPARED = ("figure", "CPU: median [quartiles]", "wall: median [quartiles]", "pairs", "target", "")
_COUNTED = ("figure", "count", "target", "")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure bundleimp against its peers.")
    parser.add_argument(
        "--pairs", type=int, metavar="N", help="interleaved pairs for every row (default: each row's own)"
    )
    parser.add_argument(
        "--row", action="append", choices=[row.name for row in _ROWS], help="only this row (repeatable)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.pairs is not None and options.pairs < 1:
        parser.error("--pairs: at least 1")
    return options


def _environment() -> dict[str, Any]:
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "processors": os.cpu_count(),
    }


def _measure(row: Row, pairs: int | None) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="bundleimp-benchmark-") as folder:
        return row.run(Path(folder).resolve(), pairs or row.pairs)


def _number(value: float, unit: str) -> str:
    if unit == "ms":
        return f"{value:+.2f}"
    if unit == "x":
        return f"{value:.3f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.2f}"


def _spread(spread: Spread, unit: str) -> str:
    middle, lower, upper = (_number(value, unit) for value in (spread.median, spread.lower, spread.upper))
    return f"{middle} {unit} [{lower} .. {upper}]"


def _cells(figure: Figure | Count) -> tuple[str, ...]:
    if isinstance(figure, Figure):
        measured: tuple[str, ...] = (
            _spread(figure.cpu, figure.unit),
            _spread(figure.wall, figure.unit),
            str(figure.pairs),
        )
        limit = "" if figure.limit is None else f"<= {figure.limit:g} {figure.unit}"
    else:
        measured = (" / ".join(_number(value, "") for value in figure.values),)
        limit = "" if figure.limit is None else f"<= {figure.limit:g}{', the same' * figure.constant}"
    return (figure.name, *measured, limit, _VERDICTS[figure.met])


def _lines(row: Row, outcome: Outcome) -> list[str]:
    compared = any(isinstance(figure, Figure) for figure in outcome.figures)
    cells = [_COMPARED if compared else _COUNTED, *(_cells(figure) for figure in outcome.figures)]
    # Among comparisons, a count stands in the first of their columns.
    cells = [(*cell[:2], *[""] * (len(cells[0]) - len(cell)), *cell[2:]) for cell in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return ["", f"== {row.name}", *(table if outcome.figures else ()), *(f"   {note}" for note in outcome.notes)]


def _as_data(row: Row, outcome: Outcome) -> dict[str, Any]:
    figures = [asdict(figure) | {"met": figure.met} for figure in outcome.figures]
    return {"row": row.name, "figures": figures, "notes": list(outcome.notes)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 where a target is missed, 2 where a run failed."""
    options = _parse(arguments)
    rows = [row for row in _ROWS if not options.row or row.name in options.row]
    environment = _environment()
    results: list[dict[str, Any]] = []
    missed = False
    if not options.json:
        print(", ".join(f"{name}: {value}" for name, value in environment.items()), flush=True)
    for row in rows:
        try:
            outcome = _measure(row, options.pairs)
        except RunError as error:
            print(f"benchmarks: error: {row.name}: {error}", file=sys.stderr)
            return 2
        missed = missed or any(figure.met is False for figure in outcome.figures)
        if options.json:
            results.append(_as_data(row, outcome))
        else:
            print("\n".join(_lines(row, outcome)), flush=True)
    if options.json:
        print(json.dumps({"environment": environment, "rows": results}, indent=2))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
