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

from . import pathfiles
from .bundlesource import unpack
from .collect import Placed
from .declared import member_of, script_at
from .distribution import distributions
from .environment import packed_environment
from .errors import PackError, PackWarning, unreadable
from .foreign import check_built, check_wheel, find_foreign_installer, foreign_warnings, local_project
from .installed import PROGRAMS, Site, lay_out
from .installer import find_installer
from .keptcode import KeptCode
from .leftout import is_secret
from .lock import PYLOCK
from .reading import has_bundle_name, is_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..runson import RunsOn
    from .choice import Choice
    from .distribution import Distribution
    from .installer import Installer
    from .lock import Lock
    from .options import InstallerName, PathLike
    from .targets import Target
    from .wishes import Wishes


@dataclass(frozen=True)
class Wanted:
    """The inputs that the user named, sorted by who reads them.

    Attributes:
        sources: directories, modules, wheels, projects and bundles, in the user's order.
        built: the wheels and projects among the sources.
        bundles: the bundles among the sources.
        scripts: the members that the scripts with metadata among the sources become.
        requirements: requirement specifiers.
        files: requirements files.
        locks: lock files.
        lock: the lock file of the project, or of a script.
        advice: what to do if the project cannot be built.
        environment: a virtual environment.
        installer: the installer that the user chose, or None.
        options: words that the installer gets as they are.

    """

    sources: tuple[Path, ...] = ()
    built: tuple[Path, ...] = ()
    bundles: tuple[Path, ...] = ()
    scripts: Mapping[Path, str] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    lock: Lock | None = None
    advice: str = ""
    environment: Path | None = None
    installer: InstallerName | None = None
    options: tuple[str, ...] = ()

    @property
    def read_in_place(self) -> list[Path]:
        """The sources whose files become members as they are.  The bundle must not lie in one of them."""
        return [path for path in self.sources if path not in self.built]

    @property
    def are_installed(self) -> bool:
        """Whether anything has to be installed first.  What is not, is the same for all targets."""
        return bool(self.built or self.requirements or self.files or self.locks or self.lock)

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing has to be installed or looked up first."""
        return not (self.are_installed or self.bundles or self.environment)

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
        lock = [self.lock.path.name] if self.lock is not None else []
        return [*paths, *map(_requirement_name, self.requirements), *files, *lock]

    def in_place(self, source: Path) -> Path | Placed:
        """Return one of the sources that are read in place, as `collect` takes it."""
        member = self.scripts.get(source)
        return source if member is None else Placed(member, source, own=True)


@dataclass
class Inputs:
    """What was gathered.

    Attributes:
        sources: the sources for `collect`.
        warnings: a warning for each file that could not be had.
        versions: the versions of the installed distributions, by name.
        kept: the bytecode of the bundles among the sources.
        code_tags: the code tags of that bytecode, by the name of the bundle.
        runs_on: where those bundles run, by name.
        wishes: the names that `--unpack` and `--no-unpack` had for those bundles, by the name of the bundle.

    """

    sources: list[Path | Placed] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    kept: KeptCode = field(default_factory=KeptCode)
    code_tags: dict[str, list[str]] = field(default_factory=dict)
    runs_on: dict[str, list[RunsOn]] = field(default_factory=dict)
    wishes: dict[str, Wishes] = field(default_factory=dict)


def sort_inputs(
    sources: Sequence[PathLike],
    requirements: Sequence[str],
    requirement_files: Sequence[PathLike],
    from_venv: PathLike | None,
    installer_options: Sequence[str],
    *,
    lock: Lock | None = None,
    advice: str = "",
    installer: InstallerName | None = None,
) -> Wanted:
    """Return the inputs, sorted by who reads them.  The arguments are those of `pack`, and the lock file of a project.

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
    if installer_options and not (built or requirements or files or lock):
        message = "there is nothing to install: options after -- need a wheel, a project, -r or --with"
        raise PackError(message)
    return Wanted(
        paths,
        built,
        tuple(path for path in paths if path not in built and _is_bundle(path)),
        {path: member_of(path) for path in paths if script_at(path) is not None},
        tuple(requirements),
        tuple(name for name in files if not _is_lock(name)),
        tuple(name for name in files if _is_lock(name)),
        lock,
        advice,
        None if from_venv is None else Path(from_venv),
        installer,
        tuple(installer_options),
    )


