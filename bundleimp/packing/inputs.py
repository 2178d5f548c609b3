"""The inputs of `pack`: sources that are read in place, and distributions that are installed or looked up first."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import posixpath
import re
import shutil
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .collect import Placed
from .distribution import distributions
from .environment import packed_environment
from .errors import PackError, PackWarning, unreadable
from .foreign import check_built, check_wheel, find_foreign_installer, foreign_warnings, local_project
from .installed import PROGRAMS, Site, lay_out
from .installer import find_installer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .distribution import Distribution
    from .installer import Installer
    from .options import PathLike
    from .targets import Target


@dataclass(frozen=True)
class Wanted:
    """The inputs that the user named, sorted by who reads them.

    Attributes:
        sources: directories, modules, wheels and projects, in the user's order.
        built: the wheels and projects among the sources.
        requirements: requirement specifiers.
        files: requirements files.
        locks: lock files.
        environment: a virtual environment.
        options: words that the installer gets as they are.

    """

    sources: tuple[Path, ...] = ()
    built: tuple[Path, ...] = ()
    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    environment: Path | None = None
    options: tuple[str, ...] = ()

    @property
    def read_in_place(self) -> list[Path]:
        """The sources whose files become members as they are.  The bundle must not lie in one of them."""
        return [path for path in self.sources if path not in self.built]

    @property
    def are_installed(self) -> bool:
        """Whether anything has to be installed first.  What is not, is the same for all targets."""
        return bool(self.built or self.requirements or self.files or self.locks)

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing has to be installed or looked up first."""
        return not (self.are_installed or self.environment)

    @property
    def names(self) -> list[str]:
        """The names of the inputs for the manifest, without folders, hosts and passwords."""
        environment = [self.environment] if self.environment is not None else []
        paths = [os.path.basename(os.path.abspath(path)) for path in (*self.sources, *environment)]
        # The query of a URL may hold a secret.
        files = [
            posixpath.basename(re.split("[?#]", str(name).replace(os.sep, "/"))[0])
            for name in (*self.files, *self.locks)
        ]
        return [*paths, *map(_requirement_name, self.requirements), *files]


@dataclass
class Inputs:
    """The sources for `collect`, a warning for each file that could not be had, and the versions of distributions."""

    sources: list[Path | Placed] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


def sort_inputs(
    sources: Sequence[PathLike],
    requirements: Sequence[str],
    requirement_files: Sequence[PathLike],
    from_venv: PathLike | None,
    installer_options: Sequence[str],
) -> Wanted:
    """Return the inputs, sorted by who reads them.  The arguments are those of `pack`.

    Raises:
        PackError: a file cannot be read, or the installer has options and nothing to install.

    """
    paths = tuple(map(Path, sources))
    built = tuple(dict.fromkeys(path for path in paths if _is_built(path)))
    files = tuple(os.fspath(name) for name in requirement_files)
    for name in files:
        if "://" not in name and not Path(name).exists():
            message = "this requirements file cannot be read: No such file or directory"
            raise PackError(message, file=name)
    if installer_options and not (built or requirements or files):
        message = "there is nothing to install, so options for the installer mean nothing"
        raise PackError(message)
    return Wanted(
        paths,
        built,
        tuple(requirements),
        tuple(name for name in files if not _is_lock(name)),
        tuple(name for name in files if _is_lock(name)),
        None if from_venv is None else Path(from_venv),
        tuple(installer_options),
    )


def _is_built(source: Path) -> bool:
    """Return whether a source is a wheel, or a project that a build back end makes a wheel of."""
    if source.suffix == ".whl":
        return source.is_file()
    project = source / "pyproject.toml"
    if not project.is_file():
        return False
    try:
        table = tomllib.loads(project.read_text("utf-8"))
    except OSError as error:
        raise unreadable(error, project) from None
    except ValueError as error:
        message = f"is no valid TOML: {error}"
        raise PackError(message, file=str(project)) from None
    return "build-system" in table or "project" in table


def _is_lock(name: str) -> bool:
    """Return whether a requirements file is a lock file by its name (PEP 751)."""
    base = posixpath.basename(name.replace(os.sep, "/"))
    return base == "pylock.toml" or fnmatch.fnmatchcase(base, "pylock.?*.toml")


def _requirement_name(requirement: str) -> str:
    """Return a requirement without the folders, hosts and passwords in it."""
    reference = re.match(r"([\w.\- ]+(?:\[[^\]]*\])?)\s*@(.*)", requirement)
    place = reference[2].strip() if reference else requirement
    if "://" in place or place.startswith("file:"):
        place = posixpath.basename(re.split(r"[?#]", place)[0].rstrip("/"))
    elif not reference and ("/" in place or os.sep in place or place.startswith(".") or Path(place).exists()):
        place = os.path.basename(os.path.abspath(place))
    return f"{reference[1].strip()} @ {place}" if reference else place


