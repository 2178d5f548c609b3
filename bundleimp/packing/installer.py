"""Who resolves, builds and unpacks for `pack`: pip, or uv where pip is missing or cannot, each in a process of its own.

Nothing here reads a requirement, a lock file or a wheel.  What the installer says reaches the user as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
_PIP_VARIABLES = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
# How uv draws what it says, and how the line begins that says what is wrong.
_NO_FRAME = dict.fromkeys(map(ord, "\N{MULTIPLICATION SIGN}╰─▶│├"), " ")
_FIRST_LINE = ("\N{MULTIPLICATION SIGN}", "error:")
_QUESTION = """
import json, sys
try:
    from pip import __version__ as version
except ImportError:
    version = ""
print(json.dumps({"executable": sys.executable, "pip": version}))
"""


@dataclass(frozen=True)
class _Interpreter:
    """An interpreter, and the version of its pip: () where it has none."""

    executable: str
    pip: tuple[int, ...]

    @classmethod
    def ask(cls, executable: str) -> _Interpreter:
        """Return what *executable* says of itself."""
        try:
            # With -P, a pip or json in the current folder is not what is imported.
            asked = subprocess.run(  # noqa: S603 (the user named this interpreter)
                [executable, "-P", "-c", _QUESTION], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
            )
        except OSError as error:
            message = f"this interpreter cannot be started: {error.strerror}"
            raise PackError(message, file=executable) from None
        try:
            answer = json.loads(asked.stdout)
        except ValueError:
            message = "cannot install for this interpreter; CPython 3.11 or newer is needed"
            raise PackError(message, file=executable) from None
        parts = answer["pip"].split(".")[:2]
        return cls(answer["executable"], tuple(int(part) if part.isdecimal() else 0 for part in parts if part))


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
            PackError: the installer failed; it has said why on standard error.

        """
        own = _PIP_OPTIONS if self.name == "pip" else ()
        command = [*self.command, "--target", str(target), *own, *_quiet(talk), *words, *options]
        done = self._run(command, talk=talk)
        if done.returncode and self.target:
            message = f"{self.name} cannot install wheels for {self.target}: {_reason(done.stderr)}"
            raise PackError(message)
        if done.returncode:
            message = f"{self.name} failed with exit status {done.returncode}; it says why above"
            raise PackError(message)

    def build(self, project: str, folder: Path, options: Sequence[str], *, talk: bool) -> Path:
        """Build the wheel of a project (PEP 517), without its dependencies; return the wheel.

        Arguments:
            project: the project's folder.
            folder: an empty folder for the wheel; it is made.
            options: the user's own options.
            talk: as of `install`.

        Raises:
            PackError: the build failed; the installer has said why on standard error.

        """
        if self.name == "pip":
            command = [
                *self.command[:-1],
                "wheel",
                "--no-deps",
                "--disable-pip-version-check",
                "--wheel-dir",
                str(folder),
            ]
        else:
            command = [self.command[0], "build", "--wheel", "--python", self.interpreter, "--out-dir", str(folder)]
        done = self._run([*command, *_quiet(talk), project, *options], talk=talk)
        wheels = sorted(folder.glob("*.whl"))
        if done.returncode or not wheels:
            message = f"{self.name} cannot build a wheel of it; it says why above"
            raise PackError(message, file=project)
        return wheels[0]

    def _run(self, command: Sequence[str], *, talk: bool) -> subprocess.CompletedProcess[bytes]:
        sys.stderr.flush()
        try:
            return subprocess.run(  # noqa: S603 (the user asked for it)
                command,
                stdout=2 if talk else subprocess.DEVNULL,  # standard output is the report's, which may be JSON
                stderr=subprocess.PIPE if self.target else None,
                env=os.environ | _PIP_VARIABLES | dict(self.variables),
                check=False,
            )
        except OSError as error:
            message = f"cannot be started: {error.strerror}"
            raise PackError(message, file=command[0]) from None


def _quiet(talk: bool) -> tuple[str, ...]:
    return () if talk else ("--quiet",)


def find_installer(python: str, *, lock: str = "") -> Installer:
    """Return an installer for an interpreter.

    That is the interpreter's own pip; else the running interpreter's pip, told to install for the other; else uv.

    Arguments:
        python: the interpreter.
        lock: the lock file (PEP 751) that it must be able to read, if any.

    Raises:
        PackError: the interpreter cannot be used, or there is no installer for it.

    """
    found = ""
    for version, installer in candidates(python):
        if not lock or installer.name == "uv" or version >= READS_LOCKS:
            return installer
        found = found or f"; {installer.name} here is {'.'.join(map(str, version))}"
    if lock:
        message = f"a lock file needs pip {'.'.join(map(str, READS_LOCKS))} or newer, or uv{found}: install one of them"
        raise PackError(message, file=lock)
    message = "this interpreter has no pip, and there is no uv: run `python -m ensurepip` with it, or install uv"
    raise PackError(message, file=python)


def candidates(python: str) -> Iterator[tuple[tuple[int, ...], Installer]]:
    """Yield the installers for an interpreter, best first, each with its version where that is known.

    Raises:
        PackError: the interpreter cannot be used.

    """
    wanted = _Interpreter.ask(python)
    executable = wanted.executable
    if wanted.pip:
        yield wanted.pip, Installer("pip", (executable, "-P", "-m", "pip", "install"), executable)
    if executable != sys.executable:
        ours = _Interpreter.ask(sys.executable)
        if ours.pip >= _SERVES_OTHERS:
            command = (sys.executable, "-P", "-m", "pip", "--python", executable, "install")
            yield ours.pip, Installer("pip", command, executable)
    uv = find_uv()
    if uv:
        yield (), Installer("uv", (uv, "pip", "install", "--python", executable), executable)


def find_uv() -> str | None:
    """Return the path of uv, or None if it is not here."""
    # Beside the running interpreter it may stand in a virtual environment that is not activated.
    return shutil.which("uv", path=os.path.dirname(sys.executable)) or shutil.which("uv")


def _reason(output: bytes) -> str:
    """Return why an installer failed, in one line, from what it wrote to standard error."""
    lines = output.decode("utf-8", "replace").splitlines()
    begin = next((at for at, line in enumerate(lines) if line.lstrip().startswith(_FIRST_LINE)), 0)
    last = [line for line in lines if line.startswith("ERROR:")][-1:]  # pip's
    text = " ".join(" ".join(last or lines[begin:]).translate(_NO_FRAME).split())
    # uv goes on with its own options.
    return text.partition(" hint: ")[0].replace(" cause: ", ": ").removeprefix("ERROR: ").removeprefix("error: ")
