"""What ``-X importtime`` prints: each import, and what was imported meanwhile.  Text in, values out; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# 3.11 and later; level 2 (3.14) has "cached" for times, in lines that say nothing new.
_LINE = re.compile(r"import time:\s*(?P<own>\d+) \|\s*(?P<total>\d+) \| (?P<indent> *)(?P<name>\S+)\s*$")


@dataclass
class Import:
    """A module that was imported.

    Attributes:
        name: its full name.
        depth: how deep the import was: 1 for those that nothing else was importing.
        own: the microseconds that it took, without what was imported meanwhile.
        total: the microseconds that it took, with what was imported meanwhile.
        nested: what was imported meanwhile, in order.

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
        # What was imported meanwhile stands before, and deeper.
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
