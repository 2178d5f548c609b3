"""The choice of the display of progress.

Progress is shown on standard error, if that is a terminal.  The library `rich` draws it if it is installed (extra
``cli``); else it is one line.  A terminal without control sequences gets lines.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from .color import is_dumb
from .progress import Line, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .progress import Display


@contextlib.contextmanager
def display(*, quiet: bool) -> Iterator[Display | None]:
    """Return a display for the duration of the context; None if *quiet*, or if standard error is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    shown = _display()
    try:
        yield shown
    finally:
        shown.clear()


def _display() -> Display:
    if is_dumb():
        return Lines()
    try:
        from .bars import Bars  # noqa: PLC0415 (loads `rich`, which may be missing)
    except ImportError:
        return Line()
    return Bars()
