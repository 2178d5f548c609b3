"""The content of the page: the findings of the rest of `inspection`, with limits on the number of rows.  No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ...runtime.content.targets import split_name
from ..info import placed_units
from .sizetree import CLOSED, MERGED, Node, size_tree
from .start import Bar, Start, bars, every

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...importtimes import Import
    from ..finding import Finding
    from ..info import Info, PlacedUnit, Survey
    from ..sizes import Part
    from .start import Lazy

T = TypeVar("T")
MOST_ROWS = 500
"""The largest number of rows of a table."""
SLOWEST = 50
"""The number of modules in the table of the slowest."""


@dataclass(frozen=True)
class Rows(Generic[T]):
    """The rows of a table that are shown, and the number of those that are not."""

    shown: Sequence[T]
    more: int

    @classmethod
    def of(cls, items: Sequence[T], most: int = MOST_ROWS) -> Rows[T]:
        """Return the first *most* of *items* as rows."""
        return cls(items[:most], max(len(items) - most, 0))


@dataclass(frozen=True)
class Timing:
    """The part of the page about a profiled start.

    Attributes:
        start: the start.
        bars: the bars of its waterfall.
        slowest: the modules that take most time themselves, the slowest first.
        lazy: the lazy imports; None if they are unknown.
        modules: how many modules were imported.

    """

    start: Start
    bars: list[Bar]
    slowest: Rows[Import]
    lazy: Rows[Lazy] | None
    modules: int


@dataclass(frozen=True)
class Report:
    """The page.

    Attributes:
        info: the description of the bundle.
        tree: the nodes of the treemap.
        alone: how many members have a node of their own, in place of a merged one.
        parts: the distributions, the largest first.
        placed: the units that are placed as real files, with their targets; no targets if they are all.
        findings: what is wrong with the bundle.
        timing: the profiled start, or None.

    """

    info: Info
    tree: list[Node]
    alone: int
    parts: Rows[Part]
    placed: Rows[tuple[PlacedUnit, list[str]]]
    findings: Rows[Finding]
    timing: Timing | None


def make_report(survey: Survey, findings: Sequence[Finding], start: Start | None) -> Report:
    """Return the page about the bundle that *survey* describes.

    Arguments:
        survey: the description of the bundle, with the sizes of its members.
        findings: what is wrong with it.
        start: a profiled start, or None.

    """
    info = survey.info
    tree = size_tree(survey)
    parents = {node.parent for node in tree}
    alone = sum(
        node.members for at, node in enumerate(tree) if at not in parents and node.state not in {MERGED, CLOSED}
    )
    return Report(
        info,
        tree,
        alone,
        Rows.of(sorted(info.parts, key=lambda part: -part.total)),
        Rows.of(sorted(placed_units(info), key=lambda row: -(row[0].size or row[0].data_size))),
        Rows.of(findings),
        _timing(start, [split_name(share.name)[1] for share in survey.shares]) if start is not None else None,
    )


def _timing(start: Start, members: list[str]) -> Timing:
    everything = list(every(start.imports))
    slowest = Rows.of(sorted(everything, key=lambda each: (-each.own, each.name)), SLOWEST)
    lazy = Rows.of(start.lazy) if start.lazy is not None else None
    return Timing(start, bars(start, members), slowest, lazy, len(everything))
