"""``bundleimp diff``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.diff import diff
from .color import Styled
from .output import add_json, plural, print_json, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..inspection.diff import Difference, MemberChange

DESCRIPTION = """Print the members that were added, removed or changed from A to B, and the differences between the
manifests of the bundles.  If one is a zip or a wheel, only members are compared.  Times and permissions are ignored.
Exit status 1: the bundles differ."""
EXAMPLES = (
    "bundleimp diff old.pybundle out.pybundle",
    "bundleimp diff --json old.pybundle out.pybundle",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only differences")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    before, after = open_bundle(arguments.before), open_bundle(arguments.after)
    difference = diff(before, after)
    if arguments.json:
        print_json({"same": not difference} | asdict(difference))
    else:
        for line in _lines(difference):
            show(*line)
        if not difference and not arguments.quiet:
            show(Styled("no difference", "good"), f": {plural(len(before.members), 'member')}")
    return 1 if difference else 0


def _lines(difference: Difference) -> Iterator[tuple[str | Styled, ...]]:
    """Yield the pieces of each line."""
    yield from ((Styled(f"added    {name}", "good"),) for name in difference.added)
    yield from ((Styled(f"removed  {name}", "bad"),) for name in difference.removed)
    for change in difference.changed:
        yield Styled(f"changed  {change.name}", "doubtful"), f" ({_sizes(change)})"
    for fact in difference.facts:
        yield Styled(f"{fact.name}:", "heading"), f" {fact.before or 'none'} -> {fact.after or 'none'}"


def _sizes(change: MemberChange) -> str:
    if change.before == change.after:
        return f"{change.before} bytes, as before"
    return f"{change.before} -> {change.after} bytes"
