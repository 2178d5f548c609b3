"""The phases of `pack`: check, gather, plan, write, finish.

- Check looks at the options, the inputs and the output.
- Gather installs or looks up the inputs that are not files yet; see `inputs.gather`.
- Plan decides what the bundle will hold.
- Write puts the members into a draft beside the output.
- Finish adds the index and puts the draft in the output's place; see `BundleWriter.finish`.

`build` calls the phases.  Only the last one changes the output.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime.content.decompression import STORED, ZSTANDARD
from ..runtime.faults.kinds import HIDDEN, is_hidden
from .choice import Choice
from .collect import collect
from .compiler import Compiler
from .declared import resolve
from .errors import PackError, PackWarning
from .executable import PROGRAM_MEMBERS, check_name, first_line, plan_program
from .fitting import Gathered, alternatives, conflict, of_bytecode
from .fitting import gather as gather_evidence
from .inputs import gather, sort_inputs
from .manifest import encode_manifest
from .options import check_options
from .pipeline import write_members
from .profile import reading_order
from .reading import read
from .report import PackReport
from .target import target_path
from .units import plan_units
from .writer import BundleWriter
from .zipsink import zip_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..runson import RunsOn
    from .collect import SourceFile
    from .executable import Program
    from .inputs import Inputs, Wanted
    from .keptcode import KeptCode
    from .options import PackOptions, PathLike
    from .units import Plan

# Every interpreter parses the central directory of each zip on its path at start-up, at 3 to 7 microseconds an entry,
# before any hook can step in.  More entries than this cost over two milliseconds each time.
LARGEST_FLAT = 400


@dataclass(frozen=True)
class Checked:
    """The result of the check phase.

    Attributes:
        options: the options, with what a project and scripts declare.
        wanted: the inputs, sorted by who reads them.
        target: the real path of the output.

    """

    options: PackOptions
    wanted: Wanted
    target: Path


@dataclass(frozen=True)
class Blueprint:
    """The result of the plan phase: what the bundle will hold.

    Attributes:
        files: the files that become members, by name.  The write phase empties this list.
        program: the program that the bundle is, or None.
        first_line: the line before the archive, b"" for none.
        nested: whether the layout is nested.
        order: the members whose bytecode comes first, in the order of the profile.
        gathered: what the members say about where they run.

    """

    files: list[SourceFile]
    program: Program | None
    first_line: bytes
    nested: bool
    order: Sequence[str]
    gathered: Gathered


@dataclass(frozen=True)
class Description:
    """The result of the write phase: what the bundle will say of its members.

    Attributes:
        manifest: the content of manifest.json.
        units: the units and flags for the index.

    """

    manifest: bytes
    units: Plan


def build(options: PackOptions) -> PackReport:
    """Build a bundle; return what was done.

    Raises:
        PackError: a value, a source or the output cannot be used.

    """
    checked = check(options)
    options = checked.options
    choice = Choice(options.exclude, options.include, checked.target)
    talk = options.progress is not None
    with gather(checked.wanted, choice, python=options.pythons[0], talk=talk) as inputs:
        blueprint = plan(options, inputs, choice)
        with started_compilers(options, options.pythons if options.bytecode else ()) as compilers:
            report = _new_report(options, blueprint, inputs, choice, compilers)
            with _write_errors(options.output), _writer(options, checked.target, blueprint, compilers) as writer:
                description = write(options, checked.wanted, inputs.kept, blueprint, compilers, writer, report)
                report.size = writer.finish(description.manifest, description.units, blueprint.order)
    return report


def check(options: PackOptions) -> Checked:
    """Check the options, the inputs and the output; nothing is written yet.

    Raises:
        PackError: one of them cannot be used.

    """
    check_options(options)
    declared = resolve(options)
    options = declared.options
    check_options(options)  # again, because files have added to them
    wanted = sort_inputs(
        options.sources,
        options.requirements,
        options.requirement_files,
        options.from_venv,
        options.installer_options,
        lock=declared.lock,
        advice=declared.advice,
        installer=options.installer,
    )
    target = target_path(options.output, wanted.read_in_place, is_program=options.is_program)
    return Checked(options, wanted, target)


def plan(options: PackOptions, inputs: Inputs, choice: Choice) -> Blueprint:
    """Decide what the bundle will hold.

    Raises:
        PackError: members clash, the entry point is not among them, or the profile names none of them.

    """
    files = collect(inputs.sources, choice, on_conflict=options.on_conflict)
    members = [file.member for file in files]
    reader = _reader(files)
    program = None
    if options.is_program:
        program = plan_program(options.entry_point, members, reader, standalone=options.standalone)
        check_name(options.output, program)
    line = first_line(options.shebang, program)
    nested = options.layout == "nested" or (options.layout == "auto" and len(files) > LARGEST_FLAT)
    order: Sequence[str] = ()
    if options.profile is not None:
        order = reading_order(os.fspath(options.profile), files, options.pythons[0])
    return Blueprint(files, program, line, nested, order, gather_evidence(members, reader))


def _reader(files: Sequence[SourceFile]) -> Callable[[str], bytes]:
    """Return a function that reads a member of *files* by its name."""
    paths = {file.member: file.path for file in files}
    return lambda member: read(paths[member])


@contextlib.contextmanager
def started_compilers(options: PackOptions, pythons: Sequence[str]) -> Iterator[list[Compiler]]:
    """Start a compiler for each interpreter of *pythons*, and end them on leaving.

    Raises:
        PackError: an interpreter does not start, is too old, or makes the same bytecode as another.  Or this one or
            one of *options* lacks the compression.

    """
    method = zip_method(options.compress_bytecode, "--compress-bytecode")
    # Without source, the bytecode is a member, which the pipeline compresses.
    own = method if options.source else STORED
    with contextlib.ExitStack() as stack:
        compilers = [
            stack.enter_context(Compiler(python, options.optimize, options.threads, own)) for python in pythons
        ]
        seen: dict[str, str] = {}
        for compiler, python in zip(compilers, pythons, strict=True):
            tag = compiler.tag.name
            if method == ZSTANDARD and not compiler.reads_zstd:
                message = f"is Python {compiler.version}, which cannot read --compress-bytecode zstd; take deflate"
                raise PackError(message, file=python)
            if tag in seen:
                message = f"is the same kind of Python ({tag}) as {seen[tag]}; name it once"
                raise PackError(message, file=python)
            seen[tag] = python
        yield compilers


def _new_report(
    options: PackOptions, blueprint: Blueprint, inputs: Inputs, choice: Choice, compilers: Sequence[Compiler]
) -> PackReport:
    """Return the report as far as it is known before anything is written."""
    gathered = blueprint.gathered
    parts = gathered.evidence + ([] if options.source else [of_bytecode(compilers[0].version)])
    runs_on = alternatives(parts)
    misfit = conflict(parts, [compiler.version for compiler in compilers], runs_on)
    return PackReport(
        str(options.output),
        members=len(blueprint.files) + len(PROGRAM_MEMBERS) * bool(blueprint.program),
        layout="nested" if blueprint.nested else "flat",
        code_tags=[compiler.tag.name for compiler in compilers],
        ordered=len(blueprint.order),
        left_out=choice.left_out,
        runs_on=runs_on,
        warnings=[
            *inputs.warnings,
            *choice.warnings(),
            *gathered.warnings,
            *([misfit] if misfit is not None else []),
            *(_lost_code(inputs, compilers) if options.bytecode else ()),
            *(PackWarning(file.member, HIDDEN) for file in blueprint.files if any(map(is_hidden, file.member))),
        ],
    )


def _lost_code(inputs: Inputs, compilers: Sequence[Compiler]) -> Iterator[PackWarning]:
    """Yield a warning for each bundle among the sources with bytecode that is not for any of the *compilers*."""
    own = {compiler.tag.name for compiler in compilers}
    for bundle, tags in inputs.code_tags.items():
        lost = [tag for tag in tags if tag not in own]
        if lost:
            message = f"its bytecode for {' and '.join(lost)} is left out; --python for that Python keeps it"
            yield PackWarning(bundle, message)


@contextlib.contextmanager
def _write_errors(output: PathLike) -> Iterator[None]:
    """Raise PackError for an OSError.  Sources raise their own PackError, so this one is about the output."""
    try:
        yield
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise PackError(message, file=str(output)) from error


def _writer(options: PackOptions, target: Path, blueprint: Blueprint, compilers: Sequence[Compiler]) -> BundleWriter:
    # Without source, the bytecode is the member; it needs no second place.
    tags = [compiler.tag for compiler in compilers] if options.source else []
    return BundleWriter(
        target,
        tags=tags,
        compression=options.compress,
        nested=blueprint.nested,
        first_line=blueprint.first_line,
        executable=bool(blueprint.first_line or blueprint.program),
    )


def write(
    options: PackOptions,
    wanted: Wanted,
    kept: KeptCode,
    blueprint: Blueprint,
    compilers: Sequence[Compiler],
    writer: BundleWriter,
    report: PackReport,
) -> Description:
    """Write the program and the members, and count them in *report*.

    The facts of the members, which take memory for each of them, are gone when this returns.

    Raises:
        PackError: a source cannot be read, or *options* ask for real files of what is not packed.

    """
    if blueprint.program is not None:
        _write_program(options, blueprint.program, compilers, writer, report.runs_on)
    packed = write_members(
        writer,
        blueprint.files,
        compilers,
        kept,
        report,
        source=options.source,
        compress_bytecode=zip_method(options.compress_bytecode),
        only=frozenset(blueprint.order) if options.profile_only else None,
        jobs=options.threads,
        progress=options.progress,
    )
    units = plan_units(packed.facts, packed.records, unpack=options.unpack, no_unpack=options.no_unpack)
    manifest = encode_manifest(
        report,
        inputs=wanted.names,
        compilers=compilers,
        metadata=packed.metadata,
        placed=units.placed,
        compress=options.compress,
        compress_bytecode=options.compress_bytecode,
        source=options.source,
        program=blueprint.program,
        first_line=blueprint.first_line,
    )
    return Description(manifest, units)


def _write_program(
    options: PackOptions,
    program: Program,
    compilers: Sequence[Compiler],
    writer: BundleWriter,
    runs_on: Sequence[RunsOn],
) -> None:
    """Write the program.

    The embedded runtime always has bytecode: to compile it at each start takes 350 million instructions.
    """
    compress = not options.bytecode or options.compress_bytecode != "none"
    with started_compilers(options, options.pythons if program.standalone and not compilers else ()) as others:
        program.write(writer, compilers, compilers or others, runs_on, compress=compress)
