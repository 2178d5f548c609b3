"""Names from a bundle or a program, as they are shown: short, and with escapes for what is invisible."""

from __future__ import annotations

from ...runtime.faults.kinds import printable

LONGEST = 120
"""Characters of a name that are shown."""


def shown(text: str, most: int = LONGEST) -> str:
    """Return *text* for people, with at most *most* characters.  The end is kept, because it tells most names apart."""
    # Surrogates cannot be encoded; `printable` has escapes for them.
    text = printable(text[: most // 2] + text[-most // 2 :] if len(text) > most else text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"
