"""The options of `pack` as one record, and the checks of their values and combinations.

The lowest module of this folder.  A check here is a pure function: it reads no file.  Checks of files stand in
`inputs` and `target`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .progress import Step

PathLike = str | os.PathLike[str]

Compression = Literal["none", "deflate", "zstd"]
Layout = Literal["auto", "flat", "nested"]
OnConflict = Literal["first", "last", "error"]
InstallerName = Literal["uv", "pip"]
Laziness = Literal["packages", "all"]
OPTIMIZATION_LEVELS = (0, 1, 2)

_CHOICES: dict[str, Any] = {
    "layout": Layout,
    "compress": Compression,
    "compress_bytecode": Compression,
    "on_conflict": OnConflict,
}


@dataclass(frozen=True)
class PackOptions:
    """What to pack, and how.

    The fields are the arguments of `pack`, which describes them.  None has a default here: `pack` and the command line
    have theirs.
    """

    sources: Sequence[PathLike]
    output: PathLike
    requirements: Sequence[str]
    requirement_files: Sequence[PathLike]
    from_venv: PathLike | None
    project: PathLike | None
    extras: Sequence[str]
    groups: Sequence[str]
    installer: InstallerName | None
    installer_options: Sequence[str]
    python: Sequence[str]
    target: Sequence[str]
    bytecode: bool
    source: bool
    optimize: int
    compress: Compression
    compress_bytecode: Compression
    layout: Layout
    exclude: Sequence[str]
    include: Sequence[str]
    unpack: Sequence[str]
    no_unpack: Sequence[str]
    on_conflict: OnConflict
    entry_point: str | None
    shebang: str | None
    standalone: bool
    profile: PathLike | None
    profile_only: bool
    lazy: Laziness | None
    eager: Sequence[str]
    jobs: int | None
    progress: Callable[[Step], object] | None

    def tell(self, step: Step) -> None:
        """Call `progress` with *step*, if there is such a function."""
        if self.progress is not None:
            self.progress(step)

    @property
    def has_inputs(self) -> bool:
        """Whether the options name anything to pack."""
        return bool(
            self.sources or self.requirements or self.requirement_files or self.from_venv or self.project is not None
        )

    @property
    def is_program(self) -> bool:
        """Whether the options ask for a program; without an entry point, it is an interpreter."""
        return self.entry_point is not None or self.standalone or bool(self.shebang)

    @property
    def pythons(self) -> Sequence[str]:
        """The interpreters that the bundle is for; the running one if the options name neither these nor targets."""
        return self.python or ([] if self.target else [sys.executable])

    @property
    def first_python(self) -> str:
        """The interpreter to ask and to build with."""
        return (self.pythons or [sys.executable])[0]

    @property
    def compiling(self) -> Sequence[str]:
        """The interpreters that make bytecode: `pythons`, or else the running one if it has the version of a target."""
        own = f"cp3{sys.version_info[1]}"
        return self.pythons or [sys.executable] * any(tag.partition("-")[0].rstrip("t") == own for tag in self.target)

    @property
    def threads(self) -> int:
        """How many files `pack` reads, compresses and compiles at a time."""
        return self.jobs or os.cpu_count() or 1


def check_options(options: PackOptions) -> None:
    """Check each value, then the values that exclude each other.

    Raises:
        PackError: a value or a combination has no meaning.

    """
    for name, kind in _CHOICES.items():
        _check_choice(name, getattr(options, name), get_args(kind))
    _check_choice("optimize", options.optimize, OPTIMIZATION_LEVELS)
    if options.installer is not None:
        _check_choice("installer", options.installer, get_args(InstallerName))
    if options.lazy is not None:
        _check_choice("lazy", options.lazy, get_args(Laziness))
    inputs = ("sources", "requirements", "requirement_files", "extras", "groups", "installer_options")
    for name in (*inputs, "python", "target", "exclude", "include", "eager"):
        _check_sequence(name, getattr(options, name))
    _check_requirements(options.requirements)
    _check_jobs(options.jobs)
    if not options.has_inputs:
        message = "there is nothing to pack: give sources, requirements, a project or a virtual environment"
        raise PackError(message)
    _check_combinations(options)


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        message = f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}"
        raise PackError(message)


def _check_sequence(name: str, value: object) -> None:
    # A string is a sequence of its letters, so a forgotten pair of brackets would pack files named like letters.
    if isinstance(value, str):
        message = f"{name} must be a sequence of strings, not one string; give [{value!r}]"
        raise PackError(message)


def _check_requirements(requirements: Sequence[str]) -> None:
    for requirement in requirements:
        if not requirement.strip() or requirement.startswith("-"):
            message = f"{requirement!r} is not a requirement; give options of the installer after --"
            raise PackError(message)


def _check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        message = f"jobs must be at least 1, not {jobs}"
        raise PackError(message)


def _check_combinations(options: PackOptions) -> None:
    if options.project is None and (options.extras or options.groups):
        message = "extras and dependency groups are those of a project: name its folder (--project DIR)"
        raise PackError(message)
    if not options.source and (not options.bytecode or len(options.python) > 1 or options.target):
        message = (
            "--no-source needs bytecode for one Python: drop --no-bytecode and --target, and give at most one --python"
        )
        raise PackError(message)
    if options.target and options.from_venv is not None:
        message = "a virtual environment has files for its own Python: with --target, give requirements (-r, --with)"
        raise PackError(message)
    if options.profile is not None and not (options.bytecode and options.source):
        message = "--profile needs source and bytecode: drop --no-bytecode and --no-source"
        raise PackError(message)
    if options.profile_only and options.profile is None:
        message = "--profile-only needs a profile: give --profile"
        raise PackError(message)
    _check_laziness(options)
    if options.compress_bytecode != "none" and not options.bytecode:
        message = "--compress-bytecode needs embedded bytecode: drop --no-bytecode"
        raise PackError(message)


def _check_laziness(options: PackOptions) -> None:
    if options.eager and options.lazy is None:
        message = "--eager needs lazy imports: give --lazy"
        raise PackError(message)
    if options.lazy is not None and not options.is_program:
        message = "--lazy is for programs: give an entry point (-e), or --standalone"
        raise PackError(message)
    if options.lazy is not None and not (options.bytecode and options.source):
        message = "--lazy needs source and bytecode: drop --no-bytecode and --no-source"
        raise PackError(message)
