"""Where a bundle runs: the record of its manifest, for whoever packs or inspects one.  Values in, values out; no I/O.

A bundle has a list of alternatives.  It runs where one of them is fulfilled.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import platforms, pythons

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEY = "runs_on"
# The second line of a program.  Python 3.7 and older read no zip that has a comment, and every Python fails to read one
# that is cut off.  They take the program for source text, and end with "SyntaxError: encoding problem: ".
TOO_OLD = b"# coding: this-file-is-incomplete-or-Python-is-older-than-3.11\n"
# The oldest Python that the runtime is for.
OLDEST: pythons.Version = (3, 11)
# The first Python that may have no global interpreter lock (PEP 703).
FREE_THREADED: pythons.Version = (3, 13)
_MOST_REASONS = 3
_NAMES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


@dataclass(frozen=True)
class RunsOn:
    """One alternative.

    Attributes:
        implementation: as of `sys.implementation`, "cpython"; "" for any.
        python: the versions, as a specifier (">=3.11,<3.12"); "" for any.
        free_threaded: whether it is for a free-threaded Python (PEP 703), or for others; None if that does not matter.
        platform: the platform, as a wheel's tag ("manylinux_2_17_x86_64"); "" for any.
        because: the distributions, or the modules that belong to none, that need more than a Python of today.

    """

    implementation: str = ""
    python: str = ""
    free_threaded: bool | None = None
    platform: str = ""
    because: tuple[str, ...] = ()

    @property
    def spans(self) -> pythons.Spans:
        """The versions."""
        return pythons.parse(self.python)

    def for_runtime(self) -> RunsOn:
        """Return the part of this alternative that the runtime is for, too."""
        spans = pythons.both(self.spans, pythons.since(OLDEST))
        return replace(self, python=pythons.specifier(spans)) if spans else self

    def words(self, *, place: str = "any platform") -> str:
        """Return the alternative in words: "CPython 3.11, Linux x86_64".

        Arguments:
            place: the words for any platform, or "".

        """
        python = f"{_NAMES.get(self.implementation, self.implementation or 'Python')} {pythons.words(self.spans)}"
        if self.free_threaded:
            python += " (free-threaded)"
        platform = platforms.parse(self.platform)
        return ", ".join(filter(None, [python, platform.words if platform is not None else place]))

    def condition(self) -> str:
        """Return a Python expression that is true where this alternative is fulfilled and the runtime can run.

        It uses the name ``sys`` only.
        """
        spans = pythons.both(self.spans, pythons.since(OLDEST))
        parts = [_version_condition(spans)]
        if self.implementation:
            parts.append(f"sys.implementation.name == {self.implementation!r}")
        newest = spans[-1].high if spans else None
        if self.free_threaded is not None and (newest is None or newest > FREE_THREADED):
            # ".cpython-313t-x86_64-linux-gnu.so": the one sign of it on every platform.
            sign = "__import__('_imp').extension_suffixes()[0].replace('td-', 't-')"
            parts.append(f"'t-' {'in' if self.free_threaded else 'not in'} {sign}")
        platform = platforms.parse(self.platform)
        return " and ".join(filter(None, [*parts, platform.condition if platform is not None else ""]))


def _version_condition(spans: pythons.Spans) -> str:
    texts = [f"{span.low} <= sys.version_info" + (f" < {span.high}" if span.high is not None else "") for span in spans]
    return f"({' or '.join(texts)})" if len(texts) > 1 else "".join(texts) or "False"


def condition(alternatives: Sequence[RunsOn]) -> str:
    """Return a Python expression that is true where one of the *alternatives* is fulfilled.

    Without alternatives, the runtime is all that counts.
    """
    texts = list(dict.fromkeys(each.condition() for each in alternatives or [RunsOn()]))
    return " or ".join(f"({text})" for text in texts) if len(texts) > 1 else texts[0]


def words(alternatives: Sequence[RunsOn], *, place: str = "any platform", reasons: bool = True) -> str:
    """Return the *alternatives* in words, with the reasons: "CPython 3.11, Linux x86_64 (because of orjson)".

    Arguments:
        alternatives: the alternatives.
        place: the words for any platform, or "".
        reasons: whether to name the distributions.

    """
    text = "; or ".join(dict.fromkeys(each.words(place=place) for each in alternatives))
    because = list(dict.fromkeys(name for each in alternatives for name in each.because)) if reasons else []
    if len(because) > _MOST_REASONS + 1:
        because[_MOST_REASONS:] = [f"{len(because) - _MOST_REASONS} others"]
    if not because:
        return text
    named = f"{', '.join(because[:-1])} and {because[-1]}" if len(because) > 1 else because[0]
    return f"{text} (because of {named})"


def fits(alternatives: Sequence[RunsOn]) -> bool:
    """Return whether the running Python fulfils one of the *alternatives*."""
    return bool(eval(condition(alternatives), {"sys": sys}))  # noqa: S307 (made of numbers and names by `condition`)


def decode(manifest: dict[str, Any] | None) -> list[RunsOn]:
    """Return the alternatives in a *manifest*, without those that are not as `pack` writes them.

    A bundle that runs everywhere has none in its manifest.  The result is empty if there is no manifest, or if no
    Python has all that the bundle needs.
    """
    if manifest is None:
        return []
    found = manifest.get(KEY, [{}])
    return [each for each in map(_decoded, found if isinstance(found, list) else []) if each is not None]


def _decoded(item: object) -> RunsOn | None:
    if not isinstance(item, dict):
        return None
    texts = [item.get(name, "") for name in ("implementation", "python", "platform")]
    threads, because = item.get("free_threaded"), item.get("because") or []
    if not _are_texts(texts) or threads not in {None, True, False} or not isinstance(because, list):
        return None
    implementation, python, platform = texts
    try:
        pythons.parse(python)
    except ValueError:
        return None
    return RunsOn(implementation, python, threads, platform, tuple(map(str, because)))


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)
