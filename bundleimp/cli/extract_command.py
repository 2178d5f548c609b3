"""``bundleimp extract``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.extract import extract
from .output import add_json, plural, print_json, show

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Write a bundle's members as files below DIR.  Files that are there already are an error, unless
they have the same content; nothing is ever written outside DIR."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument("directory", metavar="DIR", help="made where it is missing")
    parser.add_argument(
        "patterns",
        nargs="*",
        metavar="PATTERN",
        help="only members that match, or that lie in a folder that matches, by name or by path",
    )
    parser.add_argument(
        "--target",
        metavar="NAME",
        help="the files for this target, if the bundle has several (default: the one for this Python)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    bundle = open_bundle(arguments.bundle)
    names = extract(bundle, arguments.directory, arguments.patterns, force=arguments.force, target=arguments.target)
    if arguments.json:
        print_json(names)
    elif not arguments.quiet:
        show(f"{arguments.directory}: {plural(len(names), 'file')}")
    return 0
