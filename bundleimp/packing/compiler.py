"""Bytecode for a given interpreter, made by that interpreter in worker processes.

Where no process can be started (in a browser), the running interpreter makes its own bytecode itself: the same bytes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import subprocess
import sys
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Lock
from typing import IO, TYPE_CHECKING, Self

from ..encoding import CodeTag
from ..runtime.content import images
from ..runtime.content.decompression import STORED
from ..runtime.interpreter.lazily import LAZY_TAG
from . import laziness, worker
from .asking import unfit
from .errors import PackError
from .zipsink import compressed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

OLDEST = (3, 11)
# Requests that a process has at a time: it reads the second as soon as it has answered the first.
_SLOTS = 2


@dataclass(frozen=True, slots=True)
class Module:
    """A module to compile: the member's name, and its source."""

    name: str
    source: bytes


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of one module.

    Attributes:
        image: its pyc image, or None.
        failure: why there is no image, or "".
        packed: the image as the bundle has it: compressed, or as it is.
        kept: whether a bundle among the sources brought the image.
        imports: the names of the modules that it imports, as of `laziness.marked`.

    """

    image: bytes | None
    failure: str = ""
    packed: bytes | None = None
    kept: bool = False
    imports: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Greeting:
    """What an interpreter says of itself."""

    tag: str
    magic: str
    version: str

    def __post_init__(self) -> None:
        if self.release < OLDEST:
            raise ValueError(self.version)

    @property
    def release(self) -> tuple[int, ...]:
        """The first two numbers of the version."""
        return tuple(map(int, self.version.split(".")[:2]))

    @property
    def is_lazy(self) -> bool:
        """Whether it has lazy imports."""
        return self.release >= worker.LAZY_FROM


class _NoProcessesError(Exception):
    """The platform has no processes, and the interpreter that is wanted is the running one."""


class _Worker:
    """One process of the interpreter."""

    def __init__(self, executable: str, rules: Mapping[str, object] | None) -> None:
        self.executable = executable
        self._rules = rules
        self._asking, self._answering = Lock(), Lock()
        self._died_on = ""
        arguments = [json.dumps(rules)] if rules is not None else []
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the user named this interpreter)
                [executable, "-I", "-S", "-B", "-W", "ignore", worker.__file__, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            if error.errno == errno.ENOTSUP and executable == sys.executable:
                raise _NoProcessesError from None
            message = f"this interpreter cannot be started: {error.strerror}"
            raise PackError(message, file=executable) from None

    @functools.cached_property
    def greeting(self) -> _Greeting:
        """What it says of itself before it answers to anything."""
        try:
            return _Greeting(**json.loads(self._output.readline()))
        except (ValueError, TypeError):
            raise unfit(self.executable, "make bytecode") from None

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 (it is a pipe)
        return self._process.stdout

    def compile(self, modules: Sequence[Module], optimize: int) -> list[Compiled]:
        """Compile *modules*; a second thread may ask meanwhile, so that the process finds work when it is done."""
        with self._asking:
            self._ask(modules, optimize)
            # Taken before another can ask: answers come in the order of the requests.
            self._answering.acquire()
        try:
            return [self._answer(module) for module in modules]
        finally:
            self._answering.release()

    def _ask(self, modules: Sequence[Module], optimize: int) -> None:
        assert self._process.stdin is not None  # noqa: S101 (it is a pipe)
        with contextlib.suppress(OSError):  # a process that died gives no answer, either
            self._process.stdin.write(b"%d %d\n" % (optimize, len(modules)))
            for module in modules:
                name = module.name.encode()
                self._process.stdin.write(b"%d %d\n%b" % (len(name), len(module.source), name))
                self._process.stdin.write(module.source)
            self._process.stdin.flush()

    def _answer(self, module: Module) -> Compiled:
        try:
            _ = self.greeting
            status, _, size = self._output.readline().partition(b" ")
            answer = self._output.read(int(size))
            if status == b"ok" and self._rules is not None and self.greeting.is_lazy:
                return Compiled(answer, imports=json.loads(self._output.read(int(self._output.readline()))))
        except (OSError, ValueError):
            status = b""
        if status == b"ok":
            return Compiled(answer)
        if status == b"error":
            return Compiled(None, answer.decode())
        # Who writes to it does not wait for ever then, and who waits for a later answer blames no other module.
        self._process.kill()
        self._died_on = self._died_on or module.name
        message = f"{self.executable} ended unexpectedly while it compiled this module; leave it out with --exclude"
        raise PackError(message, member=self._died_on)

    def kill(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()

    def close(self) -> None:
        # Closing its standard input ends the worker; one that was killed has closed the pipe already.
        with contextlib.suppress(OSError):
            self._process.communicate()


class _OwnInterpreter:
    """The running interpreter, in the place of a process."""

    def __init__(self, rules: Mapping[str, object] | None) -> None:
        self.greeting = _Greeting(**json.loads(worker.greeting()))
        self._rules = rules if self.greeting.is_lazy else None

    def compile(self, modules: Sequence[Module], optimize: int) -> list[Compiled]:
        return [self._compile(module, optimize) for module in modules]

    def _compile(self, module: Module, optimize: int) -> Compiled:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if self._rules is None:
                    return Compiled(worker.image(module.source, module.name, optimize))
                tree, imports = laziness.marked(module.source, module.name, self._rules)
                return Compiled(worker.image(module.source, module.name, optimize, tree), imports=imports)
        except Exception as error:  # noqa: BLE001 (whatever a compiler may say about somebody's file)
            return Compiled(None, worker.describe(error))


class Compiler:
    """Compiles modules with one interpreter, several at a time; a context manager.

    Attributes:
        tag: the code tag of what it makes.
        version: the interpreter's version, "3.13.0".
        release: its first two numbers.
        optimize: 0, 1 or 2, as of `compile`.

    """

    def __init__(
        self,
        executable: str,
        optimize: int,
        jobs: int,
        method: int = STORED,
        rules: Mapping[str, object] | None = None,
    ) -> None:
        """Start the workers.

        Arguments:
            executable: the interpreter.
            optimize: 0, 1 or 2, as of `compile`.
            jobs: how many processes.
            method: the zip method that compresses the bytecode.
            rules: the rules of `laziness.marked`, or None if lazy imports are not wanted.

        Raises:
            PackError: the interpreter does not start, or is older than 3.11.

        """
        self._executable = executable
        self._method = method
        self._rules = rules
        self.optimize = optimize
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._starting = Lock()
        self._slots: SimpleQueue[_Worker] = SimpleQueue()
        self._own: _OwnInterpreter | None = None
        try:
            self._start()
        except _NoProcessesError:
            self._own = _OwnInterpreter(rules)
        try:
            greeting = self._own.greeting if self._own is not None else self._workers[0].greeting
        except BaseException:
            self._kill()
            self._close()
            raise
        self.version = greeting.version
        self.release = greeting.release
        name = greeting.tag + (f".opt-{optimize}" if optimize else "")
        self.tag = CodeTag(name, bytes.fromhex(greeting.magic))
        self.is_lazy = rules is not None and greeting.is_lazy
        self._threads = ThreadPoolExecutor(jobs * _SLOTS)

    @property
    def reads_zstd(self) -> bool:
        """Whether the interpreter's standard library decompresses zstd."""
        return self.release >= (3, 14)

    @property
    def tags(self) -> list[CodeTag]:
        """The tags of its columns in the index."""
        return [self.tag] + [CodeTag(self.tag.name + LAZY_TAG, self.tag.magic)] * self.is_lazy

    def columns(self, compiled: Compiled | None) -> list[bytes | None]:
        """Return the image of a module for each of these columns.  An image with lazy imports is only in the last."""
        packed = compiled.packed if compiled is not None else None
        if not self.is_lazy:
            return [packed]
        return [None, packed] if compiled is not None and laziness.LAZY in compiled.imports else [packed, None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._kill()
        self._threads.shutdown(cancel_futures=True)
        self._close()

    def _kill(self) -> None:
        """End the processes at once: nobody wants to wait for what they are compiling."""
        for process in self._workers:
            process.kill()

    def _close(self) -> None:
        for process in self._workers:
            process.close()

    def _start(self) -> None:
        self._workers.append(_Worker(self._executable, self._rules))
        for _ in range(_SLOTS):
            self._slots.put(self._workers[-1])

    def submit(self, modules: Sequence[Module]) -> Future[list[Compiled]]:
        """Return the future of compiling *modules*, all by one process; may be called by several threads."""
        if self._own is not None:  # no processes, no threads
            done: Future[list[Compiled]] = Future()
            done.set_result(self.packed(self._own.compile(modules, self.optimize)))
            return done
        with self._starting:
            if len(self._workers) < self._jobs and self._slots.empty():
                # A second process costs as much as compiling a few modules: it is started when there is work for it.
                self._start()
        return self._threads.submit(self._compile, modules)

    def _compile(self, modules: Sequence[Module]) -> list[Compiled]:
        process = self._slots.get()
        try:
            compiled = process.compile(modules, self.optimize)
        finally:
            self._slots.put(process)
        return self.packed(compiled)

    def packed(self, compiled: list[Compiled]) -> list[Compiled]:
        """Return what was *compiled*, with the images as the bundle has them."""
        return [
            item if item.image is None else replace(item, packed=packed_image(item.image, self._method))
            for item in compiled
        ]


def packed_image(image: bytes, method: int) -> bytes:
    """Return the bytes in the bundle of a pyc *image*: compressed by *method* if that makes it smaller."""
    if method == STORED:
        return image
    packed = compressed(image, method)
    data = images.encode(method, packed, len(image))
    return data if len(data) < len(image) <= len(packed) * images.MOST else image
