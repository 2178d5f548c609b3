"""``bundleimp pack``."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from dataclasses import asdict

from ..packing.pack import pack
from .output import add_json, plural, print_json, size_text

DESCRIPTION = """Build a bundle.  A directory that holds __init__.py is a package and keeps its name; any other
directory gives its contents; a .py file is a top-level module.  The same inputs give the same bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="a directory or a .py module")
    add("output", metavar="OUT", help="the bundle to write; put in place only when it is complete")
    add(
        "--python",
        action="append",
        default=[],
        metavar="EXE",
        help="embed bytecode for this interpreter (repeatable; default: the running one)",
    )
    add("--no-bytecode", action="store_true", help="embed no bytecode; it is cached at the first import instead")
    add("--no-source", action="store_true", help="leave the source out: each module is its bytecode, for one Python")
    add("--optimize", type=int, choices=(0, 1, 2), default=0, help="optimisation level of the bytecode (default: 0)")
    add(
        "--layout",
        choices=("auto", "flat", "nested"),
        default="auto",
        help="flat: every zip tool sees the members; nested: the start of Python does not slow down with their number;"
        " auto (default): nested for large bundles",
    )
    add(
        "--compress",
        choices=("none", "deflate", "zstd"),
        default="deflate",
        help="how to compress sources and data (default: deflate); bytecode is never compressed",
    )
    add(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out members that match, or that lie in a folder that matches, by name or by path (repeatable)",
    )
    add(
        "--on-conflict",
        choices=("first", "last", "error"),
        default="error",
        help="which of two sources gives a member that both have with different content (default: error)",
    )
    add("--jobs", type=_number, metavar="N", help="how many processes compile (default: one per processor)")
    add("--quiet", action="store_true", help="print errors only")
    add_json(parser)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is not a number of processes"
        raise argparse.ArgumentTypeError(message)
    return int(text)


class _Progress:
    """One line on the terminal that is written over and over."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: int, total: int, name: str) -> None:
        now = time.monotonic()
        if now >= self._next and done < total:
            self._next = now + 0.1
            line = f"{done}/{total} {name}"[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def clear(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    # A terminated pack leaves no temporary file behind.  Only the main thread of a process may see to that.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    progress = _Progress() if sys.stderr.isatty() and not arguments.quiet else None
    try:
        report = pack(
            arguments.sources,
            arguments.output,
            python=arguments.python,
            bytecode=not arguments.no_bytecode,
            source=not arguments.no_source,
            optimize=arguments.optimize,
            compress=arguments.compress,
            layout=arguments.layout,
            exclude=arguments.exclude,
            on_conflict=arguments.on_conflict,
            jobs=arguments.jobs,
            progress=progress,
        )
    finally:
        if progress is not None:
            progress.clear()
    if not arguments.quiet:
        for warning in report.warnings:
            print(f"bundleimp: warning: {warning.member}: {warning.message}", file=sys.stderr)
    if arguments.json:
        print_json(asdict(report))
    elif not arguments.quiet:
        code = f"{plural(report.modules, 'module')} compiled" + (
            f" for {', '.join(report.code_tags)}" * bool(report.code_tags)
        )
        print(f"{report.output}: {size_text(report.size)}, {plural(report.members, 'member')}, {code}, {report.layout}")
    return 0
