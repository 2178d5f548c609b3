"""`pack`: collect, compile and write, as one pipeline that holds a few files at a time."""

from __future__ import annotations

import collections
import email.parser
import io
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import __version__
from ..runtime.format import SUFFIX, VERSION
from .collect import OnConflict, SourceFile, collect
from .compiler import Compiler
from .errors import PackError
from .executable import Program, first_line, plan
from .writer import BundleWriter
from .zipsink import Compression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from .compiler import Compiled

Layout = Literal["auto", "flat", "nested"]

# Every interpreter parses the central directory of each zip on its path at start-up, at 3 to 7 microseconds an entry,
# before any hook can step in.  More entries than this cost over two milliseconds each time.
LARGEST_FLAT = 400


@dataclass(frozen=True)
class PackWarning:
    """Something that the packed bundle does without.

    Attributes:
        member: the member it is about.
        message: what is wrong.

    """

    member: str
    message: str


@dataclass
class PackReport:
    """What `pack` did.

    Attributes:
        output: the bundle's path.
        size: its size in bytes.
        members: how many payload members it has.
        modules: how many modules have embedded bytecode.
        layout: "flat" or "nested".
        code_tags: the code tags of the embedded bytecode.
        warnings: what could not be compiled.

    """

    output: str
    size: int = 0
    members: int = 0
    modules: int = 0
    layout: str = "flat"
    code_tags: list[str] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)


@dataclass
class _Item:
    """A file in the pipeline; ``data`` is its content where that is needed as a whole."""

    file: SourceFile
    data: bytes | None
    futures: list[Future[Compiled]]


