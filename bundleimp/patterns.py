"""Which members a glob means, wherever members are chosen by name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def matches(member: str, patterns: Iterable[str]) -> bool:
    """Return whether a glob matches *member*, a folder above it, or the name of either."""
    parts = member.split("/")
    names = {*parts, *("/".join(parts[: end + 1]) for end in range(len(parts)))}
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
