"""`pack`: collect, compile and write, as one pipeline that holds a few files at a time."""

from __future__ import annotations

import collections
import email.parser
import io
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from .. import __version__
from ..runtime.format import SUFFIX, VERSION
from .collect import OnConflict, SourceFile, collect
from .compiler import Compiler
from .errors import PackError, PackWarning
from .inputs import gather, sort_inputs
from .locations import NONE, Question, question_of_image, question_of_source
from .units import Fact, Plan, plan
from .writer import BundleWriter
from .zipsink import Compression, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from .compiler import Compiled

Layout = Literal["auto", "flat", "nested"]

# Every interpreter parses the central directory of each zip on its path at start-up, at 3 to 7 microseconds an entry,
# before any hook can step in.  More entries than this cost over two milliseconds each time.
LARGEST_FLAT = 400


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
    wanted = sort_inputs(sources, requirements, requirement_files, from_venv, installer_options)
    target = Path(os.path.realpath(output))
    _check_arguments(wanted.read_in_place, target, bytecode=bytecode, source=source, python=python, jobs=jobs)
    if Path(output).suffix != SUFFIX:
        message = f"the name must end in {SUFFIX}: Python imports from no other bundles"
        raise PackError(message, file=str(output))
    with ExitStack() as stack:
        installer_python = python[0] if python else sys.executable
        found = stack.enter_context(gather(wanted, python=installer_python, talk=progress is not None))
        files = collect(found.sources, exclude=exclude, on_conflict=on_conflict)
        nested = layout == "nested" or (layout == "auto" and len(files) > LARGEST_FLAT)
        report = PackReport(str(output), members=len(files), layout="nested" if nested else "flat")
        report.warnings += found.warnings
        compilers = [
            stack.enter_context(Compiler(executable, optimize, jobs or os.cpu_count() or 1))
            for executable in ((python or [sys.executable]) if bytecode else ())
        ]
        _check_compilers(compilers, python)
        report.code_tags = [compiler.tag.name for compiler in compilers]
        # Without source, the bytecode is the member; it needs no second place.
        tags = [compiler.tag for compiler in compilers] if source else []
        try:
            writer = stack.enter_context(BundleWriter(target, tags=tags, compression=compress, nested=nested))
            distributions: list[dict[str, str]] = []
            facts: list[Fact] = []
            records: dict[str, bytes] = {}
            for done, item in enumerate(_compiled(files, compilers), 1):
                facts.append(_write(writer, item, report, source=source))
                if item.file.is_record and item.data is not None:
                    records[item.file.member] = item.data
                elif item.file.is_metadata and item.data is not None:
                    distributions.append(_distribution(item.data))
                if progress is not None:
                    progress(done, len(files), item.file.member)
            real = plan(facts, records, unpack=unpack, no_unpack=no_unpack)
            manifest = _manifest(wanted.names, compilers, distributions, report, real, compress=compress, source=source)
            report.size = writer.finish(manifest, real)
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
        whole = file.is_module or file.is_metadata or file.is_record or file.member.endswith(".pyc")
        data = _read(file.path) if whole else None
        module = data if file.is_module else None
        futures = [compiler.submit(file.member, module) for compiler in compilers] if module is not None else []
        waiting.append(_Item(file, data, futures))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting


def _write(writer: BundleWriter, item: _Item, report: PackReport, *, source: bool) -> Fact:
    file = item.file
    no_images = [None] * len(writer.tags)
    if item.data is None:
        try:
            stream = file.path.open("rb")
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            raise PackError(message, file=str(file.path)) from None
        with stream:
            return _fact(writer.add(file.member, stream, no_images, executable=file.executable), file)
    results = [future.result() for future in item.futures]
    failures = {result.failure for result in results if result.image is None}
    report.warnings += [
        PackWarning(file.member, f"{failure}; kept as a file, not compiled") for failure in sorted(failures)
    ]
    if results and not failures:
        report.modules += 1
    image = results[0].image if results and not source else None
    if image is not None:
        written = writer.add(f"{file.member}c", io.BytesIO(image), [], executable=False, stored=True)
    else:
        images = [result.image for result in results] if results and source else no_images
        written = writer.add(file.member, io.BytesIO(item.data), images, executable=file.executable)
    if file.is_module:
        return _fact(written, file, question_of_source(item.data, file.member))
    return _fact(written, file, question_of_image(item.data) if file.member.endswith(".pyc") else NONE)


def _fact(written: Written, file: SourceFile, question: Question = NONE) -> Fact:
    return Fact(written.member.name, written.digest, written.member.size, file.executable, question)


def _distribution(metadata: bytes) -> dict[str, str]:
    headers = email.parser.BytesParser().parsebytes(metadata, headersonly=True)
    return {"name": str(headers.get("Name", "")), "version": str(headers.get("Version", ""))}


def _manifest(
    inputs: Sequence[str],
    compilers: Sequence[Compiler],
    distributions: list[dict[str, str]],
    report: PackReport,
    real: Plan,
    *,
    compress: str,
    source: bool,
) -> bytes:
    manifest: dict[str, Any] = {
        "format": VERSION,
        "tool": f"bundleimp {__version__}",
        "inputs": list(inputs),
        "layout": report.layout,
        "compress": compress,
        "source": source,
        "python": [
            {"tag": compiler.tag.name, "magic": compiler.tag.magic.hex(), "version": compiler.version}
            for compiler in compilers
        ],
        "distributions": sorted(distributions, key=lambda item: item["name"].lower()),
        "members": report.members,
        "entry_point": None,
    }
    if real.mirrored:
        manifest["mirrored"] = [asdict(unit) for unit in real.mirrored]
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
