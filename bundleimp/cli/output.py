"""How commands print: lines, JSON, tables, sizes.  Texts out of files are escaped here; colour is added around them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from ..runtime.faults.kinds import printable
from .color import Styled, is_colored, painted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that every listing command has."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def show(*pieces: str | Styled, file: TextIO | None = None) -> None:
    """Print a line that may have names or texts out of a file, with escapes for what would move the cursor.

    Arguments:
        pieces: the pieces of the line; those with a style are coloured if *file* gets colour.
        file: the stream; standard output by default.

    """
    colored = any(isinstance(piece, Styled) for piece in pieces) and is_colored(file or sys.stdout)
    print("".join(_escaped(piece, colored=colored) for piece in pieces), file=file)


def _escaped(piece: str | Styled, *, colored: bool) -> str:
    if isinstance(piece, str):
        return printable(piece)
    text = printable(piece.text)
    return painted(text, piece.style) if colored and text else text


def show_error(text: object) -> None:
    """Print an error on standard error."""
    show("bundleimp: ", Styled("error:", "bad"), f" {text}", file=sys.stderr)


def show_warning(text: str) -> None:
    """Print a warning on standard error."""
    show("bundleimp: ", Styled("warning:", "doubtful"), f" {text}", file=sys.stderr)


def print_path(path: str) -> None:
    """Print a *path* exactly as it is, for scripts."""
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), os.fsencode(path) + b"\n")


def print_json(data: Any) -> None:
    """Print *data* as JSON."""
    import json  # noqa: PLC0415 (`run` needs none)

    print(json.dumps(data, indent=2))


def print_table(rows: Iterable[Sequence[str]], *, numbers: int = 0) -> None:
    """Print *rows* in columns.  The first row is a heading; the first *numbers* columns are aligned to the right."""
    lines = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if at < numbers else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        show(text if number else Styled(text, "heading"))


def size_text(size: int) -> str:
    """Return a size in bytes for people: ``12.3 MB``."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:  # noqa: PLR2004 (a kilo)
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def plural(count: int, noun: str) -> str:
    """Return ``1 member`` or ``2 members``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
