"""A profiled start: which module imports which, and how long that takes.  Text in, values out; no I/O.

``-X importtime`` prints how long an import took, and not when it began.  So the bars of the waterfall follow one
another, and leave out the time between imports.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ... import importtimes
from .names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...importtimes import Import

BEGIN = "bundleimp: here begins the program"
"""The line in the output between the imports of the interpreter and those of the program."""
MOST = 3000
"""The largest number of imports that are shown."""
WIDEST = 500
"""The largest number of imports of one module that are shown."""
_SUFFIXES = (".py", ".pyc", "/__init__.py", "/__init__.pyc")


@dataclass(frozen=True)
class Lazy:
    """A lazy import (PEP 810).

    Attributes:
        importer: the module that has the statement.
        module: the module that it names.
        name: the name that it takes from this module, or "".
        happened: whether the name was used before the program ended: only then is it imported.

    """

    importer: str
    module: str
    name: str
    happened: bool


@dataclass(frozen=True)
class Start:
    """What a program imported.

    Attributes:
        command: the user's words.
        python: the interpreter: "cpython 3.15.2".
        own: the microseconds of the imports of the interpreter itself, before those of the program.
        imports: the imports of the program that are nested in no other.
        lazy: its lazy imports; None if they are unknown.

    """

    command: str
    python: str
    own: int
    imports: list[Import]
    lazy: list[Lazy] | None


@dataclass
class Bar:
    """A bar of the waterfall.

    Attributes:
        name: the module.
        parent: the number of the bar of the module that imports it; -1 if it is the program.
        begin: the microseconds of all imports before it.
        own: the microseconds of the module itself.
        total: the microseconds of the module and of its imports.
        bundled: whether the module is in the bundle.
        lazy: whether an import of it was lazy.
        merged: how many imports it stands for, if these are the shorter ones of a module; else 0.

    """

    name: str
    parent: int
    begin: int
    own: int
    total: int
    bundled: bool = False
    lazy: bool = False
    merged: int = 0


def decode(command: str, python: str, output: str, lazy: list[Lazy] | None) -> Start:
    """Return the start that the *output* of ``-X importtime`` describes.

    Arguments:
        command: the command of the user.
        python: the interpreter: "cpython 3.15.2".
        output: the output, with the line `BEGIN`.
        lazy: the lazy imports; None if they are unknown.

    """
    before, _, after = output.partition(f"\n{BEGIN}\n")
    own = sum(each.total for each in importtimes.outermost(before))
    return Start(command, python, own, importtimes.outermost(after), lazy)


def bars(start: Start, members: Iterable[str]) -> list[Bar]:
    """Return the bars of a *start*, each after the one of its importer.

    Arguments:
        start: the start.
        members: the own names of the members of the bundle.

    """
    known = frozenset(members)
    lazy = _lazy(start)
    found: list[Bar] = []
    # The modules whose imports have no bars yet; the slowest comes next.
    waiting = [(-_total(start.imports), -1, 0, start.imports)]
    while waiting:
        _, parent, begin, imports = heapq.heappop(waiting)
        slowest = sorted(imports, key=lambda each: -each.total)[: max(min(WIDEST, MOST - len(found)), 0)]
        taken = set(map(id, slowest))
        for each in imports:
            if id(each) in taken:
                bar = Bar(shown(each.name), parent, begin, each.own, each.total)
                bar.bundled, bar.lazy = _is_member(each.name, known), each.name in lazy
                found.append(bar)
                if each.nested:
                    heapq.heappush(waiting, (-each.total, len(found) - 1, begin, each.nested))
            begin += each.total
        rest = [each for each in imports if id(each) not in taken]
        if rest:
            found.append(Bar(f"{len(rest)} shorter ones", parent, begin - _total(rest), 0, _total(rest)))
            found[-1].merged = len(rest)
    return found


def _total(imports: Iterable[Import]) -> int:
    return sum(each.total for each in imports)


def every(imports: Iterable[Import]) -> Iterator[Import]:
    """Yield *imports* and those that are nested in them."""
    waiting = list(imports)
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.nested


def _lazy(start: Start) -> set[str]:
    """Return the modules that were imported because of a lazy import."""
    imported = {each.name for each in every(start.imports)}
    found = set()
    for each in start.lazy or ():
        submodule = f"{each.module}.{each.name}"
        if each.happened:
            found.add(submodule if submodule in imported else each.module)
    return found


def _is_member(module: str, members: frozenset[str]) -> bool:
    path = module.replace(".", "/")
    return any(path + suffix in members for suffix in _SUFFIXES)
