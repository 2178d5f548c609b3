"""``bundleimp explain``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.explain import explain
from ..runtime.hook import install
from .output import add_json, print_json, show

if TYPE_CHECKING:
    import argparse

    from ..inspection.explain import Candidate

DESCRIPTION = """Show which path entry a module comes from, and which other modules of that name it shadows.
Nothing is imported.  Exit status 1: there is no such module."""
EXAMPLES = (
    "bundleimp explain json",
    "bundleimp explain mypkg --path out.pybundle",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="the module's full name")
    parser.add_argument("--path", nargs="+", metavar="ENTRY", help="search these path entries instead of sys.path")
    add_json(parser)


def _text(candidate: Candidate) -> str:
    loader = f", {candidate.loader}" if candidate.loader else ""
    real = f"; imported as {candidate.real}" if candidate.real else ""
    return f"{candidate.kind} {candidate.origin} (path entry {candidate.entry}{loader}){real}"


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    install()
    candidates = explain(arguments.name, arguments.path)
    if arguments.json:
        print_json([asdict(candidate) for candidate in candidates])
        return 0 if candidates else 1
    if not candidates:
        show(f"{arguments.name}: found in no path entry", file=sys.stderr)
        return 1
    first, *rest = candidates
    show(f"{arguments.name}: {_text(first)}")
    for candidate in rest:
        portion = first.kind == candidate.kind == "namespace portion"
        show(f"  {'and' if portion else 'shadows'} {_text(candidate)}")
    return 0
