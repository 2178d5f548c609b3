"""One thing that is wrong with a bundle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        message: what.
        member: the member it is wrong with, or None.
        offset: where in the file, or None.

    """

    message: str
    member: str | None = None
    offset: int | None = None

    def __str__(self) -> str:
        text = f"{self.member}: {self.message}" if self.member is not None else self.message
        return text if self.offset is None else f"{text} (at offset {self.offset})"
