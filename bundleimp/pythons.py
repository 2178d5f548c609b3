"""Ranges of Python versions, as in ``Requires-Python`` (version specifiers specification of PyPA).  Pure functions.

A range is a list of spans, sorted, without overlaps.  Pre-releases count as the release, as for installers.  Versions
before Python 3.0 are left out.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Version = tuple[int, ...]

FIRST: Version = (3,)
# The release part counts; what follows it marks a pre-release, a post-release or a local version.
_CLAUSE = re.compile(
    r"(?P<operator>~=|===?|!=|<=?|>=?)\s*v?(?P<release>\d{1,9}(?:\.\d{1,9})*)(?P<star>\.\*)?"
    r"(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview|dev|post)[-_.]?\d*)*(?:\+[\w.]+)?",
    re.IGNORECASE,
)
_MINOR = 2
_MICRO = 3


@dataclass(frozen=True)
class Span:
    """Versions from *low* up to, but without, *high*.  Neither has zeros at the end.  None means no upper bound."""

    low: Version
    high: Version | None = None


Spans = tuple[Span, ...]
ALL: Spans = (Span(FIRST),)


def minor(version: Version) -> Spans:
    """Return the range of one minor version: (3, 11) is all of 3.11."""
    return _spans([(version, _next(version))])


def since(version: Version) -> Spans:
    """Return the range that begins with *version*."""
    return _spans([(version, None)])


def both(first: Spans, second: Spans) -> Spans:
    """Return the versions that are in both ranges."""
    return _spans([(max(a.low, b.low), _lower(a.high, b.high)) for a in first for b in second])


def parse(text: str) -> Spans:
    """Return the range that a specifier, such as ``>=3.9,!=3.9.7,<4``, stands for.

    Raises:
        ValueError: it is no specifier.

    """
    result = ALL
    for clause in filter(None, (part.strip() for part in text.split(","))):
        match = _CLAUSE.fullmatch(clause)
        if match is None or (match["star"] and match["operator"] not in {"==", "!="}):
            raise ValueError(clause)
        release = tuple(map(int, match["release"].split(".")))
        if match["operator"] == "~=" and len(release) < _MINOR:
            raise ValueError(clause)
        result = both(result, _range(match["operator"], release, star=match["star"] is not None))
    return result


def _range(operator: str, release: Version, *, star: bool) -> Spans:
    after = _next(release) if star else _next_micro(release)
    bounds: dict[str, list[tuple[Version, Version | None]]] = {
        ">=": [(release, None)],
        ">": [(after, None)],
        "<": [((), release)],
        "<=": [((), after)],
        "==": [(release, after)],
        "===": [(release, after)],
        "!=": [((), release), (after, None)],
        "~=": [(release, _next(release[:-1]))],
    }
    return _spans(bounds[operator])


def _next(version: Version) -> Version:
    return (*version[:-1], version[-1] + 1) if version else ()


def _next_micro(version: Version) -> Version:
    return _next((*version, 0, 0, 0)[: max(len(version), _MICRO)])


def _lower(first: Version | None, second: Version | None) -> Version | None:
    return min((high for high in (first, second) if high is not None), default=None)


def _stripped(version: Version) -> Version:
    while len(version) > 1 and not version[-1]:
        version = version[:-1]
    return version


def _spans(bounds: Sequence[tuple[Version, Version | None]]) -> Spans:
    found = [
        Span(max(_stripped(low), FIRST), None if high is None else _stripped(high))
        for low, high in sorted(bounds, key=lambda pair: pair[0])
    ]
    return tuple(span for span in found if span.high is None or span.low < span.high)


def dotted(version: Version, least: int = _MINOR) -> str:
    """Return "3.11" for (3, 11)."""
    return ".".join(map(str, (*version, *[0] * (least - len(version)))))


def specifier(spans: Spans) -> str:
    """Return the specifier of a range, "" for all versions.

    What lies below a gap that no specifier can name is not in it.
    """
    if not spans:
        return "<3.0"
    parts: list[str] = []
    low = spans[0].low
    for before, after in itertools.pairwise(spans):
        excluded = _excluded(before.high or (), after.low)
        parts = [*parts, f"!={excluded}"] if excluded else []
        low = low if excluded else after.low
    if low > FIRST:
        parts.insert(0, f">={dotted(low)}")
    if spans[-1].high is not None:
        parts.append(f"<{dotted(spans[-1].high)}")
    return ",".join(parts)


def _excluded(start: Version, end: Version) -> str:
    """Return how a specifier names the versions from *start* up to *end*; "" if it cannot."""
    if end == _next_micro(start):
        return dotted(start, _MICRO)
    whole = (*start, *[0] * (_MINOR - len(start)))
    return f"{dotted(whole)}.*" if end == _next(whole) else ""


def words(spans: Spans) -> str:
    """Return a range in words: "3.11", "3.9 or newer", "3.9 to 3.12", "3" for all versions."""
    if not spans:
        return "2"
    low, high = spans[0].low, spans[-1].high
    gaps = [_excluded(before.high or (), after.low) for before, after in itertools.pairwise(spans)]
    without = f" but not {', '.join(gap for gap in gaps if gap)}" if any(gaps) else ""
    if high is None:
        return (f"{dotted(low)} or newer" if low > FIRST else "3") + without
    if len(high) == _MINOR >= len(low) and low[:1] == high[:1]:
        last = (high[0], high[1] - 1)
        return (dotted(last) if low == last else f"{dotted(low)} to {dotted(last)}") + without
    if low == FIRST:
        return f"older than {dotted(high)}{without}"
    return (dotted(low) if high == _next_micro(low) else f"{dotted(low)} or newer, older than {dotted(high)}") + without
