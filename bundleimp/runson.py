"""Where a bundle runs: the record of its manifest, for whoever packs or inspects one.  Values in, values out; no I/O.

A bundle has a list of alternatives.  It runs where one of them is fulfilled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import platforms, pythons
from .runtime.content import limits
from .runtime.content.purposes import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

KEY = "runs_on"
# The second line of a program.  Python 3.7 and older read no zip that has a comment, and every Python fails to read one
# that is cut off.  They take the program for source text, and end with "SyntaxError: encoding problem: ".
TOO_OLD = b"# coding: this-file-is-incomplete-or-Python-is-older-than-3.11\n"
# The oldest Python that the runtime is for.
OLDEST: pythons.Version = (3, 11)
# The first Python that may have no global interpreter lock (PEP 703).
FREE_THREADED: pythons.Version = (3, 13)
# An upper bound from here on is none, because there is no such Python.
_NO_SUCH: pythons.Version = (4,)
# The longest text for the index.  No real wheel needs as much.
_LONGEST = 1 << 14
_MOST_REASONS = 3


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
        python = f"{NAMES.get(self.implementation, self.implementation or 'Python')} {pythons.words(self.spans)}"
        if self.free_threaded:
            python += " (free-threaded)"
        platform = platforms.parse(self.platform)
        return ", ".join(filter(None, [python, platform.words if platform is not None else place]))

    def facts(self) -> dict[str, tuple[str, ...]]:
        """Return the facts (`runtime.content.limits`) that fulfil this alternative, where the runtime can run."""
        spans = pythons.both(self.spans, pythons.since(OLDEST))
        facts = {"version": tuple(_range(span) for span in spans)}
        if self.implementation:
            facts["implementation"] = (self.implementation,)
        newest = spans[-1].high if spans else None
        if self.free_threaded is not None and (newest is None or newest > FREE_THREADED):
            facts["threads"] = ("free" if self.free_threaded else "locked",)
        platform = platforms.parse(self.platform)
        return facts | (platform.facts if platform is not None else {})


def _range(span: pythons.Span) -> str:
    high = span.high if span.high is not None and span.high < _NO_SUCH else ()
    return "-".join(".".join(map(str, version)) for version in (span.low, high))


# Expressions that are true if a fact has a value, which is put into them.  They use the name ``sys`` only.
_SUFFIX = "__import__('_imp').extension_suffixes()[0]"
_GLIBC = "__import__('os').confstr('CS_GNU_LIBC_VERSION').split()[1].split('.')"
_EXPRESSIONS: dict[str, Callable[[str], str]] = {
    "version": lambda value: " <= sys.version_info < ".join(map(_tuple, value.split("-"))).removesuffix(" < ()"),
    "implementation": "sys.implementation.name == {!r}".format,
    "threads": lambda value: f"'t-' {'in' if value == 'free' else 'not in'} {_SUFFIX}.replace('td-', 't-')",
    "system": "sys.platform.startswith({!r})".format,
    "suffix": ("{!r} in " + _SUFFIX).format,
    "glibc": lambda value: f"tuple(map(int, {_GLIBC}[:2])) >= {_tuple(value)}",
    "machine": "__import__('os').uname().machine == {!r}".format,
}


def _tuple(version: str) -> str:
    return str(tuple(map(int, filter(None, version.split(".")))))


def _condition(facts: Mapping[str, Sequence[str]]) -> str:
    return " and ".join(_either(list(map(_EXPRESSIONS[fact], values))) or "False" for fact, values in facts.items())


def _either(texts: list[str]) -> str:
    return f"({' or '.join(texts)})" if len(texts) > 1 else "".join(texts)


def condition(alternatives: Sequence[RunsOn]) -> str:
    """Return a Python expression that is true where one of the *alternatives* is fulfilled.

    Without alternatives, the runtime is all that counts.
    """
    texts = list(dict.fromkeys(_condition(each.facts()) for each in alternatives or [RunsOn()]))
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
    return limits.fits(map(_encoded, alternatives or [RunsOn()]))


def _encoded(alternative: RunsOn) -> str:
    return " ".join(f"{fact}={'|'.join(values)}" for fact, values in alternative.facts().items())


def needs(alternatives: Sequence[RunsOn]) -> str:
    """Return in words, with the reasons, what a bundle with these *alternatives* needs."""
    return words([each.for_runtime() for each in alternatives or [RunsOn()]], place="")


def encode(alternatives: Sequence[RunsOn]) -> str:
    """Return the text for the index (`runtime.content.limits`); "" if the bundle runs on every Python."""
    texts = list(dict.fromkeys(map(_encoded, alternatives)))
    text = "\n".join([needs(alternatives), *texts])
    return "" if not texts or _encoded(RunsOn()) in texts or len(text) > _LONGEST else text


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
