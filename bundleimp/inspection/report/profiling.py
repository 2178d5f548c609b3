"""Runs the program of a bundle, or a module or code with the bundle on the path, and returns what it imported."""

from __future__ import annotations

import ast
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...errorstream import errors_of
from ...runtime.archive import Archive
from ...runtime.faults.kinds import BundleError, BundleFitError
from . import start

if TYPE_CHECKING:
    from ..reader import BundleReader

_STARTER = Path(__file__).with_name("starter.py")
_MAINS = {"__main__.py", "__main__.pyc"}


def profiled(bundle: BundleReader, command: str) -> start.Start:
    """Run *command* in a process of its own, and return its imports.

    Arguments:
        bundle: the bundle.
        command: "-m MODULE", "-c CODE", or the arguments of the bundle's program, as a shell would take them.

    Raises:
        BundleError: *command* is not a command, or fails; or the bundle is for other Pythons.

    """
    words = _words(bundle, command)
    fault = Archive(bundle.path).fault
    if isinstance(fault, BundleFitError):
        message = f"cannot be started: {fault.message}"
        raise BundleError(message, file=bundle.path)
    with tempfile.TemporaryDirectory(prefix="bundleimp-profile-", ignore_cleanup_errors=True) as folder:
        note = os.path.join(folder, "lazy.txt")
        own = str(Path(__file__).parents[3])
        path = os.path.abspath(bundle.path)
        starter = [sys.executable, "-X", "importtime", str(_STARTER), note, own, start.BEGIN, path]
        output = _run(command, [*starter, *words], folder)
        version = ".".join(map(str, sys.version_info[:3]))
        return start.decode(command, f"{sys.implementation.name} {version}", output, _read(note))


def _failure(command: str, message: str) -> BundleError:
    return BundleError(f"profile: {command!r} {message}")


def _words(bundle: BundleReader, command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        message = f"is not a command: {str(error).lower()}"
        raise _failure(command, message) from None
    if words[:1] in (["-m"], ["-c"]):
        if not words[1:]:
            what = "the name of a module" if words == ["-m"] else "code"
            message = f"needs {what}"
            raise _failure(command, message)
    elif not _MAINS.intersection(member.name for member in bundle.members):
        message = "has no program; give --profile '-m MODULE' or --profile \"-c 'CODE'\""
        raise BundleError(message, file=bundle.path)
    return words


def _run(command: str, words: list[str], folder: str) -> str:
    """Run *words*; return what was written to standard error."""
    try:
        status, output = errors_of(words, os.path.join(folder, "errors.txt"))
    except (OSError, ValueError) as error:
        message = f"cannot be started: {getattr(error, 'strerror', error)}"
        raise _failure(command, message) from None
    if status:
        last = [line.strip() for line in output.splitlines() if line.strip() and "import time:" not in line]
        message = f"failed with exit status {status}" + (f": {last[-1]}" if last else "")
        raise _failure(command, message)
    return output


def _read(note: str) -> list[start.Lazy] | None:
    """Return the lazy imports that the process noted; None if it noted none."""
    try:
        facts = ast.literal_eval(Path(note).read_text("ascii"))
        return [start.Lazy(*fact) for fact in facts]
    except (OSError, ValueError, TypeError, SyntaxError):
        return None
