"""The results as a Markdown table, between two marks of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .verdict import Verdict

_HEADER = ("distribution", "version", "what is used", "from the bundle", "unpacked", "written to the cache")


def result(verdict: Verdict, mode: str) -> str:
    """Return the result in *mode* in a few words."""
    return verdict.results[mode].text if mode in verdict.results else "needs `BUNDLEIMP_UNPACK`"


def _amount(files: int, size: int) -> str:
    if not files:
        return "nothing"
    return f"{'1 file' if files == 1 else f'{files:,} files'}, {size / 1e6:,.1f} MB"


def written(verdict: Verdict) -> str:
    """Return what was written to the cache from the bundle: nothing, or number and size."""
    if "bundle" not in verdict.results:
        return "all"
    outcome = verdict.results["bundle"].outcome
    return _amount(outcome.written_files, outcome.written_bytes)


def total(verdicts: Sequence[Verdict]) -> str:
    """Return what was written to the cache from the bundle, by all that were tried."""
    outcomes = [verdict.results["bundle"].outcome for verdict in verdicts if "bundle" in verdict.results]
    amount = _amount(sum(o.written_files for o in outcomes), sum(o.written_bytes for o in outcomes))
    return f"Written to the cache from the bundle, each with an empty one: {amount}."


def markdown(verdicts: Sequence[Verdict], python: str) -> str:
    """Return the table with lines that sum it up; *python* says what it was made with."""
    same = {mode: sum(result(verdict, mode) == "same" for verdict in verdicts) for mode in ("bundle", "unpacked")}
    nothing = sum(written(verdict) == "nothing" for verdict in verdicts)
    rows = [
        _HEADER,
        ("---",) * len(_HEADER),
        *(
            (v.snippet.name, v.version, v.snippet.shows, result(v, "bundle"), result(v, "unpacked"), written(v))
            for v in verdicts
        ),
    ]
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    summary = (
        f"{len(verdicts)} snippets with {python}: {same['bundle']} the same from the bundle, "
        f"{same['unpacked']} unpacked, {nothing} without a file in the cache."
    )
    return "\n".join([summary, "", *lines, "", total(verdicts)])
