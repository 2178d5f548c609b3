"""The order in which a program reads its code: from a run of it, or from what ``-X importtime`` printed of one.

A command runs over a copy of the files, laid out as if installed: any interpreter can do that, with the extension
modules and the data, and without bundleimp.  ``PYTHONVERBOSE`` has the import system say what it reads when it reads
it, in child processes too; ``-X importtime`` says nothing of what `importlib.import_module` imports.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .. import importtimes
from ..errorstream import errors_of
from .errors import PackError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..importtimes import Import
    from .collect import SourceFile

_READ = re.compile(r"# code object from (?P<path>.*?)\r?$")
_OWN_INTERPRETER = ("python", "python3")


def reading_order(profile: str, files: Sequence[SourceFile], python: str) -> list[str]:
    """Return the members that hold the modules that a program imports, in the order in which it reads them.

    Arguments:
        profile: a file that ``-X importtime`` filled, or a command.
        files: the files that are packed.
        python: the interpreter for commands that name none.

    Raises:
        PackError: the command fails, or neither says anything of a module that is packed.

    """
    members = {file.member for file in files if file.is_module}
    if os.path.isfile(profile) and not _is_program(profile):
        mentioned = list(_members_of(_listed(Path(profile)), members))
        if not mentioned:
            message = "lists none of the modules that are packed"
            raise PackError(message, file=profile)
    else:
        mentioned = [name for name in _observed(profile, python, files) if name in members]
        if not mentioned:
            message = (
                "imports none of the modules that are packed; give a Python command without -I and -E"
                " that does not redirect standard error"
            )
            raise _failure(profile, message)
    return list(dict.fromkeys(mentioned))


def _is_program(file: str) -> bool:
    # Windows calls every file executable.
    return os.name != "nt" and os.access(file, os.X_OK)


def _failure(command: str, message: str) -> PackError:
    return PackError(f"profile: {command!r} {message}")


def _listed(file: Path) -> Iterator[str]:
    """Yield the full names of the modules in the output of ``-X importtime``, in the order in which they are read."""
    try:
        found = importtimes.outermost(file.read_text("utf-8", "replace"))
    except OSError as error:
        raise unreadable(error, file) from None
    if not found:
        message = "is not an output of python -X importtime; to run this file, write 'python FILE'"
        raise PackError(message, file=str(file))
    for each in found:
        yield from _in_reading_order(each)


def _in_reading_order(outermost: Import) -> Iterator[str]:
    """Yield the names of a module and of what it imports: after its own code, but for the package that it is in."""
    waiting: list[Import | str] = [outermost]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
            continue
        package = found.name.rpartition(".")[0]
        own = 1 if found.nested and found.nested[0].name == package else 0
        waiting += [*reversed(found.nested[own:]), found.name, *found.nested[:own]]


def _members_of(modules: Iterable[str], members: set[str]) -> Iterator[str]:
    for module in modules:
        parts = module.split(".")
        # A package that `importlib.import_module` imported is not listed itself.
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            yield from [name for name in (f"{path}/__init__.py", f"{path}.py") if name in members][:1]


def _words(command: str, python: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        message = f"is not a command: {str(error).lower()}"
        raise _failure(command, message) from None
    if not words:
        message = "is not a command"
        raise _failure(command, message)
    if words[0].startswith("-"):
        return [python, *words]
    return [python, *words[1:]] if words[0] in _OWN_INTERPRETER else words


def _observed(command: str, python: str, files: Sequence[SourceFile]) -> Iterator[str]:
    """Run *command* over *files*; yield the members that the import system read the code of."""
    words = _words(command, python)
    # What the command leaves running may still be writing there.
    with tempfile.TemporaryDirectory(prefix="bundleimp-profile-", ignore_cleanup_errors=True) as folder:
        place = os.path.join(os.path.realpath(folder), "packed")
        for file in files:
            _copy(file, Path(place, file.member))
        output = _run(command, words, place)
    for line in output.splitlines():
        match = _READ.search(line)
        path = match["path"] if match is not None else ""
        if path.startswith(place + os.sep):
            yield path[len(place) + 1 :].replace(os.sep, "/")


def _copy(file: SourceFile, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.path, target)
    except OSError as error:
        raise unreadable(error, file.path) from None


def _run(command: str, words: list[str], place: str) -> str:
    """Run *command*, split into *words*, with *place* first on Python's path; return what it wrote to standard error.

    Raises:
        PackError: it cannot be started, or fails.

    """
    path = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH")]))
    # Without bytecode files, each module is one line, which names its source.  What is packed must not be found in the
    # folder from which it is packed, and sets have to be in the same order each time.
    variables = {"PYTHONPATH": path, "PYTHONVERBOSE": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
    environment = os.environ | variables | {"PYTHONHASHSEED": "0"}
    try:
        status, output = errors_of(words, f"{place}.txt", environment)
    except (OSError, ValueError) as error:
        message = f"is neither a file nor a command that can be started: {getattr(error, 'strerror', error)}"
        raise _failure(command, message) from None
    if status:
        message = f"failed with exit status {status}{_last_words(output)}"
        raise _failure(command, message)
    return output


def _last_words(output: str) -> str:
    """Return the last line of *output* that is not the import system's, as the end of a sentence."""
    own = ("# ", "import ", 'Type "help"')
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith(own)]
    return f": {lines[-1]}" if lines else ""
