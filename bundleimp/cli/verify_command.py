"""``bundleimp verify``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from .output import add_json, plural, print_json

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Check every checksum, every name, size and offset, RECORD, and the index against the central directory.
Nothing in the file is run or unmarshalled.  Exit status 1 means that something is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument("--quiet", action="store_true", help="print what is wrong, and nothing where all is well")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    bundle = open_bundle(arguments.bundle)
    findings = bundle.verify()
    if arguments.json:
        print_json({"sound": not findings, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"{arguments.bundle}: {finding}")
        if not findings and not arguments.quiet:
            print(f"{arguments.bundle}: sound, {plural(len(bundle.members), 'member')}, {bundle.layout}")
    return 1 if findings else 0