def _is_bundle(source: Path) -> bool:
    """Return whether a source is a bundle by its name, or by its content: a program may have any name."""
    return source.is_file() and (has_bundle_name(source) or is_bundle(str(source)))


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
        message = f"is not valid TOML: {error}"
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
def gather(
    wanted: Wanted, choice: Choice, *, python: str, talk: bool, target: Target | None = None
) -> Iterator[Inputs]:
    """Install and look up the inputs that are not files yet.  Their files exist until the context ends.

    For `on_conflict`, the inputs have this order: the sources, with all wheels and projects in the place of the first
    of them; the lock file of the project; requirements; lock files; the environment.

    Arguments:
        wanted: the inputs that the user named.
        choice: what the user excludes.
        python: the interpreter to install for.
        talk: whether the installer may print what it is doing.
        target: the target to install for if its interpreter is not here.  *python* then builds the projects.

    Raises:
        PackError: the installer failed or is missing, the environment cannot be used, or a path file leads outside.

    """
    inputs = Inputs()
    if wanted.is_at_hand:
        for path in wanted.sources:
            _add_in_place(inputs, wanted.in_place(path), choice)
        yield inputs
        return
    with contextlib.ExitStack() as stack:
        try:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="bundleimp-", ignore_cleanup_errors=True))
            _fill(inputs, _Workshop(wanted, choice, python, talk, Path(scratch), inputs, target))
        except OSError as error:
            message = f"cannot be read or written: {error.strerror or error}"
            raise PackError(message, file=error.filename) from None
        yield inputs


def _fill(inputs: Inputs, workshop: _Workshop) -> None:
    """Add all inputs in their order."""
    wanted = workshop.wanted
    for at, path in enumerate(wanted.sources):
        if path in wanted.bundles:
            workshop.unpack(path)
        elif path not in wanted.built:
            _add_in_place(inputs, wanted.in_place(path), workshop.choice)
        elif not set(wanted.built) & set(wanted.sources[:at]):
            workshop.install_built()
    if wanted.lock is not None:
        workshop.install_locked(wanted.lock)
    words = [word for name in wanted.files for word in ("--requirement", name)]
    if words or wanted.requirements:
        workshop.install(*words, *wanted.requirements, origin="the requirements")
    for lock in wanted.locks:
        # A lock file is installed alone: pip would want hashes of everything beside it, and uv takes nothing beside it.
        workshop.install("--requirement", lock, origin=lock, lock=lock)
    if wanted.environment is not None:
        workshop.take(wanted.environment)


def _add_in_place(inputs: Inputs, source: Path | Placed, choice: Choice) -> None:
    """Add a source that is read in place, and what its path files name.

    Raises:
        PackError: it is a virtual environment, or a path file leads out of it.

    """
    inputs.sources.append(source)
    path = source.path if isinstance(source, Placed) else source
    if os.path.isfile(path / "pyvenv.cfg"):
        message = "is a virtual environment; pack what is installed in it with --from-venv"
        raise PackError(message, file=str(path))
    # A package is no folder of packages, so Python reads no path files in it.
    if any(os.path.isfile(path / name) for name in ("__init__.py", "__init__.pyc")) or not any(path.glob("*.pth")):
        return
    installed = distributions(path)
    files = pathfiles.path_files(path, installed, choice)
    pathfiles.check_inside(files, path)
    inputs.warnings += pathfiles.warnings(files)
    if any(file.folders for file in files):
        hidden = {name for name in os.listdir(path) if pathfiles.hides(path, name)}
        followed = pathfiles.Followed([path], {one.name for one in installed}, hidden)
        inputs.sources += followed.follow(files, choice, own=True)


