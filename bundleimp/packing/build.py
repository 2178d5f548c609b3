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
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime.faults.kinds import HIDDEN, is_hidden
from .collect import collect
from .compiler import Compiler
from .errors import PackError, PackWarning
from .executable import first_line, plan_program
from .inputs import gather, sort_inputs
from .manifest import encode_manifest
from .merging import merged, version_warnings
from .options import check_options
from .pipeline import write_members
from .profile import reading_order
from .reading import read
from .report import PackReport
from .target import target_path
from .targets import find_targets, parse_target
from .units import plan_units
from .writer import BundleWriter, TargetPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .collect import SourceFile
    from .executable import Program
    from .inputs import Inputs, Wanted
    from .options import PackOptions, PathLike
    from .targets import Target

# Every interpreter parses the central directory of each zip on its path at start-up, at 3 to 7 microseconds an entry,
# before any hook can step in.  More entries than this cost over two milliseconds each time.
LARGEST_FLAT = 400


@dataclass(frozen=True)
class Checked:
    """The result of the check phase.

    Attributes:
        wanted: the inputs, sorted by who reads them.
        target: the real path of the output.
        targets: the kinds of Python to install for; empty if nothing is installed, or only for one interpreter.

    """

    wanted: Wanted
    target: Path
    targets: Sequence[Target]


@dataclass(frozen=True)
class Blueprint:
    """The result of the plan phase: what the bundle will hold.

    Attributes:
        files: the files that become members, by name.  The write phase empties this list.
        program: the program that the bundle is, or None.
        first_line: the line before the archive, b"" for none.
        nested: whether the layout is nested.
        order: the members whose bytecode comes first, in the order of the profile.
        targets: the targets, if they have different files; else empty.

    """

    files: list[SourceFile]
    program: Program | None
    first_line: bytes
    nested: bool
    order: Sequence[str]
    targets: Sequence[Target] = ()


@dataclass(frozen=True)
class Description:
    """The result of the write phase: what the bundle will say of its members.

    Attributes:
        manifest: the content of manifest.json.
        plans: the units and flags for the index, for each target.

    """

    manifest: bytes
    plans: Sequence[TargetPlan]


def build(options: PackOptions) -> PackReport:
    """Build a bundle; return what was done.

    Raises:
        PackError: a value, a source or the output cannot be used.

    """
    checked = check(options)
    with gathered(options, checked) as inputs:
        blueprint = plan(options, checked, inputs)
        with started_compilers(options) as compilers:
            report = _new_report(options, blueprint, inputs, compilers)
            with _write_errors(options.output), _writer(options, checked.target, blueprint, compilers) as writer:
                description = write(options, checked.wanted, blueprint, compilers, writer, report)
                report.size = writer.finish(description.manifest, description.plans, blueprint.order)
    return report


def check(options: PackOptions) -> Checked:
    """Check the options, the inputs and the output; nothing is written yet.

    Raises:
        PackError: one of them cannot be used.

    """
    check_options(options)
    wanted = sort_inputs(
        options.sources,
        options.requirements,
        options.requirement_files,
        options.from_venv,
        options.installer_options,
    )
    several = options.target or len(options.python) > 1
    targets = find_targets(options.python, options.target) if several and wanted.are_installed else ()
    if not targets:  # the targets are of no use then, but must be some
        list(map(parse_target, options.target))
    return Checked(wanted, target_path(options.output, wanted.read_in_place), targets)


@contextlib.contextmanager
def gathered(options: PackOptions, checked: Checked) -> Iterator[Sequence[Inputs]]:
    """Install and look up the inputs that are not files yet, for each target, until the context ends.

    Raises:
        PackError: the installer failed or is missing, or the environment cannot be used.

    """
    own = (options.pythons or [sys.executable])[0]
    talk = options.progress is not None
    with contextlib.ExitStack() as stack:
        if not checked.targets:
            yield [stack.enter_context(gather(checked.wanted, python=own, talk=talk))]
            return
        yield [
            stack.enter_context(
                gather(checked.wanted, python=each.executable or own, talk=talk, target=None if each.is_here else each)
            )
            for each in checked.targets
        ]


