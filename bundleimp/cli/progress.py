"""Progress on a terminal: the phases of a command, with counts and times.  No library is needed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import unicodedata
from dataclasses import dataclass, field

from ..runtime.faults.kinds import printable
from .output import plural, size_text

_PAUSE = 0.1  # seconds between two updates of a phase
_NOUNS = {"resolving": "distribution", "reading": "file", "compiling": "module", "writing": "member"}
# The phase in which an installer writes to the terminal, too.
SHARED = "resolving"


@dataclass
class Phase:
    """A phase as it is shown.

    Attributes:
        name: "resolving", "reading", ...; "fetching" counts bytes.
        done: how much is done.
        total: how much there is to do, or None if that is unknown.
        detail: the member that was written last, with escapes.
        begin: when it began.
        end: when it ended, or None.

    """

    name: str
    done: int = 0
    total: int | None = None
    detail: str = ""
    begin: float = field(default_factory=time.monotonic)
    end: float | None = None

    @property
    def count(self) -> str:
        """How much is done: ``12/30 modules``; "" if nothing is counted yet."""
        noun = _NOUNS.get(self.name)
        if noun is None:
            return size_text(self.done) + (f" of {size_text(self.total)}" if self.total is not None else "")
        if self.total is None:
            return ""
        return f"{self.done}/" * (self.end is None) + plural(self.total, noun)

    @property
    def time(self) -> str:
        """How long it has lasted: ``3 s``."""
        return f"{(self.end or time.monotonic()) - self.begin:.0f} s"

    def __str__(self) -> str:
        text = f"{self.name} {self.count}".rstrip()
        return text if self.time == "0 s" else f"{text}, {self.time}"


class Display:
    """Keeps the state of the phases.  Its subclasses show it."""

    def __init__(self) -> None:
        self.phases: dict[str, Phase] = {}
        self._next: dict[str, float] = {}

    def update(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        """Show that a phase begins, goes on or ends.  A call shows nothing if the last one is less than `_PAUSE` ago.

        Arguments:
            name: the phase.
            done: how much is done.
            total: how much there is to do, or None if that is unknown.  The phase ends when *done* reaches it.
            detail: the member that was written last, or "".

        """
        now = time.monotonic()
        ends = done == total
        begins = name not in self.phases
        if not ends and now < self._next.get(name, 0.0):
            return
        self._next[name] = now + _PAUSE
        phase = self.phases.setdefault(name, Phase(name))
        phase.done, phase.total, phase.detail = done, total, printable(detail)
        phase.end = now if ends else None
        self._show(phase, begins=begins)

    def clear(self) -> None:
        """Remove from the terminal what was shown."""

    def _show(self, phase: Phase, *, begins: bool) -> None:
        raise NotImplementedError


class Lines(Display):
    """A line when a phase begins, and one when it ends, for terminals without control sequences."""

    def _show(self, phase: Phase, *, begins: bool) -> None:
        if begins or phase.end is not None:
            sys.stderr.write(f"{phase}\n")
            sys.stderr.flush()


class Line(Display):
    """One line with the phases that go on.  Each update replaces it."""

    def _show(self, phase: Phase, *, begins: bool) -> None:
        if begins and phase.name == SHARED:
            sys.stderr.write(f"{phase.name}\n")
        elif phase.end is None:
            active = [str(each) for each in self.phases.values() if each.end is None]
            self._write(f"{'; '.join(active)}  {phase.detail}".rstrip())
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the line from the terminal."""
        self._write("")
        sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{_cut(text, _columns() - 1)}")


def _columns() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(sys.stderr.fileno()).columns or 80
    return 80


def _cut(text: str, width: int) -> str:
    """Return the beginning of *text* that fits into *width* columns of a terminal."""
    taken = 0
    for at, character in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(character) in "FW" else 1
        if taken > width:
            return text[:at]
    return text
