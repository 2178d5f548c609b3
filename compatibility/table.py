"""The results as a Markdown table, between two marks of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .verdict import Verdict

_HEADER = ("distribution", "version", "what is used", "result", "written to the cache")


def written(verdict: Verdict) -> str:
    """Return what was written to the cache from the bundle: nothing, or number and size."""
    outcome = verdict.bundle
    if not outcome.written_files:
        return "nothing"
    files = "1 file" if outcome.written_files == 1 else f"{outcome.written_files:,} files"
    return f"{files}, {outcome.written_bytes / 1e6:.1f} MB"


def markdown(verdicts: Sequence[Verdict], python: str) -> str:
    """Return the table with a line that sums it up; *python* says what it was made with."""
    same = sum(verdict.text == "same" for verdict in verdicts)
    nothing = sum(not verdict.bundle.written_files for verdict in verdicts)
    rows = [
        _HEADER,
        ("---",) * len(_HEADER),
        *((v.snippet.name, v.version, v.snippet.shows, v.text, written(v)) for v in verdicts),
    ]
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    summary = f"{len(verdicts)} distributions with {python}: {same} the same, {nothing} without a file in the cache."
    return "\n".join([summary, "", *lines])
