"""The figures as text: on the terminal, and as the table of the documentation.  No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import Count, Figure, Quantity, Start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .figures import Spread
    from .results import Measured, Results

    Line = Figure | Count | Quantity

_VERDICTS = {True: "ok", False: "MISSED", None: ""}
_HEADER = ("figure", "CPU: median [quartiles]", "wall: median [quartiles]", "median [quartiles]", "count", "pairs")
_STARTS = (
    *("program", "as", "file", "first start", "later starts", "CPU", "instructions", "left on disk"),
    "on another Python",
)
_ALWAYS = 1  # the first column stands even where it is the only one
_MANY = 10  # from here on, a ratio needs no third decimal


def _number(value: float, unit: str) -> str:
    if unit == "ms":
        return f"{value:+.2f}"
    if unit == "x":
        return f"{value:.1f}" if value >= _MANY else f"{value:.3f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.2f}"


def _spread(spread: Spread, unit: str) -> str:
    middle, lower, upper = (_number(value, unit) for value in (spread.median, spread.lower, spread.upper))
    return f"{middle} {unit} [{lower} .. {upper}]"


def _values(figure: Count) -> str:
    return " / ".join(_number(value, "") for value in figure.values)


def _unit(figure: Figure | Quantity) -> str:
    return figure.unit if isinstance(figure, Figure) else "x"


def _limit(figure: Line) -> str:
    """Return the target; that a ratio is one goes without saying."""
    if figure.limit is None:
        return ""
    if isinstance(figure, Count):
        return f"{_number(figure.limit, '')}{', the same' * figure.constant}"
    wall = ", wall" * (isinstance(figure, Figure) and figure.by_wall)
    return f"{figure.limit:g}{' ms' * (_unit(figure) == 'ms')}{wall}"


def _cells(figure: Line) -> tuple[str, ...]:
    measured = {
        "figure": figure.name,
        "count": _values(figure) if isinstance(figure, Count) else "",
        "pairs": "" if isinstance(figure, Count) else str(figure.pairs),
    }
    if isinstance(figure, Figure):
        measured[_HEADER[1]] = _spread(figure.cpu, figure.unit)
        measured[_HEADER[2]] = _spread(figure.wall, figure.unit)
    elif isinstance(figure, Quantity):
        measured[_HEADER[3]] = _spread(figure.spread, "x")
    return (*(measured.get(column, "") for column in _HEADER), _limit(figure), _VERDICTS[figure.met])


def _over(spread: Spread) -> str:
    middle, lower, upper = (_number(value, "x") for value in (spread.median, spread.lower, spread.upper))
    return f"{middle} [{lower}, {upper}]"


def _starts(measured: Measured) -> list[tuple[str, ...]]:
    """Return the cells of the programs of a row; a program is named in its first line."""
    found = [figure for figure in measured.figures if isinstance(figure, Start)]
    before = ["", *(start.program for start in found)]
    bases = {start.program: start.instructions for start in reversed(found)}
    return [
        (
            "" if start.program == above else start.program,
            start.way,
            "" if start.file is None else f"{start.file:.1f} MB",
            "" if start.file is None else _over(start.first),
            "" if start.file is None else _over(start.later),
            f"{start.milliseconds:.0f} ms",
            _instructions(start.instructions, bases[start.program] if start.file is not None else None),
            f"{start.left[0]:,} files, {start.left[1]:.1f} MB",
            start.elsewhere,
        )
        for start, above in zip(found, before, strict=False)
    ]


def _instructions(number: int | None, base: int | None) -> str:
    if number is None:
        return ""
    return f"{number / 1e6:,.0f} M" if base is None else _number(number / base, "x")


def lines(measured: Measured) -> list[str]:
    """Return the lines that show a row on a terminal."""
    below = [_cells(figure) for figure in measured.figures if not isinstance(figure, Start)]
    header: tuple[str, ...] = (*_HEADER, "at most", "")
    starts = _starts(measured)
    if starts:
        header, below = _STARTS, starts
    columns = list(zip(header, *below, strict=True))
    # Only what some figure of the row has something in.
    shown = [column for at, column in enumerate(columns) if at < _ALWAYS or any(column[1:])]
    widths = [max(map(len, column)) for column in shown]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*shown, strict=True)
    ]
    return ["", f"== {measured.name}", *(table if below else ()), *(f"   {note}" for note in measured.notes)]


def _median(figure: Line) -> str:
    """Return a cell: what is judged first, with quartiles, then the other time; a missed target is bold."""
    mark = "**" * (figure.met is False)
    if isinstance(figure, Count):
        return f"{mark}{_values(figure)}{mark}"
    unit, beside = _unit(figure), ""
    if isinstance(figure, Quantity):
        spread = figure.spread
    elif figure.by_wall:
        spread, beside = figure.wall, f", CPU {_number(figure.cpu.median, unit)}"
    else:
        spread, beside = figure.cpu, f", wall {_number(figure.wall.median, unit)}"
    middle, lower, upper = (_number(value, unit) for value in (spread.median, spread.lower, spread.upper))
    return f"{mark}{middle}{' ms' * (unit == 'ms')}{mark} [{lower}, {upper}]{beside}, n = {figure.pairs}"


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    table = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in table]


def _work(kept: Sequence[Results], titles: Mapping[str, str]) -> Iterator[tuple[str, list[Line | None]]]:
    """Yield each figure that some Python has: its work, and what it is for every Python."""
    by_python = [
        {key: figure for key, figure in each.by_name().items() if not isinstance(figure, Start)} for each in kept
    ]
    # In the order of the first Python; what only others have, stands at the end.
    for row, name in dict.fromkeys(key for figures in by_python for key in figures):
        if row in titles:
            yield f"{titles[row]}: {name}", [figures.get((row, name)) for figures in by_python]


def markdown(kept: Sequence[Results], titles: Mapping[str, str]) -> str:
    """Return the tables of the documentation: what has a target; below, folded, what stands beside it; programs.

    Arguments:
        kept: the results, one column for each.
        titles: the work that each row measures, by its name; rows that are kept and have none are left out.

    """
    heads = [each.python for each in kept]
    aimed, beside = [["work", "at most", *heads]], [["work", *heads]]
    for work, figures in _work(kept, titles):
        cells = ["" if figure is None else _median(figure) for figure in figures]
        limit = next((_limit(figure) for figure in figures if figure is not None), "")
        if limit:
            aimed.append([work, limit, *cells])
        else:
            beside.append([work, *cells])
    where = [f"{each.python}: {each.platform}, {each.processors} processors." for each in kept]
    fold = ["<details><summary>Peers, and what has no target</summary>", "", *_markdown(beside), "", "</details>"]
    return "\n".join([*where, "", *_markdown(aimed), "", *fold, *_programs(kept)])


def _programs(kept: Sequence[Results]) -> Iterator[str]:
    """Yield the lines of the tables of programs, one table for each Python that has measured some."""
    found = [(each, measured) for each in kept for measured in each.rows if _starts(measured)]
    if found:
        yield from ("", "### Programs")
    for each, measured in found:
        yield from ("", f"{each.python}; {'; '.join(measured.notes)}.", "", *_markdown([_STARTS, *_starts(measured)]))
