"""Bytecode for a given interpreter, made by that interpreter in worker processes.

Where no process can be started (in a browser), the running interpreter makes its own bytecode itself: the same bytes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import subprocess
import sys
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Self

from ..runtime.format import CodeTag
from . import worker
from .errors import PackError

if TYPE_CHECKING:
    from types import TracebackType

OLDEST = (3, 11)


@dataclass(frozen=True)
class Compiled:
    """What became of one module: its pyc image, or why there is none."""

    image: bytes | None
    failure: str = ""


@dataclass(frozen=True)
class _Greeting:
    """What an interpreter says of itself."""

    tag: str
    magic: str
    version: str

    def __post_init__(self) -> None:
        if tuple(map(int, self.version.split(".")[:2])) < OLDEST:
            raise ValueError(self.version)


class _NoProcessesError(Exception):
    """The platform has no processes, and the interpreter that is wanted is the running one."""


class _Worker:
    """One process of the interpreter."""

    def __init__(self, executable: str) -> None:
        self.executable = executable
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the user named this interpreter)
                [executable, "-I", "-S", "-B", "-W", "ignore", worker.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            if error.errno == errno.ENOTSUP and executable == sys.executable:
                raise _NoProcessesError from None
            message = f"this interpreter cannot be started: {error.strerror}"
            raise PackError(message, file=executable) from None
        try:
            self.greeting = _Greeting(**json.loads(self._output.readline()))
        except (ValueError, TypeError):
            self.close()
            message = "cannot make bytecode with this interpreter; CPython 3.11 or newer is needed"
            raise PackError(message, file=executable) from None

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 (it is a pipe)
        return self._process.stdout

    def compile(self, name: str, source: bytes, optimize: int) -> Compiled:
        encoded = name.encode()
        assert self._process.stdin is not None  # noqa: S101 (it is a pipe)
        try:
            self._process.stdin.write(b"%d %d %d\n" % (optimize, len(encoded), len(source)) + encoded + source)
            self._process.stdin.flush()
            status, _, size = self._output.readline().partition(b" ")
            answer = self._output.read(int(size))
        except (OSError, ValueError):
            status = b""
        if status == b"ok":
            return Compiled(answer)
        if status == b"error":
            return Compiled(None, answer.decode())
        message = f"the compiler of {self.executable} died on this module; leave it out with --exclude"
        raise PackError(message, member=name)

    def close(self) -> None:
        # Closing its standard input ends the worker; one that was killed has closed the pipe already.
        with contextlib.suppress(OSError):
            self._process.communicate()


class _OwnInterpreter:
    """The running interpreter, in the place of a process."""

    def __init__(self) -> None:
        self.greeting = _Greeting(**json.loads(worker.greeting()))

    def compile(self, name: str, source: bytes, optimize: int) -> Compiled:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return Compiled(worker.image(source, name, optimize))
        except Exception as error:  # noqa: BLE001 (whatever a compiler may say about somebody's file)
            return Compiled(None, worker.describe(error))


class Compiler:
    """Compiles modules with one interpreter, several at a time; a context manager.

    Attributes:
        tag: the code tag of what it makes.
        version: the interpreter's version, "3.13.0".

    """

    def __init__(self, executable: str, optimize: int, jobs: int) -> None:
        """Start the workers.

        Arguments:
            executable: the interpreter.
            optimize: 0, 1 or 2, as of `compile`.
            jobs: how many processes.

        Raises:
            PackError: the interpreter does not start, or is older than 3.11.

        """
        self._optimize = optimize
        self._workers: list[_Worker] = []
        self._own: _OwnInterpreter | None = None
        try:
            self._workers.append(_Worker(executable))
            greeting = self._workers[0].greeting
        except _NoProcessesError:
            self._own = _OwnInterpreter()
            greeting = self._own.greeting
        self.version = greeting.version
        name = greeting.tag + (f".opt-{optimize}" if optimize else "")
        self.tag = CodeTag(name, bytes.fromhex(greeting.magic))
        self._jobs = jobs
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for process in self._workers:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for process in self._workers:
            process.close()

    def submit(self, name: str, source: bytes) -> Future[Compiled]:
        """Return the future of compiling *source*, the source of member *name*."""
        if self._own is not None:  # no processes, no threads
            done: Future[Compiled] = Future()
            done.set_result(self._own.compile(name, source, self._optimize))
            return done
        if len(self._workers) < self._jobs and self._idle.empty():
            # A second process costs as much as compiling a few modules: it is started when there is work for it.
            self._workers.append(_Worker(self._workers[0].executable))
            self._idle.put(self._workers[-1])
        return self._threads.submit(self._compile, name, source)

    def _compile(self, name: str, source: bytes) -> Compiled:
        process = self._idle.get()
        try:
            return process.compile(name, source, self._optimize)
        finally:
            self._idle.put(process)