def pack(
    sources: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    python: Sequence[str] = (),
    bytecode: bool = True,
    source: bool = True,
    optimize: int = 0,
    compress: Compression = "deflate",
    layout: Layout = "auto",
    exclude: Sequence[str] = (),
    on_conflict: OnConflict = "error",
    entry_point: str | None = None,
    shebang: str | None = None,
    standalone: bool = False,
    jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> PackReport:
    """Build a bundle.

    The file is written beside *output* and renamed: whatever goes wrong, *output* is as it was.  The same inputs give
    the same bytes; the members' time is that of `SOURCE_DATE_EPOCH`, else 1980-01-01.

    Arguments:
        sources: directories and ``.py`` modules.  A directory with an ``__init__.py`` is a package and keeps its name;
            any other gives its contents.
        output: the bundle to make; its name should end in ``.pybundle``.
        python: interpreters to embed bytecode for (PEP 552, unchecked hash-based); default: the running one.
        bytecode: whether to embed any.
        source: whether to keep source; without it each module is its bytecode alone, for one interpreter.
        optimize: 0, 1 or 2, as of `compile`.
        compress: "none", "deflate", or "zstd" (Python 3.14 or newer); bytecode is never compressed.
        layout: "flat", "nested", or "auto": nested where the central directory would slow the interpreter's start.
        exclude: globs; a member is left out where one matches it, a folder above it, or the name of either.
        on_conflict: "first", "last" or "error": what happens where two sources give one member different content.
        entry_point: makes the bundle a program: ``pkg.mod:func``, whose result is the exit status, ``pkg.mod``, which
            is run as by ``python -m``, or the name of a console script of a packed distribution.
        shebang: the interpreter in the file's first line; "" for no such line; default for a program:
            ``/usr/bin/env python3``.
        standalone: whether to embed the runtime, so that the program needs no bundleimp where it runs.
        jobs: how many processes compile; default: one per processor.
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
    paths = [Path(path) for path in sources]
    target = Path(os.path.realpath(output))
    _check_arguments(paths, target, bytecode=bytecode, source=source, python=python, jobs=jobs)
    if Path(output).suffix != SUFFIX:
        message = f"the name must end in {SUFFIX}: Python imports from no other bundles"
        raise PackError(message, file=str(output))
    files = collect(paths, exclude=exclude, on_conflict=on_conflict)
    nested = layout == "nested" or (layout == "auto" and len(files) > LARGEST_FLAT)
    contents = {file.member: file.path for file in files}
    program = plan(entry_point, list(contents), lambda name: _read(contents[name]), standalone=standalone)
    line = first_line(shebang, program)
    report = PackReport(str(output), members=len(files) + bool(program), layout="nested" if nested else "flat")
    with ExitStack() as stack:
        compilers = [
            stack.enter_context(Compiler(executable, optimize, jobs or os.cpu_count() or 1))
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
            distributions: list[dict[str, str]] = []
            for done, item in enumerate(_compiled(files, compilers), 1):
                _write(writer, item, report, source=source)
                if item.file.is_metadata and item.data is not None:
                    distributions.append(_distribution(item.data))
                if progress is not None:
                    progress(done, len(files), item.file.member)
            manifest = _manifest(
                paths, compilers, distributions, report, compress=compress, source=source, program=program, line=line
            )
            report.size = writer.finish(manifest)
        except OSError as error:
            message = f"cannot be written: {error.strerror or error}"
            raise PackError(message, file=str(output)) from error
    return report


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
        message = f"jobs is the number of processes, at least 1, and not {jobs}"
        raise PackError(message)
    if output.is_dir():
        message = "is a directory; name the file to write"
        raise PackError(message, file=str(output))
    if not output.parent.is_dir():
        message = f"cannot be written: there is no directory {output.parent}"
        raise PackError(message, file=str(output))
    for path in sources:
        real = path.resolve()
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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise PackError(message, file=str(path)) from None


def _compiled(files: Sequence[SourceFile], compilers: Sequence[Compiler]) -> Iterator[_Item]:
    """Yield the files in order; those ahead are being compiled, but only so many are held."""
    ahead = 8 * (os.cpu_count() or 1)
    waiting: collections.deque[_Item] = collections.deque()
    for file in files:
        data = _read(file.path) if file.is_module or file.is_metadata else None
        module = data if file.is_module else None
        futures = [compiler.submit(file.member, module) for compiler in compilers] if module is not None else []
        waiting.append(_Item(file, data, futures))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting


def _write(writer: BundleWriter, item: _Item, report: PackReport, *, source: bool) -> None:
    file = item.file
    if item.data is None:
        try:
            stream = file.path.open("rb")
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            raise PackError(message, file=str(file.path)) from None
        with stream:
            writer.add(file.member, stream, [None] * len(writer.tags), executable=file.executable)
        return
    results = [future.result() for future in item.futures]
    failures = {result.failure for result in results if result.image is None}
    report.warnings += [
        PackWarning(file.member, f"{failure}; kept as a file, not compiled") for failure in sorted(failures)
    ]
    if results and not failures:
        report.modules += 1
    image = results[0].image if results and not source else None
    if image is not None:
        writer.add(f"{file.member}c", io.BytesIO(image), [], executable=False, stored=True)
    else:
        images = [result.image for result in results] if results and source else [None] * len(writer.tags)
        writer.add(file.member, io.BytesIO(item.data), images, executable=file.executable)


def _distribution(metadata: bytes) -> dict[str, str]:
    headers = email.parser.BytesParser().parsebytes(metadata, headersonly=True)
    return {"name": str(headers.get("Name", "")), "version": str(headers.get("Version", ""))}


def _manifest(
    sources: Sequence[Path],
    compilers: Sequence[Compiler],
    distributions: list[dict[str, str]],
    report: PackReport,
    *,
    compress: str,
    source: bool,
    program: Program | None,
    line: bytes,
) -> bytes:
    manifest: dict[str, Any] = {
        "format": VERSION,
        "tool": f"bundleimp {__version__}",
        "inputs": [Path(os.path.abspath(path)).name for path in sources],
        "layout": report.layout,
        "compress": compress,
        "source": source,
        "python": [
            {"tag": compiler.tag.name, "magic": compiler.tag.magic.hex(), "version": compiler.version}
            for compiler in compilers
        ],
        "distributions": sorted(distributions, key=lambda item: item["name"].lower()),
        "members": report.members,
        "entry_point": str(program.entry_point) if program is not None else None,
    }
    if line:
        manifest["shebang"] = line[2:-1].decode("utf-8", "surrogateescape")
    if program is not None and program.standalone:
        manifest["standalone"] = True
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
