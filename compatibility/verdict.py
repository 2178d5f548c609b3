"""What a comparison says: the same, different as listed, or different.  No I/O."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalogue import Difference, Snippet
    from .trial import Outcome


@dataclass(frozen=True)
class Verdict:
    """The result for one distribution.

    Attributes:
        snippet: what was run.
        version: the version of the distribution.
        bundle: how it ended from the bundle.
        reasons: why it differs, for the differences that are listed.
        problem: what is wrong and not listed, or None; its first line says it all.

    """

    snippet: Snippet
    version: str
    bundle: Outcome
    reasons: tuple[str, ...]
    problem: str | None

    @property
    def text(self) -> str:
        """The result in a few words."""
        if self.problem is not None:
            return f"differs: {self.problem.splitlines()[0]}"
        return f"differs: {'; '.join(self.reasons)}" if self.reasons else "same"


def _last_line(text: str) -> str:
    """Return the last line that is not indented: of a traceback, the error."""
    lines = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return lines[-1] if lines else "nothing on standard error"


def _failure(outcome: Outcome) -> str:
    if outcome.status is None:
        return "takes too long"
    return f"exit status {outcome.status}: {_last_line(outcome.stderr)}"


def _delta(directory: str, bundle: str, name: str) -> list[str]:
    lines = difflib.unified_diff(
        directory.splitlines(), bundle.splitlines(), f"{name} from the directory", "from the bundle", lineterm="", n=1
    )
    return list(lines)


def judge(
    snippet: Snippet, version: str, directory: Outcome, bundle: Outcome, accepted: Sequence[Difference]
) -> Verdict:
    """Return the verdict on two outcomes, where *accepted* differences are expected."""
    expected = [directory.stdout, directory.stderr]
    unseen = []
    for difference in accepted:
        if not any(difference.directory in text for text in expected):
            unseen.append(difference.directory)
        expected = [text.replace(difference.directory, difference.bundle) for text in expected]
    problem: str | None = None
    lines = _delta(expected[0], bundle.stdout, "stdout") + _delta(expected[1], bundle.stderr, "stderr")
    if directory.status != 0:
        problem = f"fails from the directory: {_failure(directory)}\n{directory.stderr}"
    elif bundle.status != 0:
        problem = "\n".join([_failure(bundle), *lines])
    elif expected != [bundle.stdout, bundle.stderr]:
        first = next(
            (line for line in lines if line[:1] == "+" and line[:3] != "+++"), (lines or ["other line ends"])[-1]
        )
        problem = "\n".join([f"prints {first}", *lines])
    elif unseen:
        problem = f"a listed difference does not occur: {unseen[0]!r}"
    return Verdict(
        snippet, version, bundle, tuple(dict.fromkeys(difference.reason for difference in accepted)), problem
    )
