"""Colour on terminals.  It is added around texts that are escaped already, and by `output.show` only."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

When = Literal["auto", "always", "never"]
WHEN: tuple[When, ...] = get_args(When)
Style = Literal["bad", "doubtful", "folder", "good", "heading"]

# The first eight colours are readable on dark and on light backgrounds.
_CODES: dict[Style, str] = {"bad": "1;31", "doubtful": "33", "folder": "1;34", "good": "32", "heading": "1"}
_chosen: When = "auto"


class Styled(NamedTuple):
    """A piece of a line with a style."""

    text: str
    style: Style


def choose(when: When) -> None:
    """Set when to use colour: the value of ``--color``.

    Arguments:
        when: "always", "never", or "auto": if the stream is a terminal, and no environment variable forbids it.

    """
    global _chosen  # noqa: PLW0603 (one command line, one choice)
    _chosen = when


def is_colored(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether to use colour on *stream*.  The precedence of the variables is that of Python itself."""
    if _chosen != "auto":
        return _chosen == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    if is_dumb(environ) or (sys.platform == "win32" and "WT_SESSION" not in environ):
        return False
    return stream.isatty()


def is_dumb(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal has no control sequences."""
    return environ.get("TERM") in {"dumb", "unknown"}


def painted(text: str, style: Style) -> str:
    """Return *text*, which is escaped already, with the control sequences of *style*."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"
