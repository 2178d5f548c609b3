"""What was measured, kept: one JSON file for each Python.  The table and the plot of the documentation come from them.

All rows of a file are of one Python on one platform: what is measured elsewhere replaces the file, and what is measured
again replaces its row.
"""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from .figures import Count, Figure, Quantity, Spread, Start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    AnyFigure = Figure | Count | Quantity | Start

_KINDS: dict[str, Callable[..., AnyFigure]] = {kind.__name__.lower(): kind for kind in (Figure, Count, Quantity, Start)}
_DIGITS = 5
_SPREAD = re.compile(r'{\s+"median"[^}]*}')


@dataclass(frozen=True)
class Measured:
    """A row that was run.

    Attributes:
        name: the row's.
        figures: what came out.
        notes: what a reader has to know to read them.

    """

    name: str
    figures: tuple[AnyFigure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """What one Python gave.

    Attributes:
        python: its implementation and version.
        platform: system and machine.
        processors: how many.
        rows: what was measured.

    """

    python: str
    platform: str
    processors: int
    rows: tuple[Measured, ...] = ()

    @classmethod
    def here(cls) -> Results:
        """Return the results of this Python before anything was measured."""
        return cls(
            f"{platform.python_implementation()} {platform.python_version()}",
            f"{platform.system()} {platform.machine()}",
            os.cpu_count() or 1,
        )

    @property
    def missed(self) -> bool:
        """Whether some figure exceeds its limit."""
        return any(figure.met is False for measured in self.rows for figure in measured.figures)

    def by_name(self) -> dict[tuple[str, str], AnyFigure]:
        """Return the figures by the names of row and figure."""
        return {(measured.name, figure.name): figure for measured in self.rows for figure in measured.figures}

    def with_rows(self, *rows: Measured) -> Results:
        """Return these results with *rows* behind them."""
        return replace(self, rows=(*self.rows, *rows))

    def over(self, older: Results, order: Sequence[str]) -> Results:
        """Return these results, with the rows of *older* ones that were not run again, in the *order* of names.

        Where *older* ones are of another Python, platform or number of processors, nothing of them stays.
        """
        alike = replace(older, rows=()) == replace(self, rows=())
        rows = {measured.name: measured for measured in (*(older.rows if alike else ()), *self.rows)}
        return replace(self, rows=tuple(rows[name] for name in order if name in rows))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def as_data(results: Results) -> dict[str, Any]:
    """Return *results* as JSON has them."""
    data: dict[str, Any] = _rounded(asdict(results))
    for measured, row in zip(results.rows, data["rows"], strict=True):
        for figure, each in zip(measured.figures, row["figures"], strict=True):
            each |= {"kind": type(figure).__name__.lower(), "met": figure.met}
    return data


def _figure(data: dict[str, Any]) -> AnyFigure:
    fields = {
        name: Spread(**value) if isinstance(value, dict) else value
        for name, value in data.items()
        if name not in {"kind", "met"}
    }
    return _KINDS[data["kind"]](**fields)


def from_data(data: dict[str, Any]) -> Results:
    """Return the results that *data*, made by `as_data`, are of."""
    rows = [
        row | {"figures": tuple(map(_figure, row["figures"])), "notes": tuple(row["notes"])} for row in data["rows"]
    ]
    return Results(**data | {"rows": tuple(Measured(**row) for row in rows)})


def load(folder: Path) -> list[Results]:
    """Return what is kept in *folder*, in the order of the files' names."""
    return [from_data(json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]


def _text(results: Results) -> str:
    """Return *results* as they are kept, with each spread on a line of its own."""
    text = json.dumps(as_data(results), indent=1)
    return _SPREAD.sub(lambda spread: " ".join(spread[0].split()), text) + "\n"


def keep(results: Results, path: Path, order: Sequence[str]) -> None:
    """Write *results* to *path*, over what is kept there; a row that gave no figure replaces none."""
    results = replace(results, rows=tuple(measured for measured in results.rows if measured.figures))
    if not results.rows:
        return
    if path.exists():
        results = results.over(from_data(json.loads(path.read_text("utf-8"))), order)
    path.parent.mkdir(exist_ok=True)
    path.write_text(_text(results), "utf-8")
