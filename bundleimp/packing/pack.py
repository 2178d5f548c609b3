"""`pack`: gather, collect, compile and write, as one pipeline that holds a few files at a time."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..runtime.format import SUFFIX
from .collect import OnConflict, collect
from .compiler import Compiler
from .errors import PackError, PackWarning
from .executable import first_line, plan_program
from .inputs import gather, sort_inputs
from .manifest import encode_manifest
from .pipeline import write_members
from .profile import reading_order
from .reading import read
from .report import PackReport
from .units import plan_units
from .writer import BundleWriter
from .zipsink import Compression

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .collect import SourceFile

__all__ = ["PackReport", "PackWarning", "pack"]

Layout = Literal["auto", "flat", "nested"]

# Every interpreter parses the central directory of each zip on its path at start-up, at 3 to 7 microseconds an entry,
# before any hook can step in.  More entries than this cost over two milliseconds each time.
LARGEST_FLAT = 400


def pack(
    sources: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    requirements: Sequence[str] = (),
    requirement_files: Sequence[str | os.PathLike[str]] = (),
    from_venv: str | os.PathLike[str] | None = None,
    installer_options: Sequence[str] = (),
    python: Sequence[str] = (),
    bytecode: bool = True,
    source: bool = True,
    optimize: int = 0,
    compress: Compression = "deflate",
    layout: Layout = "auto",
    exclude: Sequence[str] = (),
    unpack: Sequence[str] = (),
    no_unpack: Sequence[str] = (),
    on_conflict: OnConflict = "error",
    entry_point: str | None = None,
    shebang: str | None = None,
    standalone: bool = False,
    profile: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> PackReport:
    """Build a bundle.

    The file is written beside *output* and renamed: whatever goes wrong, *output* is as it was.  The same inputs give
    the same bytes; the members' time is that of `SOURCE_DATE_EPOCH`, else 1980-01-01.

    Arguments:
        sources: directories, ``.py`` modules, wheels, and project folders.  A folder whose ``pyproject.toml`` names a
            build system or a project is built, and gives what is installed of it, without its dependencies (PEP 517);
            a directory with an ``__init__.py`` is a package and keeps its name; any other gives its contents.  May
            be empty where one of the next three is given.
        output: the bundle to make; its name should end in ``.pybundle``.
        requirements: requirement specifiers (PEP 508), and what else pip takes in their place; they are resolved with
            their dependencies by pip, or by uv where there is no pip.
        requirement_files: requirements files as of pip, and lock files (PEP 751), which are named ``pylock.toml`` or
            ``pylock.NAME.toml``; these need pip 26.1 or uv.
        from_venv: a virtual environment (PEP 405); what is installed in it is packed, editable installs included.
        installer_options: words that pip or uv gets as they are, such as ``["--index-url", url]``.
        python: interpreters to embed bytecode for (PEP 552, unchecked hash-based); default: the running one.  What is
            installed is installed for the first of them.
        bytecode: whether to embed any.
        source: whether to keep source; without it each module is its bytecode alone, for one interpreter.
        optimize: 0, 1 or 2, as of `compile`.
        compress: "none", "deflate", or "zstd" (Python 3.14 or newer); bytecode is never compressed.
        layout: "flat", "nested", or "auto": nested where the central directory would slow the interpreter's start.
        exclude: globs; a member is left out where one matches it, a folder above it, or the name of either.
        unpack: distributions or top-level packages that are imported from real files in the cache, as if installed.
        no_unpack: those that never are, whatever their modules ask for.
        on_conflict: "first", "last" or "error": what happens where two sources give one member different content.
        entry_point: makes the bundle a program: ``pkg.mod:func``, whose result is the exit status, ``pkg.mod``, which
            is run as by ``python -m``, or the name of a console script of a packed distribution.
        shebang: the interpreter in the file's first line; "" for no such line; default for a program:
            ``/usr/bin/env python3``.
        standalone: whether to embed the runtime, so that the program needs no bundleimp where it runs.
        profile: a command, in one string with quotes as in a shell, that starts the program and comes to an end; or a
            file to which ``python -X importtime`` wrote.  The bytecode then lies in the order in which the program
            imports its modules, and a start with a cold page cache reads forward.  The command runs over a copy of
            what is packed, first on Python's path; one that begins with ``python`` or an option is for the first of
            *python*.
        jobs: how many files are read, compressed and compiled at a time; default: one per processor.
        progress: called with the number of members written, that of all, and the name of the last.

    Returns:
        What was done.

    Raises:
        PackError: a `BundleError`; a source or the output cannot be used.

    """
    _check_choices(layout=(layout, Layout), compress=(compress, Compression), on_conflict=(on_conflict, OnConflict))
    if isinstance(sources, str) or optimize not in {0, 1, 2}:
        message = "sources is a sequence of paths, and optimize 0, 1 or 2"
        raise PackError(message)
    wanted = sort_inputs(sources, requirements, requirement_files, from_venv, installer_options)
    target = Path(os.path.realpath(output))
    _check_arguments(wanted.read_in_place, target, bytecode=bytecode, source=source, python=python, jobs=jobs)
    if profile is not None and not (bytecode and source):
        message = "a profile is for embedded bytecode beside source: give no --no-bytecode and no --no-source"
        raise PackError(message)
    if Path(output).suffix != SUFFIX:
        message = f"the name must end in {SUFFIX}: Python imports from no other bundles"
        raise PackError(message, file=str(output))
    jobs = jobs or os.cpu_count() or 1
    with ExitStack() as stack:
        installer_python = python[0] if python else sys.executable
        found = stack.enter_context(gather(wanted, python=installer_python, talk=progress is not None))
        files = collect(found.sources, exclude=exclude, on_conflict=on_conflict)
        program = plan_program(entry_point, [file.member for file in files], _reader(files), standalone=standalone)
        line = first_line(shebang, program)
        nested = layout == "nested" or (layout == "auto" and len(files) > LARGEST_FLAT)
        report = PackReport(str(output), members=len(files) + bool(program), layout="nested" if nested else "flat")
        report.warnings += found.warnings
        order = reading_order(os.fspath(profile), files, installer_python) if profile is not None else ()
        report.ordered = len(order)
        compilers = [
            stack.enter_context(Compiler(executable, optimize, jobs))
            for executable in ((python or [sys.executable]) if bytecode else ())
        ]
        _check_compilers(compilers, python)
        report.code_tags = [compiler.tag.name for compiler in compilers]
        # Without source, the bytecode is the member; it needs no second place.
        tags = [compiler.tag for compiler in compilers] if source else []
        try:
            writer = stack.enter_context(
                BundleWriter(
                    target,
                    tags=tags,
                    compression=compress,
                    nested=nested,
                    first_line=line,
                    executable=bool(line or program),
                )
            )
            if program is not None:
                program.write(writer, compilers)
            packed = write_members(writer, files, compilers, report, source=source, jobs=jobs, progress=progress)
            real = plan_units(packed.facts, packed.records, unpack=unpack, no_unpack=no_unpack)
            manifest = encode_manifest(
                report,
                inputs=wanted.names,
                compilers=compilers,
                metadata=packed.metadata,
                mirrored=real.mirrored,
                compress=compress,
                source=source,
                program=program,
                first_line=line,
            )
            del packed
            report.size = writer.finish(manifest, real, order)
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            raise PackError(message, file=str(output)) from error
    return report


def _reader(files: Sequence[SourceFile]) -> Callable[[str], bytes]:
    """Return what reads a member out of *files*."""
    paths = {file.member: file.path for file in files}
    return lambda member: read(paths[member])


def _check_choices(**choices: tuple[str, Any]) -> None:
    """Raise PackError for a value that is not among those of its `Literal` type."""
    for name, (value, kind) in choices.items():
        if value not in get_args(kind):
            message = f"{name} is one of {', '.join(get_args(kind))}, and not {value!r}"
            raise PackError(message)


def _check_arguments(
    sources: Sequence[Path], output: Path, *, bytecode: bool, source: bool, python: Sequence[str], jobs: int | None
) -> None:
    if not source and (not bytecode or len(python) > 1):
        message = (
            "without source each module is its bytecode for one Python: give no --no-bytecode and at most one --python"
        )
        raise PackError(message)
    if jobs is not None and jobs < 1:
        message = f"jobs is a number of files, at least 1, and not {jobs}"
        raise PackError(message)
    if output.is_dir():
        message = "is a directory; name the file to write"
        raise PackError(message, file=str(output))
    if output.exists() and not output.is_file():
        message = "is neither a file nor a directory, and would be replaced; name the file to write"
        raise PackError(message, file=str(output))
    if not output.parent.is_dir():
        message = f"cannot be written: there is no directory {output.parent}"
        raise PackError(message, file=str(output))
    for path in sources:
        real = Path(os.path.realpath(path))  # `Path.resolve` raises where links go in circles
        if real == output or (path.is_dir() and real in output.parents):
            message = f"the bundle would lie inside its source {path}; write it somewhere else"
            raise PackError(message, file=str(output))


def _check_compilers(compilers: Sequence[Compiler], python: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for compiler, executable in zip(compilers, python, strict=False):
        if compiler.tag.name in seen:
            message = f"is the same kind of Python ({compiler.tag.name}) as {seen[compiler.tag.name]}; name it once"
            raise PackError(message, file=executable)
        seen[compiler.tag.name] = executable
