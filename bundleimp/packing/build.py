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
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .. import runson
from ..runtime.content.decompression import STORED, ZSTANDARD
from ..runtime.faults.kinds import HIDDEN, is_hidden
from ..runtime.format import SUFFIXES
from ..runtime.interpreter.lazily import LAZY_TAG
from .choice import Choice
from .collect import collect
from .compiler import Compiler
from .declared import resolve
from .entrypoints import ALL_SCRIPTS, broken_scripts
from .errors import PackError, PackWarning
from .executable import PROGRAM_MEMBERS, check_name, first_line, plan_program
from .fitting import Gathered, judged, of_bundle, of_bytecode, of_specifier, of_target
from .fitting import gather as gather_evidence
from .inputs import gather, sort_inputs
from .keptcode import KeptCode
from .laziness import together
from .manifest import encode_manifest
from .merging import merged, version_warnings
from .missing import missing
from .options import check_options
from .pipeline import write_members
from .profile import reading_order
from .progress import Step
from .reading import read
from .report import PackReport
from .target import target_path
from .targets import find_targets, parse_target
from .units import plan_units, recorded
from .wishes import merged as merged_wishes
from .writer import BundleWriter, TargetPlan
from .zipsink import zip_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ..runson import RunsOn
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
        options: the options, with what a project and scripts declare.
        wanted: the inputs, sorted by who reads them.
        target: the real path of the output.
        targets: the kinds of Python to install for; empty if nothing is installed, or only for one interpreter.
        requires_python: which Pythons the scripts among the sources need, by file name.

    """

    options: PackOptions
    wanted: Wanted
    target: Path
    targets: Sequence[Target]
    requires_python: Mapping[str, str]


@dataclass(frozen=True)
class Blueprint:
    """The result of the plan phase: what the bundle will hold.

    Attributes:
        files: the files that become members, by name.  The write phase empties this list.
        program: the program that the bundle is, or None.
        first_line: the line before the archive, b"" for none.
        nested: whether the layout is nested.
        order: the members whose bytecode comes first, in the order of the profile.
        gathered: what the members say about where they run, for each target.
        missing: a warning for each dependency of a program that is not packed, and each script that cannot be started.
        targets: the targets, if they have different files; else empty.

    """

    files: list[SourceFile]
    program: Program | None
    first_line: bytes
    nested: bool
    order: Sequence[str]
    gathered: Sequence[Gathered]
    missing: Sequence[PackWarning]
    targets: Sequence[Target] = ()


@dataclass(frozen=True)
class Description:
    """The result of the write phase: what the bundle will say of its members.

    Attributes:
        manifest: the content of manifest.json.
        plans: the units and flags for the index, for each target.
        needs: what the bundle needs, for the index; "" if it runs on every Python.

    """

    manifest: bytes
    plans: Sequence[TargetPlan]
    needs: str


def build(options: PackOptions) -> PackReport:
    """Build a bundle; return what was done.

    Raises:
        PackError: a value, a source or the output cannot be used.

    """
    checked = check(options)
    options = checked.options
    choice = Choice(options.exclude, options.include, checked.target)
    with gathered(checked, choice) as inputs:
        blueprint = plan(checked, inputs, choice)
        rules = lazy_rules(options, blueprint.files) if options.lazy is not None else None
        with started_compilers(options, options.compiling if options.bytecode else (), rules) as compilers:
            report = _new_report(checked, blueprint, inputs, choice, compilers)
            with _write_errors(options.output), _writer(options, checked.target, blueprint, compilers) as writer:
                description = write(checked, inputs, blueprint, compilers, writer, report)
                report.size = writer.finish(description.manifest, description.plans, blueprint.order, description.needs)
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
    several = options.target or len(options.python) > 1
    targets = find_targets(options.python, options.target) if several and wanted.are_installed else ()
    if not targets:  # the targets are of no use then, but must be some
        list(map(parse_target, options.target))
    return Checked(options, wanted, target, targets, declared.requires_python)


@contextlib.contextmanager
def gathered(checked: Checked, choice: Choice) -> Iterator[Sequence[Inputs]]:
    """Install and look up the inputs that are not files yet, for each target, until the context ends.

    Raises:
        PackError: the installer failed or is missing, or the environment cannot be used.

    """
    options = checked.options
    with contextlib.ExitStack() as stack:
        options.tell(Step("resolving" if checked.wanted.are_installed else "reading"))
        if checked.targets:
            inputs = [stack.enter_context(_gather_for(each, checked, choice)) for each in checked.targets]
        else:
            talk = options.progress is not None
            inputs = [stack.enter_context(gather(checked.wanted, choice, python=options.first_python, talk=talk))]
        if checked.wanted.are_installed:
            number = sum(len(each.versions) for each in inputs)
            options.tell(Step("resolving", number, number))
            options.tell(Step("reading"))
        yield inputs


def _gather_for(target: Target, checked: Checked, choice: Choice) -> AbstractContextManager[Inputs]:
    return gather(
        checked.wanted,
        choice,
        python=target.executable or checked.options.first_python,
        talk=checked.options.progress is not None,
        target=None if target.is_here else target,
    )


def plan(checked: Checked, inputs: Sequence[Inputs], choice: Choice) -> Blueprint:
    """Decide what the bundle will hold.

    Raises:
        PackError: members clash, the entry point is not among them, or the profile names none of them.

    """
    options = checked.options
    collected = [collect(each.sources, choice, on_conflict=options.on_conflict) for each in inputs]
    files = merged(collected) if len(collected) > 1 else collected[0]
    targets = checked.targets if any(file.targets for file in files) else ()
    members = [[file.member for file in each] for each in collected]
    readers = [_reader(each) for each in collected]
    program = None
    if options.is_program:
        for number, pair in enumerate(zip(members, readers, strict=True)):
            try:
                planned = plan_program(options.entry_point, *pair, standalone=options.standalone)
            except PackError as error:
                if number:
                    error.message += f" (in the files for {checked.targets[number]})"
                raise
            program = planned if number == 0 else program
        check_name(options.output, program)
    line = first_line(options.shebang, program)
    nested = options.layout == "nested" or (options.layout == "auto" and is_better_nested(options.output, len(files)))
    order: Sequence[str] = ()
    if options.profile is not None:
        order = reading_order(os.fspath(options.profile), collected[0], options.first_python)
    evidence = [gather_evidence(*pair) for pair in zip(members, readers, strict=True)]
    # A library may well leave its dependencies to other path entries.
    lacking = list(missing(members[0], readers[0])) if options.is_program else []
    if options.entry_point == ALL_SCRIPTS:
        lacking += broken_scripts(members[0], readers[0])
    options.tell(Step("reading", len(files), len(files)))
    return Blueprint(files, program, line, nested, order, evidence, lacking, targets)


def is_better_nested(output: PathLike, members: int) -> bool:
    """Return whether the layout `auto` is nested for a bundle with so many *members*.

    A bundle with a name for cluster engines may be imported by a Python without bundleimp.  There, `zipimport` imports
    the pure code of a flat bundle.
    """
    return members > LARGEST_FLAT and not os.fspath(output).endswith(SUFFIXES[1:])


def _reader(files: Sequence[SourceFile]) -> Callable[[str], bytes]:
    """Return a function that reads a member of *files* by its name."""
    paths = {file.member: file.path for file in files}
    return lambda member: read(paths[member])


def lazy_rules(options: PackOptions, files: Sequence[SourceFile]) -> dict[str, object]:
    """Return the rules of `laziness.marked` for *files*.

    Raises:
        PackError: a RECORD cannot be read.

    """
    records = [recorded(read(file.path)) for file in files if file.is_record]
    return {
        "all": options.lazy == "all",
        "together": together([file.member for file in files if file.is_module], records),
        "eager": list(options.eager),
    }


@contextlib.contextmanager
def started_compilers(
    options: PackOptions, pythons: Sequence[str], rules: Mapping[str, object] | None = None
) -> Iterator[list[Compiler]]:
    """Start a compiler for each interpreter of *pythons*, and end them on leaving.

    Arguments:
        options: the options.
        pythons: the interpreters.
        rules: the rules of `laziness.marked`, or None if lazy imports are not wanted.

    Raises:
        PackError: an interpreter does not start, is too old, or makes the same bytecode as another.  Or this one or
            one of *options* lacks the compression.

    """
    method = zip_method(options.compress_bytecode, "--compress-bytecode")
    # Without source, the bytecode is a member, which the pipeline compresses.
    own = method if options.source else STORED
    with contextlib.ExitStack() as stack:
        compilers = [
            stack.enter_context(Compiler(python, options.optimize, options.threads, own, rules)) for python in pythons
        ]
        seen: dict[str, str] = {}
        for compiler, python in zip(compilers, pythons, strict=True):
            tag = compiler.tag.name
            if method == ZSTANDARD and not compiler.reads_zstd:
                message = f"is Python {compiler.version}, which cannot read --compress-bytecode zstd; use deflate"
                raise PackError(message, file=python)
            if tag in seen:
                message = f"is the same kind of Python ({tag}) as {seen[tag]}; name it once"
                raise PackError(message, file=python)
            seen[tag] = python
        yield compilers


def _new_report(
    checked: Checked,
    blueprint: Blueprint,
    inputs: Sequence[Inputs],
    choice: Choice,
    compilers: Sequence[Compiler],
) -> PackReport:
    """Return the report as far as it is known before anything is written."""
    options = checked.options
    only = [] if options.source else [of_bytecode(compilers[0].version)]
    only += [of_specifier(*pair) for pair in checked.requires_python.items()]
    parts = [each.evidence + only for each in blueprint.gathered]
    for evidence, each in zip(parts, inputs, strict=True):
        evidence += [of_bundle(*pair) for pair in each.runs_on.items() if pair[1]]
    for evidence, target in zip(parts, blueprint.targets, strict=False):
        evidence.append(of_target(target))
    runs_on, misfits = judged(parts, [compiler.version for compiler in compilers])
    return PackReport(
        str(options.output),
        members=len(blueprint.files) + len(PROGRAM_MEMBERS) * bool(blueprint.program),
        layout="nested" if blueprint.nested else "flat",
        code_tags=[compiler.tag.name for compiler in compilers],
        ordered=len(blueprint.order),
        targets=[target.name for target in blueprint.targets],
        left_out=choice.left_out,
        runs_on=runs_on,
        warnings=[
            *dict.fromkeys(warning for each in inputs for warning in each.warnings),
            *(version_warnings(blueprint.targets, [each.versions for each in inputs]) if blueprint.targets else ()),
            *choice.warnings(),
            *_useless_target(checked),
            *_useless_laziness(options, compilers),
            *dict.fromkeys(warning for each in blueprint.gathered for warning in each.warnings),
            *misfits,
            *blueprint.missing,
            *(_lost_code(inputs[0], compilers) if options.bytecode else ()),
            *(PackWarning(file.member, HIDDEN) for file in blueprint.files if any(map(is_hidden, file.member))),
        ],
    )


def _useless_target(checked: Checked) -> Iterator[PackWarning]:
    if checked.options.target and not checked.targets:
        message = "has no effect: nothing is installed, and files of sources are for all Pythons"
        yield PackWarning("--target", message)


def _useless_laziness(options: PackOptions, compilers: Sequence[Compiler]) -> Iterator[PackWarning]:
    if options.lazy is not None and not any(compiler.is_lazy for compiler in compilers):
        message = "has no effect: no bytecode is embedded for Python 3.15 or newer; give such a Python with --python"
        yield PackWarning("--lazy", message)


def _lost_code(inputs: Inputs, compilers: Sequence[Compiler]) -> Iterator[PackWarning]:
    """Yield a warning for each bundle among the sources with bytecode that is not for any of the *compilers*."""
    own = {compiler.tag.name for compiler in compilers}
    for bundle, tags in inputs.code_tags.items():
        lost = [tag for tag in tags if tag.removesuffix(LAZY_TAG) not in own]
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
    tags = [tag for compiler in compilers for tag in compiler.tags] if options.source else []
    return BundleWriter(
        target,
        tags=tags,
        compression=options.compress,
        nested=blueprint.nested,
        first_line=blueprint.first_line,
        executable=bool(blueprint.first_line or blueprint.program),
    )


def write(
    checked: Checked,
    inputs: Sequence[Inputs],
    blueprint: Blueprint,
    compilers: Sequence[Compiler],
    writer: BundleWriter,
    report: PackReport,
) -> Description:
    """Write the program and the members, and count them in *report*.

    The facts of the members, which take memory for each of them, are gone when this returns.

    Raises:
        PackError: a source cannot be read, or the options ask for real files of what is not packed.

    """
    options = checked.options
    kept = KeptCode([folder for each in inputs for folder in each.kept.folders])
    if blueprint.program is not None:
        _write_program(options, blueprint.program, compilers, writer, report.runs_on)
    served = [_served(blueprint.targets, compiler) for compiler in compilers]
    packed = write_members(
        writer,
        blueprint.files,
        compilers,
        kept,
        report,
        served=served,
        source=options.source,
        compress_bytecode=zip_method(options.compress_bytecode),
        only=frozenset(blueprint.order) if options.profile_only else None,
        jobs=options.threads,
        progress=options.progress,
    )
    wishes = merged_wishes(options.unpack, options.no_unpack, inputs[0].wishes)
    plans = [
        TargetPlan(target, plan_units(packed.facts_of(number), packed.records_of(number), **asdict(wishes)))
        for number, target in enumerate(blueprint.targets or [None], 1)
    ]
    manifest = encode_manifest(
        report,
        inputs=checked.wanted.names,
        compilers=compilers,
        metadata=packed.metadata,
        placed=[each.plan.placed for each in plans],
        wishes=wishes,
        compress=options.compress,
        compress_bytecode=options.compress_bytecode,
        source=options.source,
        program=blueprint.program,
        first_line=blueprint.first_line,
        targets=blueprint.targets,
    )
    return Description(manifest, plans, runson.encode(report.runs_on))


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
    with started_compilers(options, options.compiling if program.standalone and not compilers else ()) as others:
        program.write(writer, compilers, compilers or others, runs_on, compress=compress)


def _served(targets: Sequence[Target], compiler: Compiler) -> frozenset[int]:
    """Return the numbers of the *targets* that *compiler* makes bytecode for, counted from 1."""
    version = ".".join(compiler.version.split(".")[:2])
    return frozenset(number for number, target in enumerate(targets, 1) if target.version == version)
