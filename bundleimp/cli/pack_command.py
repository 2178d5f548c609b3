"""``bundleimp pack``."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

from ..packing.executable import SHEBANG
from ..packing.pack import pack
from ..runtime.errors import BundleError
from .output import add_json, plural, print_json, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..packing.report import PackReport

DESCRIPTION = """Build a bundle.  A SOURCE is a directory that holds __init__.py, which is a package and keeps its name;
any other directory, for its contents; a .py file, a top-level module; a wheel; or a project folder, whose
pyproject.toml names a build system or a project, for what is installed of it.  A wheel and a project come alone; with
-r and --with, what they need comes, too.  pip does the installing, or uv where pip is missing or cannot read a lock
file.  The same inputs give the same bytes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.intermixed = True  # type: ignore[attr-defined]
    parser.usage = "bundleimp pack [OPTION ...] [SOURCE ...] OUT [-- INSTALLER_OPTION ...]"
    parser.epilog = """What stands after -- goes to pip or uv as it is, for example: --index-url URL, or --platform
manylinux2014_x86_64 --python-version 3.12 --only-binary=:all:"""
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="a directory, a .py module, a wheel or a project")
    add("output", metavar="OUT", help="the bundle to write; put in place only when it is complete")
    add(
        "-r",
        "--requirement",
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
    add(
        "--python",
        action="append",
        default=[],
        metavar="EXE",
        help="embed bytecode for this interpreter (repeatable; default: the running one); -r and --with install for"
        " the first",
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
        "--unpack",
        action="append",
        default=[],
        metavar="NAME",
        help="import this distribution or top-level package from real files in the cache, as if installed (repeatable)",
    )
    add(
        "--no-unpack",
        action="append",
        default=[],
        metavar="NAME",
        help="never write the files of this one to the cache, whatever its modules look for (repeatable)",
    )
    add(
        "--on-conflict",
        choices=("first", "last", "error"),
        default="error",
        help="which of two sources gives a member that both have with different content (default: error)",
    )
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
    add(
        "--jobs",
        type=_number,
        metavar="N",
        help="how many files are read, compressed and compiled at a time (default: one per processor)",
    )
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


@contextlib.contextmanager
def _orderly_end() -> Iterator[None]:
    """Have the first signal that would end the process raise, so that nothing is left behind, and ignore any other."""

    def end(number: int, _frame: object) -> NoReturn:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    before = {}
    try:
        # Only the main thread of a process may see to that.
        with contextlib.suppress(ValueError):
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                # What is ignored already (by `nohup`, or in the background) stays so.
                if number is not None and (handler := signal.getsignal(number)) not in {signal.SIG_IGN, None}:
                    signal.signal(number, end)
                    before[number] = handler
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    if not (arguments.sources or arguments.requirement or arguments.requirements or arguments.from_venv):
        message = "give a SOURCE, -r, --with or --from-venv beside OUT; see 'bundleimp pack --help'"
        raise BundleError(message)
    with _orderly_end():
        report = _pack(arguments)
    _print(arguments, report)
    return 0


def _pack(arguments: argparse.Namespace) -> PackReport:
    progress = _Progress() if sys.stderr.isatty() and not arguments.quiet else None
    try:
        return pack(
            arguments.sources,
            arguments.output,
            requirements=arguments.requirements,
            requirement_files=arguments.requirement,
            from_venv=arguments.from_venv,
            installer_options=arguments.passed_on,
            python=arguments.python,
            bytecode=not arguments.no_bytecode,
            source=not arguments.no_source,
            optimize=arguments.optimize,
            compress=arguments.compress,
            layout=arguments.layout,
            exclude=arguments.exclude,
            unpack=arguments.unpack,
            no_unpack=arguments.no_unpack,
            on_conflict=arguments.on_conflict,
            entry_point=arguments.entry_point,
            shebang=arguments.shebang,
            standalone=arguments.standalone,
            profile=arguments.profile,
            jobs=arguments.jobs,
            progress=progress,
        )
    finally:
        if progress is not None:
            progress.clear()


def _print(arguments: argparse.Namespace, report: PackReport) -> None:
    if not arguments.quiet:
        for warning in report.warnings:
            print(f"bundleimp: warning: {warning.member}: {warning.message}", file=sys.stderr)
    if arguments.json:
        print_json(asdict(report))
    elif not arguments.quiet:
        code = f"{plural(report.modules, 'module')} compiled" + (
            f" for {', '.join(report.code_tags)}" * bool(report.code_tags)
        )
        ordered = f", {report.ordered} of them in the order of the profile" * bool(report.ordered)
        print(
            f"{report.output}: {size_text(report.size)}, {plural(report.members, 'member')}, {code}{ordered},"
            f" {report.layout}"
        )
