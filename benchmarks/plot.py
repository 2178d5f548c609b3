"""The main ratios as a plot: SVG, readable on light and dark pages.  No I/O.

Bars start at 1, where both cost the same, and the axis is logarithmic: half is as far to the left as twice is to the
right.  A bar ends at the median; a whisker spans the quartiles.  Pythons that have a figure stand below each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .results import Results

_WIDTH, _LEFT, _RIGHT = 760, 170, 100
_BAR, _GAP, _PANEL, _TOP, _BOTTOM = 13, 8, 34, 34, 40
_OURS = "bundle"
_PANELS = (
    (
        "Import of about 1,300 modules, over a directory with .pyc files",
        {
            _OURS: ("import", "bundle / directory"),
            "floor: bytes in memory": ("import", "floor / directory"),
            "zipimport": ("import", "zipimport / directory"),
            "zipimport, deflated": ("import", "zipimport, deflated / directory"),
            "zipimport, sources only": ("import", "zipimport, source only / directory"),
        },
    ),
    *(
        (
            f"Application on rich, requests, pydantic: {when}, over a virtual environment",
            {
                _OURS: ("application", f"{run}, bundle / venv"),
                "shiv": ("application", f"peer: {run}, shiv / venv"),
                "pex --venv": ("application", f"peer: {run}, pex --venv / venv"),
                "pex": ("application", f"peer: {run}, pex / venv"),
            },
        )
        for run, when in (("first run", "first run, with empty caches"), ("later runs", "later runs"))
    ),
)
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 13px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: #d0d7de; }
.one { stroke: #57606a; }
.whisker { stroke: #24292f; }
.target { stroke: #cf222e; stroke-width: 2; }
.bundle { fill: #218bff; }
.peer { fill: #afb8c1; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #30363d; }
  .one { stroke: #8c959f; }
  .whisker { stroke: #e6edf3; }
  .target { stroke: #ff7b72; }
  .peer { fill: #656d76; }
}
"""


@dataclass(frozen=True)
class _Bar:
    """One figure of one Python, with its place from the top; the label stands at the first of its group."""

    top: int
    label: str
    python: str
    kind: str
    figure: Figure


@dataclass(frozen=True)
class _Panel:
    """A title with its place, and from where to where the bars below it go."""

    title: str
    top: int
    bottom: int


def _bars(kept: Sequence[Results]) -> tuple[list[_Bar], list[_Panel]]:
    """Return the bars of what is *kept*, and the panels that they are in."""
    bars: list[_Bar] = []
    panels: list[_Panel] = []
    top = _TOP
    for title, groups in _PANELS:
        top += _PANEL
        start = top
        for label, key in groups.items():
            found = [(each.python, each.by_name().get(key)) for each in kept]
            figures = [(python, figure) for python, figure in found if isinstance(figure, Figure)]
            for at, (python, figure) in enumerate(figures):
                kind = _OURS if label == _OURS else "peer"
                bars.append(_Bar(top, "" if at else label, python.removeprefix("CPython "), kind, figure))
                top += _BAR
            top += _GAP if figures else 0
        panels.append(_Panel(title, start, top))
    return bars, panels


class _Axis:
    """The logarithmic axis, with a tick at each power of two."""

    def __init__(self, values: Sequence[float]) -> None:
        self._low = min(math.floor(math.log2(min(values))), -1)
        self._high = max(math.ceil(math.log2(max(values))), 1)

    def __call__(self, value: float) -> float:
        part = (math.log2(value) - self._low) / (self._high - self._low)
        return round(_LEFT + part * (_WIDTH - _LEFT - _RIGHT), 1)

    @property
    def ticks(self) -> list[float]:
        return [2.0**power for power in range(self._low, self._high + 1)]


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _draw(bar: _Bar, axis: _Axis, several: bool) -> list[str]:
    spread, middle = bar.figure.cpu, bar.top + _BAR / 2
    start, end = sorted((axis(1), axis(spread.median)))
    value = f"{spread.median:.2f}" + f"  ({bar.python})" * several
    shapes = [
        _text("end", _LEFT - 10, bar.top + _BAR - 2, bar.label) if bar.label else "",
        f'<rect class="{bar.kind}" x="{start}" y="{bar.top + 1}" width="{round(end - start, 1)}" height="{_BAR - 2}"/>',
        _line("whisker", axis(spread.lower), middle, axis(spread.upper), middle),
        _text("", max(end, axis(spread.upper), axis(bar.figure.limit or 1)) + 6, bar.top + _BAR - 2, value),
    ]
    if bar.figure.limit is not None:
        shapes.append(_line("target", axis(bar.figure.limit), bar.top - 1, axis(bar.figure.limit), bar.top + _BAR + 1))
    return [shape for shape in shapes if shape]


def svg(kept: Sequence[Results]) -> str:
    """Return the plot of what is *kept*, as an SVG document."""
    bars, panels = _bars(kept)
    axis = _Axis([value for bar in bars for value in (bar.figure.cpu.lower, bar.figure.cpu.upper)] or [1])
    bottom = panels[-1].bottom
    height = bottom + _BOTTOM
    legend = (
        "Ratios of CPU time, logarithmic: left of 1 is faster. Medians with quartiles; in red, what must be reached."
    )
    shapes = [_text("", 10, 20, legend)]
    shapes += [
        _line("one" if tick == 1 else "grid", axis(tick), panel.top - 4, axis(tick), panel.bottom)
        for panel in panels
        for tick in axis.ticks
    ]
    shapes += [_text("middle", axis(tick), bottom + 18, f"{tick:g} \N{MULTIPLICATION SIGN}") for tick in axis.ticks]
    shapes += [_text("title", 10, panel.top - 12, panel.title) for panel in panels]
    shapes += [shape for bar in bars for shape in _draw(bar, axis, len(kept) > 1)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    )
    return "\n".join([head, f"<title>{legend}</title>", f"<style>{_STYLE}</style>", *shapes, "</svg>", ""])
