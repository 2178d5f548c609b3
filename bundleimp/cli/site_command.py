"""``bundleimp site``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..inspection.unpack import unpack
from .output import print_path

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Unpack all of a bundle, with its bytecode for this Python, and print the folder.  Point linters, type
checkers, debuggers and test runners to it.  Without DIR, the folder is in the cache, and programs that are started with
BUNDLEIMP_UNPACK=1 import from it."""
EXAMPLES = (
    "bundleimp site out.pybundle",
    "bundleimp site out.pybundle folder",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", help="the folder to unpack into; it must be empty or not exist"
    )
    parser.add_argument("--keep", action="store_true", help="`bundleimp cache prune` and `clear` do not remove it")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    print_path(unpack(arguments.bundle, arguments.directory, keep=arguments.keep))
    return 0
