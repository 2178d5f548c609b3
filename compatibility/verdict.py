"""What a comparison says: the same, different as listed, or different.  No I/O."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .catalogue import Difference, Snippet
    from .trial import Outcome


@dataclass(frozen=True)
class Result:
    """The result in one mode.

    Attributes:
        outcome: how it ended.
        reasons: why it differs, for the differences that are listed.
        problem: what is wrong and not listed, or None; its first line says it all.

    """

    outcome: Outcome
    reasons: tuple[str, ...]
    problem: str | None

    @property
    def text(self) -> str:
        """The result in a few words."""
        if self.problem is not None:
            return f"differs: {self.problem.splitlines()[0]}"
        return f"differs: {'; '.join(self.reasons)}" if self.reasons else "same"


@dataclass(frozen=True)
class Verdict:
    """The results for one distribution: its snippet, its version, and the result in each mode that was tried."""

    snippet: Snippet
    version: str
    results: Mapping[str, Result]


def _last_line(text: str) -> str:
    """Return the last line that is not indented: of a traceback, the error."""
    lines = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return lines[-1] if lines else "nothing on standard error"


def _failure(outcome: Outcome) -> str:
    if outcome.status is None:
        return "takes too long"
    return f"exit status {outcome.status}: {_last_line(outcome.stderr)}"


def _delta(directory: str, other: str, name: str, mode: str) -> list[str]:
    lines = difflib.unified_diff(
        directory.splitlines(), other.splitlines(), f"{name} from the directory", mode, lineterm="", n=1
    )
    return list(lines)


def judge(mode: str, directory: Outcome, other: Outcome, listed: Sequence[Difference]) -> Result:
    """Return the result in *mode*: *other* against *directory*, where those of *listed* that have it are expected."""
    accepted = [difference for difference in listed if difference.mode in {None, mode}]
    expected = [directory.stdout, directory.stderr]
    unseen = []
    for difference in accepted:
        if not any(difference.directory in text for text in expected):
            unseen.append(difference.directory)
        expected = [text.replace(difference.directory, difference.bundle) for text in expected]
    problem: str | None = None
    lines = _delta(expected[0], other.stdout, "stdout", mode) + _delta(expected[1], other.stderr, "stderr", mode)
    if directory.status != 0:
        problem = f"fails from the directory: {_failure(directory)}\n{directory.stderr}"
    elif other.status != 0:
        problem = "\n".join([_failure(other), *lines])
    elif expected != [other.stdout, other.stderr]:
        first = next(
            (line for line in lines if line[:1] == "+" and line[:3] != "+++"), (lines or ["other line ends"])[-1]
        )
        problem = "\n".join([f"prints {first}", *lines])
    elif unseen:
        problem = f"a listed difference does not occur: {unseen[0]!r}"
    return Result(other, tuple(dict.fromkeys(difference.reason for difference in accepted)), problem)
