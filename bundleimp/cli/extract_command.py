"""``bundleimp extract``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.extract import extract
from .output import add_json, plural, print_json, show

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Write the members of a bundle as files below DIR, and nothing outside of DIR.  An existing file with
different content is an error, unless --force is given."""
EXAMPLES = (
    "bundleimp extract out.pybundle files",
    "bundleimp extract out.pybundle sources '*.py' --force",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument("directory", metavar="DIR", help="the folder to write to; created if it does not exist")
    parser.add_argument(
        "patterns",
        nargs="*",
        default=[],
        metavar="PATTERN",
        help="extract only files and folders whose name or path matches",
    )
    parser.add_argument(
        "--target",
        metavar="NAME",
        help="extract the files for this target, if the bundle has several (default: the one for this Python)",
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
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