@contextlib.contextmanager
def gather(wanted: Wanted, *, python: str, talk: bool, target: Target | None = None) -> Iterator[Inputs]:
    """Install and look up the inputs that are not files yet.  Their files exist until the context ends.

    For `on_conflict`, the inputs have this order: the sources, with all wheels and projects in the place of the first
    of them; requirements; lock files; the environment.

    Arguments:
        wanted: the inputs that the user named.
        python: the interpreter to install for.
        talk: whether the installer may print what it is doing.
        target: the target to install for if its interpreter is not here.  *python* then builds the projects.

    Raises:
        PackError: the installer failed or is missing, or the environment cannot be used.

    """
    inputs = Inputs()
    if wanted.is_at_hand:
        inputs.sources += wanted.sources
        yield inputs
        return
    with contextlib.ExitStack() as stack:
        try:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="bundleimp-", ignore_cleanup_errors=True))
            _fill(inputs, _Workshop(wanted, python, talk, Path(scratch), inputs, target))
        except OSError as error:
            message = f"cannot be read or written: {error.strerror or error}"
            raise PackError(message, file=error.filename) from None
        yield inputs


def _fill(inputs: Inputs, workshop: _Workshop) -> None:
    """Add all inputs in their order."""
    wanted = workshop.wanted
    for at, path in enumerate(wanted.sources):
        if path not in wanted.built:
            inputs.sources.append(path)
        elif not set(wanted.built) & set(wanted.sources[:at]):
            workshop.install_built()
    words = [word for name in wanted.files for word in ("--requirement", name)]
    if words or wanted.requirements:
        workshop.install(*words, *wanted.requirements, origin="the requirements")
    for lock in wanted.locks:
        # A lock file is installed alone: pip would want hashes of everything beside it, and uv takes nothing beside it.
        workshop.install("--requirement", lock, origin=lock, lock=lock)
    if wanted.environment is not None:
        workshop.take(wanted.environment)


@dataclass
class _Workshop:
    """A scratch folder that installers write to, and the versions found there so far."""

    wanted: Wanted
    python: str
    talk: bool
    scratch: Path
    inputs: Inputs
    target: Target | None = None
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)
    _folders: int = 0

    def _folder(self) -> Path:
        self._folders += 1
        return self.scratch / str(self._folders)

    def install_built(self) -> None:
        """Install the wheels and projects among the sources: of several wheels of one distribution, the fitting one."""
        wheels: dict[str, list[Path]] = {}
        for path in self.wanted.built:
            name, _, rest = path.name.partition("-")
            key = f"{name}=={rest.partition('-')[0]}" if path.suffix == ".whl" else str(path)
            wheels.setdefault(key, []).append(path)
        alone = [os.path.abspath(paths[0]) for paths in wheels.values() if len(paths) == 1]
        if alone:
            self.install("--no-deps", *alone, origin="the sources")
        several = {requirement: paths for requirement, paths in wheels.items() if len(paths) > 1}
        if several:
            folder = self._folder()
            folder.mkdir()
            for path in (path for paths in several.values() for path in paths):
                shutil.copy(path, folder)
            words = ("--no-deps", "--no-index", "--find-links", str(folder))
            self.install(*words, *several, origin="the sources")

    def _installer(self, lock: str) -> Installer:
        if self.target is None:
            return find_installer(self.python, lock=lock)
        return find_foreign_installer(self.target, lock=lock)

    def _prepared(self, word: str) -> str:
        """Return *word*, or, if the target is not here and *word* is a project on disk, the wheel of that."""
        project = local_project(word) if self.target is not None else None
        if self.target is None or project is None:
            return word
        own = find_installer(self.python)
        wheel = own.build(project.folder, self._folder(), self.wanted.options, talk=self.talk)
        check_wheel(wheel, project.folder, self.target)
        return f"{wheel}{project.extras}"

    def install(self, *words: str, origin: str, lock: str = "") -> None:
        """Have the installer install *words*, and add the result to the inputs."""
        installer = self._installer(lock)
        words = tuple(map(self._prepared, words))
        target = self._folder()
        installer.install(words, target, self.wanted.options, talk=self.talk)

        def locate(name: str) -> Placed | None:
            # pip records programs in a folder outside of the target, and then moves them into it.
            member = posixpath.normpath(name)
            while member.startswith("../"):
                member = member[3:]
            return Placed(member, target / member, origin)

        site = Site(target, locate, [Path(os.path.dirname(installer.interpreter))], origin)
        installed = distributions(target)
        left = {PROGRAMS, ".lock", *(one.folder.name for one in installed)}
        names = [name for name in sorted(os.listdir(target)) if name not in left] if target.is_dir() else []
        layout = lay_out(site, names, installed, self._folder())
        self._check(installed, origin)
        if self.target is not None:
            check_built(installed, self.target)
            self.inputs.warnings += foreign_warnings(installer, self.target)
        self.inputs.sources += layout.placed
        self.inputs.warnings += [
            PackWarning(member, f"{installer.name} leaves this file out when it installs into a folder")
            for member in layout.missing
        ]

    def take(self, environment: Path) -> None:
        """Add the distributions of a virtual environment."""
        found = packed_environment(environment, self._folder())
        self._check(found.distributions, str(environment))
        self.inputs.sources += found.placed
        self.inputs.warnings += found.warnings

    def _check(self, installed: Sequence[Distribution], origin: str) -> None:
        """Raise PackError if two inputs give different versions of one distribution."""
        for one in installed:
            self.inputs.versions.setdefault(one.name, one.version)
            version, where = self._known.setdefault(one.name, (one.version, origin))
            if version != one.version:
                message = (
                    f"{where} give version {version}, and {origin} give version {one.version}; ask for one of them"
                )
                raise PackError(message, member=one.name)