@dataclass
class _Workshop:
    """A scratch folder that installers write to, and the versions found there so far."""

    wanted: Wanted
    choice: Choice
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

    def install_locked(self, lock: Lock) -> None:
        """Have the installer install what a project's lock file says, without the project itself."""
        path = lock.path
        if not lock.is_pylock:
            path = self._folder() / PYLOCK
            path.parent.mkdir()
            lock.export(path, self.python, self.wanted.installer)
        words = lock.options if lock.is_pylock else []
        self.install(*words, "--requirement", str(path), origin=str(lock.path), lock=str(path), leave_out=lock.owner)

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
            return find_installer(self.python, lock=lock, chosen=self.wanted.installer)
        return find_foreign_installer(self.target, lock=lock, chosen=self.wanted.installer)

    def _prepared(self, word: str) -> str:
        """Return *word*, or, if the target is not here and *word* is a project on disk, the wheel of that."""
        project = local_project(word) if self.target is not None else None
        if self.target is None or project is None:
            return word
        own = find_installer(self.python, chosen=self.wanted.installer)
        wheel = own.build(project.folder, self._folder(), self.wanted.options, talk=self.talk)
        check_wheel(wheel, project.folder, self.target)
        return f"{wheel}{project.extras}"

    def install(self, *words: str, origin: str, lock: str = "", leave_out: str = "") -> None:
        """Have the installer install *words*, and add the result to the inputs."""
        installer = self._installer(lock)
        words = tuple(map(self._prepared, words))
        target = self._folder()
        self._run(installer, words, target)

        def locate(name: str) -> Placed | None:
            # pip records programs in a folder outside of the target, and then moves them into it.
            member = posixpath.normpath(name)
            while member.startswith("../"):
                member = member[3:]
            return Placed(member, target / member, origin)

        site = Site(target, locate, [Path(os.path.dirname(installer.interpreter))], origin)
        installed = distributions(target)
        removed = [one for one in installed if one.is_editable or one.name == leave_out]
        for one in removed:
            _remove(one, target, locate)
        installed = [one for one in installed if one not in removed]
        files = pathfiles.path_files(target, installed, self.choice, origin=origin) if target.is_dir() else []
        pathfiles.check_inside(files, target)
        left = {PROGRAMS, ".lock", *(one.folder.name for one in installed), *pathfiles.left_out(files)}
        self._warn_of_secrets(installed, locate)
        names = [name for name in sorted(os.listdir(target)) if name not in left] if target.is_dir() else []
        layout = lay_out(site, names, installed, self._folder())
        self._check(installed, origin)
        if self.target is not None:
            check_built(installed, self.target)
            self.inputs.warnings += foreign_warnings(installer, self.target)
        hidden = {name for name in names if pathfiles.hides(target, name)}
        followed = pathfiles.Followed([target], {one.name for one in installed}, hidden)
        self.inputs.sources += [*layout.placed, *followed.follow(files, self.choice, own=False)]
        self.inputs.warnings += pathfiles.warnings(files)
        self.inputs.warnings += [
            PackWarning(
                member, f"{installer.name} does not install this file into a folder of its own, so it is left out"
            )
            for member in layout.missing
        ]
        projects = [one.project for one in removed if one.name != leave_out and one.project]
        if projects:  # an editable install is a reference to a project
            self.install("--no-deps", *projects, origin=origin)

    def _warn_of_secrets(self, installed: Sequence[Distribution], locate: Callable[[str], Placed | None]) -> None:
        """Warn of the secrets in distributions that were built from folders here."""
        built = [one for one in installed if one.url.startswith("file:") and not one.url.endswith(".whl")]
        for name in (row.name for one in built for row in one.rows):
            placed = locate(name)
            if placed is None or self.choice.excludes(placed.member) or self.choice.includes_secret(placed.member):
                continue
            if placed.path.is_file() and is_secret(str(placed.path)):
                message = "looks like a secret, and the build of the project took it; leave it out with --exclude"
                self.inputs.warnings.append(PackWarning(placed.member, message))

    def _run(self, installer: Installer, words: Sequence[str], target: Path) -> None:
        try:
            installer.install(words, target, self.wanted.options, talk=self.talk)
        except PackError as error:
            # Without a build system, installers take setuptools.
            if self.wanted.advice and ("build" in error.message or "setuptools" in error.message):
                error.message += f"; {self.wanted.advice}"
            raise

    def unpack(self, bundle: Path) -> None:
        """Add the members of a bundle, and keep its bytecode."""
        folder = self._folder()
        unpacked = unpack(bundle, folder)
        self._check(distributions(unpacked.members), str(bundle))
        self.inputs.sources += [
            Placed(name, unpacked.members / name, str(bundle)) for name in sorted(os.listdir(unpacked.members))
        ]
        self.inputs.kept.folders.append(str(folder))
        self.inputs.code_tags[str(bundle)] = unpacked.tags
        self.inputs.runs_on[str(bundle)] = unpacked.runs_on
        self.inputs.wishes[str(bundle)] = unpacked.wishes

    def take(self, environment: Path) -> None:
        """Add the distributions of a virtual environment."""
        found = packed_environment(environment, self._folder(), self.choice)
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
                    f"{where} give version {version}, and {origin} give version {one.version}; require one version"
                )
                raise PackError(message, member=one.name)


def _remove(distribution: Distribution, target: Path, locate: Callable[[str], Placed | None]) -> None:
    """Remove a distribution from *target*, the scratch folder that it was installed into."""
    for row in distribution.rows:
        placed = locate(row.name)
        if placed is not None and placed.path.is_relative_to(target):
            placed.path.unlink(missing_ok=True)
    shutil.rmtree(distribution.folder, ignore_errors=True)
