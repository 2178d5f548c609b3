"""The places in pages that are written by programs: between two marks, which are comments."""

from __future__ import annotations

import re


def between(text: str, name: str, content: str) -> str:
    """Return *text* with *content* between the marks of *name*.

    Raises:
        ValueError: the marks are not there.

    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*(?={re.escape(end)})", re.DOTALL)
    if not pattern.search(text):
        message = f"there are no lines {begin} and {end}"
        raise ValueError(message)
    return pattern.sub(lambda _match: f"\n{content}\n\n", text, count=1)
