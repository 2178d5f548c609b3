"""``bundleimp pack``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, get_args

from ..packing.build import build
from ..packing.executable import SHEBANG
from ..packing.leftout import summary
from ..packing.options import (
    OPTIMIZATION_LEVELS,
    Compression,
    InstallerName,
    Layout,
    Laziness,
    OnConflict,
    PackOptions,
)
from ..packing.report import imports_text
from ..runson import words
from ..runtime.faults.kinds import BundleError
from .output import add_json, plural, print_json, show, show_warning, size_text
from .pack_options import folder_of, options_of
from .signals import orderly_end
from .terminal import display

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..packing.progress import Step
    from ..packing.report import PackReport
    from .progress import Display

DESCRIPTION = """Build a bundle.  A SOURCE is a package (a directory with __init__.py), another directory, of which the
contents are packed, a .py file, a wheel, a project (a directory whose pyproject.toml names a project or a build
system), or a bundle.  Wheels and projects are packed without their dependencies; -r and --with pack dependencies, too.
--project packs a project with its dependencies, as its lock file and its table [tool.bundleimp] say.  A .py file with
inline metadata (PEP 723) becomes a program with its dependencies.  uv installs them, or pip if uv is missing.  The same
inputs give the same bytes."""
EXAMPLES = (
    "bundleimp pack src out.pybundle",
    "bundleimp pack src app.pybundle -e mypkg.app:main --standalone",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments; those that are options of `pack` have the names of its keywords."""
    parser.intermixed = True  # type: ignore[attr-defined]
    parser.alone = {"--lazy": "packages"}  # type: ignore[attr-defined]
    parser.usage = "bundleimp pack [OPTION ...] [SOURCE ...] OUT [-- INSTALLER_OPTION ...]"
    parser.epilog = """The words after -- are options of 'uv pip install', or of 'pip install' if uv is missing or with
--installer pip, for example: --index-url URL.  The table [tool.bundleimp] in pyproject.toml has the options of this
command by their long names (sources, requirements, entry-point, exclude, ...); options given here replace it."""
    _add_inputs(parser)
    _add_code(parser)
    _add_members(parser)
    _add_program(parser)
    parser.add_argument(
        "--jobs",
        type=_number,
        metavar="N",
        help="how many files to read, compress and compile at a time (default: one per processor)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_json(parser)
    names = [field.name for field in fields(PackOptions)]
    parser.set_defaults(defaults={name: parser.get_default(name) for name in names})
    parser.unset = tuple(names)  # type: ignore[attr-defined]


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="a directory, a .py module, a wheel, a project or a bundle")
    add(
        "output",
        nargs="?",
        metavar="OUT",
        help="the bundle to write: NAME.pybundle, or NAME.pybundle.zip for engines such as Spark; an error leaves"
        " an existing file unchanged (default with --project: dist/NAME.pybundle in the project)",
    )
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
        help="a distribution and its dependencies: 'rich>=13', or '.' for the project in this folder (repeatable)",
    )
    add("--from-venv", metavar="DIR", help="pack what is installed in a virtual environment, with editable installs")
    _add_project(parser)


def _add_project(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--project",
        metavar="DIR",
        help="pack a project with its dependencies, by its uv.lock or pylock.toml if it has one, and as"
        " [tool.bundleimp] in its pyproject.toml says",
    )
    add(
        "--extra",
        dest="extras",
        action="append",
        default=[],
        metavar="NAME",
        help="with --project: also pack what this extra of the project needs (repeatable)",
    )
    add(
        "--group",
        dest="groups",
        action="append",
        default=[],
        metavar="NAME",
        help="with --project: also pack this dependency group (repeatable; default: none)",
    )
    add(
        "--installer",
        choices=get_args(InstallerName),
        help="the installer (default: uv if it is found, as a command or a module, else pip)",
    )


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
        help="pack bytecode in place of source; the bundle then works with one Python version only",
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
        help="flat: zip tools list all members; nested: Python starts faster where there are many members;"
        " auto (default): nested for large bundles, but flat for names such as out.pybundle.zip",
    )
    add(
        "--compress",
        choices=get_args(Compression),
        default="deflate",
        help="how to compress sources and data (default: deflate)",
    )
    add(
        "--compress-bytecode",
        choices=get_args(Compression),
        default="none",
        help="how to compress bytecode (default: none): half the size, and an import takes longer",
    )
    add(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out files and folders whose name or path matches (repeatable)",
    )
    add(
        "--include",
        action="append",
        default=[],
        metavar="GLOB",
        help="pack files and folders that are left out of a directory by default: secrets, virtual environments,"
        " version control, caches, build output, bundles, and names with a dot in front at its top;"
        " --exclude has precedence (repeatable)",
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
        help="never place files of this distribution or top-level package in the cache (repeatable)",
    )
    add(
        "--on-conflict",
        choices=get_args(OnConflict),
        default="error",
        help="which source to take if two have the same member with different content (default: error)",
    )