def plan(options: PackOptions, checked: Checked, inputs: Sequence[Inputs]) -> Blueprint:
    """Decide what the bundle will hold.

    Raises:
        PackError: members clash, the entry point is not among them, or the profile names none of them.

    """
    collected = [collect(each.sources, exclude=options.exclude, on_conflict=options.on_conflict) for each in inputs]
    files = merged(collected) if len(collected) > 1 else collected[0]
    targets = checked.targets if any(file.targets for file in files) else ()
    first = collected[0]
    members = [file.member for file in first]
    program = plan_program(options.entry_point, members, _reader(first), standalone=options.standalone)
    line = first_line(options.shebang, program)
    nested = options.layout == "nested" or (options.layout == "auto" and len(files) > LARGEST_FLAT)
    order: Sequence[str] = ()
    if options.profile is not None:
        order = reading_order(os.fspath(options.profile), first, (options.pythons or [sys.executable])[0])
    return Blueprint(files, program, line, nested, order, targets)


def _reader(files: Sequence[SourceFile]) -> Callable[[str], bytes]:
    """Return a function that reads a member of *files* by its name."""
    paths = {file.member: file.path for file in files}
    return lambda member: read(paths[member])


@contextlib.contextmanager
def started_compilers(options: PackOptions) -> Iterator[list[Compiler]]:
    """Start a compiler for each interpreter, and end them on leaving.

    Raises:
        PackError: an interpreter does not start, is too old, or makes the same bytecode as another.

    """
    pythons = options.compiling if options.bytecode else ()
    with contextlib.ExitStack() as stack:
        compilers = [stack.enter_context(Compiler(python, options.optimize, options.threads)) for python in pythons]
        seen: dict[str, str] = {}
        for compiler, python in zip(compilers, pythons, strict=True):
            tag = compiler.tag.name
            if tag in seen:
                message = f"is the same kind of Python ({tag}) as {seen[tag]}; name it once"
                raise PackError(message, file=python)
            seen[tag] = python
        yield compilers


def _new_report(
    options: PackOptions, blueprint: Blueprint, inputs: Sequence[Inputs], compilers: Sequence[Compiler]
) -> PackReport:
    """Return the report as far as it is known before anything is written."""
    return PackReport(
        str(options.output),
        members=len(blueprint.files) + bool(blueprint.program),
        layout="nested" if blueprint.nested else "flat",
        code_tags=[compiler.tag.name for compiler in compilers],
        ordered=len(blueprint.order),
        targets=[target.name for target in blueprint.targets],
        warnings=[
            *dict.fromkeys(warning for each in inputs for warning in each.warnings),
            *(version_warnings(blueprint.targets, [each.versions for each in inputs]) if blueprint.targets else ()),
            *(PackWarning(file.member, HIDDEN) for file in blueprint.files if any(map(is_hidden, file.member))),
        ],
    )


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
        blueprint.program.write(writer, compilers)
    served = [_served(blueprint.targets, compiler) for compiler in compilers]
    packed = write_members(
        writer,
        blueprint.files,
        compilers,
        report,
        served=served,
        source=options.source,
        jobs=options.threads,
        progress=options.progress,
    )
    plans = [
        TargetPlan(
            target,
            plan_units(
                packed.facts_of(number), packed.records_of(number), unpack=options.unpack, no_unpack=options.no_unpack
            ),
        )
        for number, target in enumerate(blueprint.targets or [None], 1)
    ]
    manifest = encode_manifest(
        report,
        inputs=wanted.names,
        compilers=compilers,
        metadata=packed.metadata,
        placed=plans[0].plan.placed,
        compress=options.compress,
        source=options.source,
        program=blueprint.program,
        first_line=blueprint.first_line,
        targets=blueprint.targets,
    )
    return Description(manifest, plans)


def _served(targets: Sequence[Target], compiler: Compiler) -> frozenset[int]:
    """Return the numbers of the *targets* that *compiler* makes bytecode for, counted from 1."""
    version = ".".join(compiler.version.split(".")[:2])
    return frozenset(number for number, target in enumerate(targets, 1) if target.version == version)
