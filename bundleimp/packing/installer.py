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
_READS_LOCKS = (26, 1)
# The first pip that installs for another interpreter.
_SERVES_OTHERS = (22, 3)

# What is about the interpreter's own environment, which --target leaves alone.  Old versions of pip do not know all of
# the variables, and do not mind.
_PIP_OPTIONS = (
    *("--no-compile", "--no-user", "--no-warn-conflicts", "--no-warn-script-location"),
    "--disable-pip-version-check",
)
_PIP_VARIABLES = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
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

    """

    name: str
    command: tuple[str, ...]
    interpreter: str

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
        quiet = () if talk else ("--quiet",)
        command = [*self.command, "--target", str(target), *own, *quiet, *words, *options]
        sys.stderr.flush()
        try:
            status = subprocess.run(  # noqa: S603 (the user asked for it)
                command,
                stdout=2 if talk else subprocess.DEVNULL,  # standard output is the report's, which may be JSON
                env=os.environ | _PIP_VARIABLES,
                check=False,
            ).returncode
        except OSError as error:
            message = f"cannot be started: {error.strerror}"
            raise PackError(message, file=command[0]) from None
        if status:
            message = f"{self.name} failed with exit status {status}; see its output above"
            raise PackError(message)


def find_installer(python: str, *, lock: str = "") -> Installer:
    """Return an installer for an interpreter.

    That is the interpreter's own pip; else the running interpreter's pip, told to install for the other; else uv.

    Arguments:
        python: the interpreter.
        lock: the lock file (PEP 751) that it must be able to read, if any.

    Raises:
        PackError: the interpreter cannot be used, or there is no installer for it.

    """
    wanted = _Interpreter.ask(python)
    found = ""
    for version, installer in _candidates(wanted):
        if not lock or installer.name == "uv" or version >= _READS_LOCKS:
            return installer
        found = found or f"; {installer.name} here is {'.'.join(map(str, version))}"
    if lock:
        message = (
            f"a lock file needs pip {'.'.join(map(str, _READS_LOCKS))} or newer, or uv{found}: install one of them"
        )
        raise PackError(message, file=lock)
    message = "this interpreter has no pip, and there is no uv: run `python -m ensurepip` with it, or install uv"
    raise PackError(message, file=python)


def _candidates(wanted: _Interpreter) -> Iterator[tuple[tuple[int, ...], Installer]]:
    """Yield the installers that are there, best first, each with its version where that is known."""
    executable = wanted.executable
    if wanted.pip:
        yield wanted.pip, Installer("pip", (executable, "-P", "-m", "pip", "install"), executable)
    if executable != sys.executable:
        ours = _Interpreter.ask(sys.executable)
        if ours.pip >= _SERVES_OTHERS:
            command = (sys.executable, "-P", "-m", "pip", "--python", executable, "install")
            yield ours.pip, Installer("pip", command, executable)
    # Beside the running interpreter it may stand in a virtual environment that is not activated.
    uv = shutil.which("uv", path=os.path.dirname(sys.executable)) or shutil.which("uv")
    if uv:
        yield (), Installer("uv", (uv, "pip", "install", "--python", executable), executable)
