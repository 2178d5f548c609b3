"""What came out: comparisons with their spread and limit, counts, and the statistics behind them.  No I/O."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Spread:
    """The middle of a series and how far it spreads: median and quartiles."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of *values*."""
        lower, median, upper = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        )
        return cls(median, lower, upper)


@dataclass(frozen=True)
class Figure:
    """A comparison of two variants: one line of the table.

    Attributes:
        name: what is compared with what.
        unit: "x" for a ratio, "ms" for a difference.
        cpu: the spread over the pairs, in CPU time.
        wall: the same in wall time.
        pairs: how many pairs.
        limit: what the median must not exceed in CPU time, or None where it only stands beside as a peer.
        by_wall: whether the limit is for wall time instead.

    """

    name: str
    unit: str
    cpu: Spread
    wall: Spread
    pairs: int
    limit: float | None = None
    by_wall: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        return None if self.limit is None else (self.wall if self.by_wall else self.cpu).median <= self.limit


@dataclass(frozen=True)
class Count:
    """What was counted at several sizes of the same work: one line of the table.

    Attributes:
        name: what was counted, and at which sizes.
        values: the counts, one per size.
        limit: what none of them may exceed, or None.
        constant: whether they have to be the same, whatever the size.

    """

    name: str
    values: Sequence[float]
    limit: float | None = None
    constant: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        return max(self.values) <= self.limit and not (self.constant and len(set(self.values)) > 1)


@dataclass(frozen=True)
class Quantity:
    """A ratio of two variants in something else than time: one line of the table.

    Attributes:
        name: what is compared with what.
        spread: the spread over the pairs.
        pairs: how many pairs.
        limit: what the median must not exceed, or None where it only stands beside as a peer.

    """

    name: str
    spread: Spread
    pairs: int
    limit: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        return None if self.limit is None else self.spread.median <= self.limit


@dataclass(frozen=True)
class Start:
    """The start of a program that was shipped in one way: one line of the table of programs.

    Attributes:
        program: the program, as it is typed.
        way: what it was shipped as.
        file: the size of its file in MB, or None where it is a folder.
        first: the first start over that of the base, in CPU time.
        later: later starts over those of the base, in CPU time.
        milliseconds: the median of later starts, in CPU time.
        left: how many files it leaves on disk, and their size in MB.
        instructions: the machine instructions of a later start, or None where they were not counted.
        elsewhere: what another Python does with the file, or "" where there is none.

    """

    program: str
    way: str
    file: float | None
    first: Spread
    later: Spread
    milliseconds: float
    left: tuple[int, float]
    instructions: int | None = None
    elsewhere: str = ""
    met = None
    """There is no limit."""

    @property
    def name(self) -> str:
        """What a figure is known by in its row."""
        return f"{self.program}, {self.way}"


@dataclass(frozen=True)
class Outcome:
    """What a row gives: its figures, and what a reader has to know to read them."""

    figures: Sequence[Figure | Count | Quantity | Start]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """A row of the suite.

    Attributes:
        name: what ``--row`` takes.
        pairs: how many interleaved pairs it makes unless told otherwise.
        run: does it, given a folder to work in and the number of pairs.
        title: the work that is measured, for readers of the table, where it stands alone.

    """

    name: str
    pairs: int
    run: Callable[[Path, int], Outcome]
    title: str


def ratio(name: str, ours: Sequence[Cost], theirs: Sequence[Cost], limit: float | None = None) -> Figure:
    """Return *ours* over *theirs*, pair by pair."""
    cpu = Spread.of([our.cpu / their.cpu for our, their in zip(ours, theirs, strict=True)])
    wall = Spread.of([our.wall / their.wall for our, their in zip(ours, theirs, strict=True)])
    return Figure(name, "x", cpu, wall, len(ours), limit)


def difference(name: str, ours: Sequence[Cost], theirs: Sequence[Cost], limit: float | None = None) -> Figure:
    """Return *ours* minus *theirs* in milliseconds, pair by pair; *limit* is in milliseconds too."""
    cpu = Spread.of([1e3 * (our.cpu - their.cpu) for our, their in zip(ours, theirs, strict=True)])
    wall = Spread.of([1e3 * (our.wall - their.wall) for our, their in zip(ours, theirs, strict=True)])
    return Figure(name, "ms", cpu, wall, len(ours), limit)


def proportion(name: str, ours: Sequence[float], theirs: Sequence[float], limit: float | None = None) -> Quantity:
    """Return *ours* over *theirs*, pair by pair, of something else than time."""
    spread = Spread.of([our / their for our, their in zip(ours, theirs, strict=True)])
    return Quantity(name, spread, len(ours), limit)
