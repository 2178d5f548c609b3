"""The progress of `pack`, as events.  `pack` prints nothing: it calls a function for each event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["resolving", "reading", "compiling", "writing"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step in a phase of `pack`.

    The phases follow each other, except that members are written while others are compiled.

    Attributes:
        phase: the phase.
        done: how many distributions were installed, files found, modules compiled or members written.
        total: how many there are; None while that is unknown.  The phase ends when *done* reaches it.
        name: the member that was written last.

    """

    phase: Phase
    done: int = 0
    total: int | None = None
    name: str = ""
