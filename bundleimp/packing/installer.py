"""Who resolves, builds and unpacks for `pack`: uv, or pip where there is no uv, each in a process of its own.

Nothing here reads a requirement, a lock file or a wheel.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import complaints
from .asking import ask, unfit
from .distribution import Distribution
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

# The first pip that takes a lock file (PEP 751) as requirements.
READS_LOCKS = (26, 1)
# The first pip that installs for another interpreter.
_SERVES_OTHERS = (22, 3)

# What is about the interpreter's own environment, which --target leaves alone.  Old versions of pip do not know all of
# the variables, and do not mind.
_PIP_OPTIONS = (
    *("--no-compile", "--no-user", "--no-warn-conflicts", "--no-warn-script-location"),
    "--disable-pip-version-check",
)
_ASKS_FOR_OTHERS = "different Python"
_PIP_VARIABLES = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
_QUESTION = """
import importlib.util, json, sys
try:
    from pip import __version__ as version
except ImportError:
    version = ""
uv = importlib.util.find_spec("uv")
answer = {"executable": sys.executable, "version": sys.version_info[:3], "pip": version}
print(json.dumps({**answer, "uv": uv is not None and uv.origin is not None}))
"""


@dataclass(frozen=True)
class _Interpreter:
    """An interpreter, the version of its pip, () where it has none, and whether it has uv as a module."""

    executable: str
    version: tuple[int, ...]
    pip: tuple[int, ...]
    has_uv: bool

    @classmethod
    def ask(cls, executable: str) -> _Interpreter:
        """Return what *executable* says of itself."""
        # With -P, a pip or json in the current folder is not what is imported.
        answer = ask(executable, ["-P"], _QUESTION)
        if not answer:
            raise unfit(executable, "install")
        parts = answer["pip"].split(".")[:2]
        pip = tuple(int(part) if part.isdecimal() else 0 for part in parts if part)
        return cls(answer["executable"], tuple(answer["version"]), pip, answer["uv"])


@dataclass(frozen=True)
class Installer:
    """An installer that was found.

    Attributes:
        name: "pip" or "uv".
        command: how it is called, up to the options of ``install``.
        interpreter: the interpreter that it installs for.
        target: the name of the target, if it installs for an interpreter that is not here; else "".
        variables: environment variables for it.

    """

    name: str
    command: tuple[str, ...]
    interpreter: str
    target: str = ""
    variables: tuple[tuple[str, str], ...] = ()

    def install(self, words: Sequence[str], target: Path, options: Sequence[str], *, talk: bool) -> None:
        """Install into a folder.

        Arguments:
            words: requirements, paths, and the options that belong to them.
            target: the folder; it is made.
            options: the user's own options.
            talk: whether the installer may say what it is doing, rather than only what is wrong.

        Raises:
            PackError: the installer failed.

        """
        own = _PIP_OPTIONS if self.name == "pip" else ()
        command = [*self.command, "--target", str(target), *own, *_quiet(talk), *words, *options]
        try:
            self._run(command, lambda: {*words, *_built(target)}, talk=talk)
        except PackError as error:
            if self.target:
                reason = error.message.removeprefix(f"{self.name} failed: ")
                error.message = f"{self.name} cannot install wheels for {self.target}: {reason}"
                if _ASKS_FOR_OTHERS in reason:  # so says pip; uv looks at the target
                    error.message += "; pip looks at the Python that runs it, and not at this target: install uv"
            raise

    def build(self, project: str, folder: Path, options: Sequence[str], *, talk: bool) -> Path:
        """Build the wheel of a project (PEP 517), without its dependencies; return the wheel.

        Arguments:
            project: the project's folder.
            folder: an empty folder for the wheel; it is made.
            options: the user's own options.
            talk: as of `install`.

        Raises:
            PackError: the build failed.

        """
        if self.name == "pip":
            words = ("wheel", "--no-deps", "--disable-pip-version-check", "--wheel-dir", str(folder))
            command = [*self.command[:-1], *words]
        else:
            uv = self.command[: self.command.index("pip")]
            command = [*uv, "build", "--wheel", "--python", self.interpreter, "--out-dir", str(folder)]
        try:
            self._run([*command, *_quiet(talk), project, *options], lambda: {project}, talk=talk)
        except PackError as error:
            error.file = project
            raise
        wheels = sorted(folder.glob("*.whl"))
        if not wheels:
            message = f"{self.name} built no wheel of it"
            raise PackError(message, file=project)
        return wheels[0]

    def _run(self, command: Sequence[str], projects: Callable[[], Iterable[str]], *, talk: bool) -> None:
        """Run a *command*.  *projects* tells afterwards which projects on disk it may have built."""
        name = f".bundleimp-{os.urandom(8).hex()}"
        with tempfile.TemporaryDirectory() as folder:
            variables = _PIP_VARIABLES | _build_variables(folder, name) | dict(self.variables)
            try:
                complaints.run(self.name, command, talk=talk, variables=variables)
            finally:
                for project in projects():
                    _remove_build(project, name)


def _build_variables(folder: str, name: str) -> dict[str, str]:
    """Return the variables that make setuptools build in ``build/NAME`` of each project; *folder* is for their file.

    From the folder ``build`` itself, setuptools packs what earlier builds have left, such as modules that were deleted
    since.  A folder that all projects of a run share would be worse: each wheel would have the modules of those built
    before.  A user who sets the variable builds as it says.
    """
    if "DIST_EXTRA_CONFIG" in os.environ:
        return {}
    file = os.path.join(folder, "setup.cfg")
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(f"[build]\nbuild_base = build/{name}\n")
    return {"DIST_EXTRA_CONFIG": file}


def _built(target: Path) -> Iterator[str]:
    """Yield the folders of the projects on disk of which the distributions in *target* were built (PEP 610)."""
    for file in target.glob("*.dist-info/direct_url.json"):
        with contextlib.suppress(PackError):
            project = Distribution.read(file.parent).project
            if project:
                yield project


def _remove_build(project: str, name: str) -> None:
    """Remove the folder ``build/NAME`` of a *project*, and ``build`` itself if nothing else is in it."""
    build = os.path.join(project.partition("[")[0], "build")
    if os.path.isdir(os.path.join(build, name)):
        shutil.rmtree(os.path.join(build, name), ignore_errors=True)
        with contextlib.suppress(OSError):  # there is something else in it
            os.rmdir(build)


def _quiet(talk: bool) -> tuple[str, ...]:
    return () if talk else ("--quiet",)


def find_installer(python: str, *, lock: str = "", chosen: str | None = None) -> Installer:
    """Return an installer for an interpreter.

    That is uv; else the interpreter's own pip; else the running interpreter's pip, told to install for the other.

    Arguments:
        python: the interpreter.
        lock: the lock file (PEP 751) that it must be able to read, if any.
        chosen: the installer that the user chose, "uv" or "pip", or None.

    Raises:
        PackError: the interpreter cannot be used, or there is no installer for it.

    """
    found = ""
    for version, installer in candidates(python):
        if chosen not in {None, installer.name}:
            continue
        if not lock or installer.name == "uv" or version >= READS_LOCKS:
            return installer
        found = found or f"; {installer.name} here is {'.'.join(map(str, version))}"
    if lock and chosen != "uv":
        message = f"a lock file needs pip {'.'.join(map(str, READS_LOCKS))} or newer, or uv{found}: install one of them"
        raise PackError(message, file=lock)
    if chosen == "uv":
        message = f"uv is neither on PATH nor a module of {sys.executable}: install it, or choose pip"
        raise PackError(message)
    message = "this interpreter has no pip, and there is no uv: run `python -m ensurepip` with it, or install uv"
    raise PackError(message, file=python)


def find_uv(python: str) -> tuple[str, ...] | None:
    """Return how uv is called, or None if it is neither a command nor a module of *python* or of this interpreter.

    Raises:
        PackError: *python* cannot be used.

    """
    return _uv_here() or _uv_of(_Interpreter.ask(python))


def version_of(python: str) -> tuple[int, ...]:
    """Return the version of an interpreter, (3, 11, 7).  Raise PackError if it cannot be used."""
    return _Interpreter.ask(python).version


def _uv_here() -> tuple[str, ...] | None:
    # Beside the running interpreter it may stand in a virtual environment that is not activated.
    uv = shutil.which("uv", path=os.path.dirname(sys.executable)) or shutil.which("uv")
    if uv:
        return (uv,)
    module = importlib.util.find_spec("uv")
    return (sys.executable, "-P", "-m", "uv") if module is not None and module.origin is not None else None


def _uv_of(interpreter: _Interpreter) -> tuple[str, ...] | None:
    return (interpreter.executable, "-P", "-m", "uv") if interpreter.has_uv else None


def candidates(python: str) -> Iterator[tuple[tuple[int, ...], Installer]]:
    """Yield the installers for an interpreter, best first, each with its version where that is known.

    Raises:
        PackError: the interpreter cannot be used.

    """
    wanted = _Interpreter.ask(python)
    executable = wanted.executable
    uv = _uv_here() or _uv_of(wanted)
    if uv:
        yield (), Installer("uv", (*uv, "pip", "install", "--python", executable), executable)
    if wanted.pip:
        yield wanted.pip, Installer("pip", (executable, "-P", "-m", "pip", "install"), executable)
    if executable != sys.executable:
        ours = _Interpreter.ask(sys.executable)
        if ours.pip >= _SERVES_OTHERS:
            command = (sys.executable, "-P", "-m", "pip", "--python", executable, "install")
            yield ours.pip, Installer("pip", command, executable)