def _add_program(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "-e",
        "--entry-point",
        metavar="NAME",
        help="make the bundle a program: PKG.MOD:FUNC, PKG.MOD (run as by python -m), a console script's name, or '*'"
        " for all console scripts; OUT may then have any name",
    )
    add(
        "--shebang",
        nargs="?",
        const=SHEBANG,
        metavar="INTERPRETER",
        help=f"the interpreter in the first line, which makes the file executable (default: {SHEBANG},"
        " with --entry-point also where this option is not given; '' for no such line); without --entry-point, the"
        " program is a Python interpreter",
    )
    add(
        "--standalone",
        action="store_true",
        help="embed the runtime, so that the program needs no bundleimp where it runs; without --entry-point, the"
        " program is a Python interpreter",
    )
    add(
        "--profile",
        metavar="COMMAND",
        help="order the bytecode as this command imports it, for faster starts with a cold disk cache: '-m mypkg"
        " --help', or a file with the output of python -X importtime",
    )
    add(
        "--profile-only",
        action="store_true",
        help="embed bytecode only for the modules that the profile imports; others are compiled at their first import,"
        " and cached",
    )
    _add_laziness(add)


def _add_laziness(add: Callable[..., object]) -> None:
    add(
        "--lazy",
        choices=get_args(Laziness),
        metavar="[=all]",
        help="make the program's imports from other distributions lazy on Python 3.15 and newer; --lazy=all: also those"
        " within a distribution",
    )
    add(
        "--eager",
        metavar="NAME",
        action="append",
        default=[],
        help="with --lazy: imports of this module or package stay eager (repeatable)",
    )


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is not a number of jobs"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    options = options_of(arguments)
    if not options.has_inputs:
        message = "nothing to pack: the last word is OUT; give a SOURCE, -r, --with or --from-venv before OUT,"
        message += " or --project DIR; see 'bundleimp pack --help'"
        raise BundleError(message)
    with (
        orderly_end(),
        folder_of(options.output, wanted=arguments.output is None),
        display(quiet=arguments.quiet or arguments.json) as shown,
    ):
        report = build(options if shown is None else replace(options, progress=_told(shown)))
    _print(arguments, report)
    return 0


def _told(shown: Display) -> Callable[[Step], None]:
    return lambda step: shown.update(step.phase, step.done, step.total, step.name)


def _print(arguments: argparse.Namespace, report: PackReport) -> None:
    if not arguments.quiet:
        for warning in report.warnings:
            show_warning(f"{warning.member}: {warning.message}")
        if report.left_out:
            show(f"bundleimp: left out: {summary(report.left_out)} (keep with --include GLOB)", file=sys.stderr)
    runs_on = [each.for_runtime() for each in report.runs_on]
    if arguments.json:
        # The same versions as in the printed text.
        print_json(asdict(replace(report, runs_on=runs_on)))
    elif not arguments.quiet:
        code = f"{plural(report.modules, 'module')} compiled" + (
            f" for {', '.join(report.code_tags)}" * bool(report.code_tags)
        )
        ordered = f", {report.ordered} of them in the order of the profile" * bool(report.ordered)
        kept = f" ({report.kept} of them kept from bundles)" * bool(report.kept)
        show(
            f"{report.output}: {size_text(report.size)}, {plural(report.members, 'member')}, {code}{kept}{ordered},"
            f" {report.layout}" + f", files for {', '.join(report.targets)}" * bool(report.targets)
        )
        if report.imports:
            show(imports_text(report.imports))
        if runs_on:
            show(f"runs on {words(runs_on)}")
