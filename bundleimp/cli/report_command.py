"""``bundleimp report``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.info import survey
from ..inspection.report.model import make_report
from ..inspection.report.page import render
from ..runtime.faults.kinds import BundleError
from ..wholefile import write_whole
from .output import plural, show, size_text

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Write one HTML page about a bundle: sizes as a treemap, real files and why they are needed, where the
bundle runs, and what `verify` finds.  With --profile, the command also starts the program, and the page shows which
module imports which, and how long that takes.  The page is one file, and loads nothing from a network."""
EXAMPLES = (
    "bundleimp report out.pybundle",
    "bundleimp report app.pybundle --profile '' -o app.html",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="the page to write (default: NAME.report.html in the working directory)",
    )
    parser.add_argument(
        "--profile",
        metavar="ARGUMENTS",
        help="start the program with these arguments ('' for none), or run '-m MODULE' or '-c CODE'; show the imports",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    bundle = open_bundle(arguments.bundle)
    output = arguments.output or os.path.splitext(os.path.basename(bundle.path))[0] + ".report.html"
    if os.path.exists(output) and os.path.samefile(output, bundle.path):
        message = "is the bundle itself; choose another file for the page"
        raise BundleError(message, file=output)
    described = survey(bundle)
    start = None
    if arguments.profile is not None:
        from ..inspection.report.profiling import profiled  # noqa: PLC0415 (only `--profile` needs it)

        start = profiled(bundle, arguments.profile)
    findings = bundle.verify()
    page = render(make_report(described, findings, start)).encode()
    write_whole(page, output)
    if not arguments.quiet:
        what = plural(len(findings), "problem") if findings else "sound"
        show(
            f"{output}: {size_text(len(page))}; {arguments.bundle}: {plural(described.info.members, 'member')}, {what}"
        )
    return 0
