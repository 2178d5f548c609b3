"""Which members a glob means, wherever members are chosen by name."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def matches(member: str, patterns: Iterable[str]) -> bool:
    """Return whether a glob matches *member*, a folder above it, or the name of either."""
    match = _any_of(tuple(patterns)).match
    parts = member.split("/")
    names = {*parts, *("/".join(parts[: end + 1]) for end in range(len(parts)))}
    return any(map(match, names))


@lru_cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Without any pattern, it is one that matches nothing.
    return re.compile("|".join(map(translate, patterns)) or r"(?!)")
