"""``bundleimp pack``."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, get_args

from ..packing.build import build
from ..packing.executable import SHEBANG
from ..packing.options import OPTIMIZATION_LEVELS, Compression, Layout, OnConflict, PackOptions
from ..runtime.faults.kinds import BundleError, printable
from .output import add_json, plural, print_json, show, size_text
from .signals import orderly_end

if TYPE_CHECKING:
    from ..packing.report import PackReport

DESCRIPTION = """Build a bundle.  A SOURCE is a directory that holds __init__.py, which is a package and keeps its name;
any other directory, for its contents; a .py file, a top-level module; a wheel; or a project folder, whose
pyproject.toml names a build system or a project, for what is installed of it.  A wheel and a project come alone; with
-r and --with, what they need comes, too.  pip does the installing, or uv where pip is missing or cannot read a lock
file.  The same inputs give the same bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments; those that are options of `pack` have the names of its keywords."""
    parser.intermixed = True  # type: ignore[attr-defined]
    parser.usage = "bundleimp pack [OPTION ...] [SOURCE ...] OUT [-- INSTALLER_OPTION ...]"
    parser.epilog = """What stands after -- goes to pip or uv as it is, for example: --index-url URL, or --platform
manylinux2014_x86_64 --python-version 3.12 --only-binary=:all:"""
    _add_inputs(parser)
    _add_code(parser)
    _add_members(parser)
    _add_program(parser)
    parser.add_argument(
        "--jobs",
        type=_number,
        metavar="N",
        help="how many files are read, compressed and compiled at a time (default: one per processor)",
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    add_json(parser)


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="a directory, a .py module, a wheel or a project")
    add("output", metavar="OUT", help="the bundle to write; put in place only when it is complete")
    add(
        "-r",
        "--requirement",
        dest="requirement_files",
        action="append",
        default=[],
        metavar="FILE",
        help="a requirements file, or a lock file (pylock.toml, pylock.NAME.toml) (repeatable)",
    )
    add(
        "--with",
        dest="requirements",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help="a distribution with what it needs: 'rich>=13', or '.' for the project here (repeatable)",
    )
    add("--from-venv", metavar="DIR", help="what is installed in a virtual environment, editable installs included")


def _add_code(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--python",
        action="append",
        default=[],
        metavar="EXE",
        help="pack for this interpreter: install for it, and embed its bytecode (repeatable; default: the running one)",
    )
    add(
        "--target",
        action="append",
        default=[],
        metavar="TAG",
        help="pack for a Python that is not here: install wheels for it, by uv or pip (repeatable); for example"
        " cp313-manylinux_2_28_x86_64, cp313-macosx_11_0_arm64, cp313-win_amd64",
    )
    add(
        "--no-bytecode",
        dest="bytecode",
        action="store_false",
        help="embed no bytecode; it is cached at the first import instead",
    )
    add(
        "--no-source",
        dest="source",
        action="store_false",
        help="leave the source out: each module is its bytecode, for one Python",
    )
    add(
        "--optimize",
        type=int,
        choices=OPTIMIZATION_LEVELS,
        default=0,
        help="optimisation level of the bytecode (default: 0)",
    )


def _add_members(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--layout",
        choices=get_args(Layout),
        default="auto",
        help="flat: every zip tool sees the members; nested: the start of Python does not slow down with their number;"
        " auto (default): nested for large bundles",
    )
    add(
        "--compress",
        choices=get_args(Compression),
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
        "--unpack",
        action="append",
        default=[],
        metavar="NAME",
        help="place all files of this distribution or top-level package in the cache when it is imported (repeatable)",
    )
    add(
        "--no-unpack",
        action="append",
        default=[],
        metavar="NAME",
        help="never place files of this one in the cache, whatever its modules look for (repeatable)",
    )
    add(
        "--on-conflict",
        choices=get_args(OnConflict),
        default="error",
        help="which of two sources gives a member that both have with different content (default: error)",
    )


def _add_program(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "-e",
        "--entry-point",
        metavar="NAME",
        help="make the bundle a program: PKG.MOD:FUNC, PKG.MOD (run as by python -m), or a console script's name",
    )
    add(
        "--shebang",
        nargs="?",
        const=SHEBANG,
        metavar="INTERPRETER",
        help=f"the interpreter in the first line, which makes the file executable (default: {SHEBANG},"
        " with --entry-point also where this option is not given; '' for no such line)",
    )
    add(
        "--standalone",
        action="store_true",
        help="embed the runtime, so that the program needs no bundleimp where it runs",
    )
    add(
        "--profile",
        metavar="COMMAND",
        help="lay out bytecode in the order in which this command imports it ('-m mypkg --help': python may be left"
        " out), or a file does to which python -X importtime wrote: a start with a cold disk cache reads forward",
    )


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
            line = printable(f"{done}/{total} {name}")[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()

    def clear(self) -> None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    progress = _Progress() if sys.stderr.isatty() and not arguments.quiet else None
    options = _options(arguments, progress)
    if not options.has_inputs:
        message = "give a SOURCE, -r, --with or --from-venv beside OUT; see 'bundleimp pack --help'"
        raise BundleError(message)
    with orderly_end():
        try:
            report = build(options)
        finally:
            if progress is not None:
                progress.clear()
    _print(arguments, report)
    return 0


def _options(arguments: argparse.Namespace, progress: _Progress | None) -> PackOptions:
    """Return the options of `pack`; the arguments have the names of its fields."""
    given = vars(arguments) | {"installer_options": arguments.passed_on, "progress": progress}
    return PackOptions(**{field.name: given[field.name] for field in fields(PackOptions)})


def _print(arguments: argparse.Namespace, report: PackReport) -> None:
    if not arguments.quiet:
        for warning in report.warnings:
            show(f"bundleimp: warning: {warning.member}: {warning.message}", file=sys.stderr)
    if arguments.json:
        print_json(asdict(report))
    elif not arguments.quiet:
        code = f"{plural(report.modules, 'module')} compiled" + (
            f" for {', '.join(report.code_tags)}" * bool(report.code_tags)
        )
        ordered = f", {report.ordered} of them in the order of the profile" * bool(report.ordered)
        show(
            f"{report.output}: {size_text(report.size)}, {plural(report.members, 'member')}, {code}{ordered},"
            f" {report.layout}" + f", files for {', '.join(report.targets)}" * bool(report.targets)
        )
