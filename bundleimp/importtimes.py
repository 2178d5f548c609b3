"""The output of ``-X importtime``: each import, with those nested in it.  Text in, values out; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Python 3.11 and later.  Lines with "cached" for times (level 2, Python 3.14) are repetitions, and do not match.
# Programs print there, too: no time has so many digits that Python refuses to read them.
_LINE = re.compile(r"import time:\s*(?P<own>\d{1,15}) \|\s*(?P<total>\d{1,15}) \| (?P<indent> *)(?P<name>\S+)\s*$")


@dataclass
class Import:
    """A module that was imported.

    Attributes:
        name: its full name.
        depth: how deep the import was nested, from 1.
        own: the microseconds that it took, without nested imports.
        total: the microseconds that it took, with nested imports.
        nested: the nested imports, in order.

    """

    name: str
    depth: int
    own: int
    total: int
    nested: list[Import] = field(default_factory=list)


def outermost(text: str) -> list[Import]:
    """Return the imports in *text* that are nested in no other; empty if there is none."""
    waiting: list[Import] = []
    for found in _listed(text):
        # Nested imports are printed before the one that they are nested in, and indented deeper.
        while waiting and waiting[-1].depth > found.depth:
            found.nested.insert(0, waiting.pop())
        waiting.append(found)
    return waiting


def _listed(text: str) -> Iterator[Import]:
    for line in text.splitlines():
        match = _LINE.search(line)
        if match is not None:
            depth = len(match["indent"]) // 2 + 1
            yield Import(match["name"], depth, int(match["own"]), int(match["total"]))
