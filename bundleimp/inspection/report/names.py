"""Names from a bundle or a program, made safe to show: short, and with escapes for invisible characters."""

from __future__ import annotations

from ...runtime.faults.kinds import printable

LONGEST = 120
"""The largest number of characters of a name that are shown."""


def shown(text: str, most: int = LONGEST) -> str:
    """Return *text* with escapes, and with at most *most* characters.

    The end is kept, because most names differ there.
    """
    # Surrogates cannot be encoded; `printable` has escapes for them.
    text = printable(text[: most // 2] + text[-most // 2 :] if len(text) > most else text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"
