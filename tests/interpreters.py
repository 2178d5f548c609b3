"""Fresh interpreters where there are no processes: on Emscripten, in a browser or under Node.

`run` stands in for `subprocess.run`: each program has an interpreter of its own (``Py_NewInterpreter``: modules, import
system and standard streams are its own, and ``site`` has run), with the environment, working directory, standard
descriptors and options that are asked for.  The module ``interpreters`` comes from ``.ci/pyodide/run.mjs``: between
making an interpreter and ending it, this one must not take a step.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROGRAM = Path(__file__).with_name("program.py")
_LIBRARY = os.path.realpath(sysconfig.get_path("stdlib"))
_PREFIX = "/environment"  # see run.mjs


@dataclass
class _CommandLine:
    """What a command line and the environment stand for.

    Attributes:
        flags: those of the configuration (PEP 741) that a new interpreter has from this one.
        settings: the rest, which `program` sees to.

    """

    flags: dict[str, int]
    settings: dict[str, Any]


def _parse(arguments: Sequence[str], environment: Mapping[str, str]) -> _CommandLine:
    path = environment.get("PYTHONPATH", "")
    settings: dict[str, Any] = {
        "path": [*(path.split(os.pathsep) if path else []), _LIBRARY],
        "prefix": _PREFIX,
        "warnoptions": [],
        "pycache_prefix": environment.get("PYTHONPYCACHEPREFIX"),
    }
    flags = {"optimization_level": 0, "write_bytecode": "PYTHONDONTWRITEBYTECODE" not in environment}
    waiting = list(arguments)
    while waiting:
        option = waiting.pop(0)
        if option == "-W":
            settings["warnoptions"].append(waiting.pop(0))
        elif option in {"-O", "-OO"}:
            flags["optimization_level"] = len(option) - 1
        elif option == "-B":
            flags["write_bytecode"] = 0
        elif option in {"-c", "-m"} or not option.startswith("-"):
            return _CommandLine(flags, settings | {"program": [option, *waiting]})
        else:
            pytest.skip(f"needs a process of its own, for {option}")
    pytest.skip("needs a process of its own, without a program")


@contextmanager
def _configured(flags: Mapping[str, int]) -> Iterator[None]:
    """Set the flags of this interpreter, from which new ones have theirs."""
    get, put = ctypes.pythonapi.PyConfig_Get, ctypes.pythonapi.PyConfig_Set
    get.restype, put.argtypes = ctypes.py_object, [ctypes.c_char_p, ctypes.py_object]
    before = {name: get(name.encode()) for name in flags}
    try:
        for name, value in flags.items():
            put(name.encode(), int(value))
        yield
    finally:
        for name, value in before.items():
            put(name.encode(), int(value))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _directory(path: str | os.PathLike[str] | None) -> Iterator[None]:
    before = os.getcwd()
    try:
        os.chdir(path or before)
        yield
    finally:
        os.chdir(before)


def _open_descriptors() -> set[int]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that they were listed with
            os.fstat(int(name))
            found.add(int(name))
    return found


@contextmanager
def _descriptors(stdout: int, stderr: int) -> Iterator[None]:
    """Let *stdout* and *stderr* be the standard descriptors; what is opened meanwhile is closed afterwards."""
    before = _open_descriptors()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
        for number in _open_descriptors() - before:
            os.close(number)


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str | os.PathLike[str] | None
) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter to its end, as `subprocess.run` runs a process; skip the test where none can do that.

    Arguments:
        arguments: its command line.
        environment: its environment variables.
        folder: its working directory, or None for the present one.

    """
    import interpreters  # type: ignore[import-not-found] # noqa: PLC0415 (made by what runs the tests)

    line = _parse(arguments, environment)
    with ExitStack() as stack:
        streams = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        stdout, stderr, report = (stream.fileno() for stream in streams)
        program = (
            f"exec(compile({_PROGRAM.read_text('utf-8')!r}, '<interpreter>', 'exec'), namespace := {{}}),"
            f" __import__('os').write({report}, b'%d' % namespace['main'](**{line.settings!r}))"
        )
        sys.stdout.flush()
        sys.stderr.flush()
        with _configured(line.flags), _environment(environment), _directory(folder), _descriptors(stdout, stderr):
            interpreters.run(program)
        for stream in streams:
            stream.seek(0)
        out, err, status = (stream.read().decode() for stream in streams)
    return subprocess.CompletedProcess([sys.executable, *arguments], int(status or 255), out, err)
