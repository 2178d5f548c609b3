"""Files to members: read, compiled and compressed ahead by threads, and written in order, a few held at a time."""

from __future__ import annotations

import collections
import io
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Self

from ..runtime.content.targets import split_name, stored_name
from ..runtime.site.questions import Question, may_ask
from ..runtime.site.runpaths import is_native, run_paths
from .compiler import Module
from .errors import PackWarning
from .locations import question_of_image, question_of_source
from .progress import Step
from .reading import opened, read
from .units import Fact
from .zipsink import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from .collect import SourceFile
    from .compiler import Compiled, Compiler
    from .keptcode import Compiling, KeptCode
    from .report import PackReport
    from .writer import BundleWriter
    from .zipsink import Prepared, Written

# What a thread takes on at once, in bytes of content, and what is held at most for each processor.
BATCH = 128 << 10
AHEAD = 1 << 20
# What a file weighs beside its content.
_FILE = 2 << 10
# Data that is larger is read when it is written, a piece at a time.
LARGEST_HELD = 1 << 20


@dataclass
class Packed:
    """What was learnt of the members while they were written.

    Attributes:
        facts: what decides on real files, of each member.
        records: the content of each distribution's RECORD, by its member's name in the zip.
        metadata: the content of each distribution's METADATA.

    """

    facts: list[Fact] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)
    metadata: list[bytes] = field(default_factory=list)

    def facts_of(self, target: int) -> list[Fact]:
        """Return the facts of the members that the target of this number has, counted from 1."""
        return [fact for fact in self.facts if not fact.targets or target in fact.targets]

    def records_of(self, target: int) -> dict[str, bytes]:
        """Return the records that the target of this number has."""
        names = {stored_name(fact.member, min(fact.targets, default=1)): fact.member for fact in self.facts_of(target)}
        return {names[stored]: record for stored, record in self.records.items() if stored in names}


@dataclass(slots=True)
class _Item:
    """A file in the pipeline.

    Attributes:
        file: the file.
        data: its content where that is still asked for.
        content: its content as it will be written; None where the writer compresses, or reads it first.
        script: whether its content begins with ``#!``.
        run_paths: as of `Fact`.

    """

    file: SourceFile
    data: bytes | None
    content: Prepared | None
    script: bool = False
    run_paths: tuple[str, ...] = ()


@dataclass(slots=True)
class _Batch:
    """Files that went through the pipeline together, and for each Python, what becomes of its modules among them."""

    items: list[_Item]
    compiled: list[Compiling]


def write_members(
    writer: BundleWriter,
    files: list[SourceFile],
    compilers: Sequence[Compiler],
    kept: KeptCode,
    report: PackReport,
    *,
    served: Sequence[frozenset[int]] = (),
    source: bool,
    compress_bytecode: int,
    only: Container[str] | None,
    jobs: int,
    progress: Callable[[Step], object] | None,
) -> Packed:
    """Write *files* with their bytecode, and count them in *report*.

    Arguments:
        writer: where to.
        files: the files, in order; the list is emptied, because what the index notes of them takes their memory.
        compilers: one for each Python.
        kept: the bytecode that need not be compiled.
        report: gets the number of modules, and the warnings.
        served: for each compiler the numbers of the targets that it compiles for; empty if there is one target.
        source: whether to keep source.
        compress_bytecode: the zip method for bytecode that is a member, because there is no source.
        only: the members that are compiled, or None for all modules.
        jobs: how many threads read and compress.
        progress: called for each module that was compiled, and for each member that was written.

    Raises:
        PackError: a file cannot be read.

    """
    result = Packed()
    steps = _Steps(
        compilers, served or [frozenset()] * len(compilers), kept, writer.method, source, compress_bytecode, only
    )
    told = _Progress(files, steps, progress) if progress is not None else None
    plain = not any(compiler.optimize for compiler in compilers)
    with _Threads(jobs) as threads:
        for item, compiled in _processed(files, steps, threads):
            written = _write(writer, item, compiled, report, steps)
            images = [module.image for module in compiled if module is not None] if plain else []
            result.facts.append(_fact(item, written, images))
            if item.file.is_record and item.data is not None:
                result.records[written.member.name] = item.data
            elif item.file.is_metadata and item.data is not None:
                result.metadata.append(item.data)
            if told is not None:
                told(item.file)
    return result


@dataclass(frozen=True)
class _Steps:
    """What happens to files before they are written."""

    compilers: Sequence[Compiler]
    served: Sequence[frozenset[int]]
    kept: KeptCode
    method: int
    source: bool
    compress_bytecode: int
    only: Container[str] | None

    def compiles(self, file: SourceFile, served: frozenset[int]) -> bool:
        """Return whether bytecode of *file* is wanted for one of the targets *served*."""
        is_served = not file.targets or not served.isdisjoint(file.targets)
        return file.is_module and is_served and (self.only is None or file.member in self.only)

    def compiles_any(self, file: SourceFile) -> bool:
        """Return whether any bytecode of *file* is wanted."""
        return any(self.compiles(file, served) for served in self.served)

    def __call__(self, files: Sequence[SourceFile]) -> _Batch:
        """Read *files*, have the modules compiled, and compress all meanwhile."""
        contents = [_content(file) for file in files]
        compiled = []
        for compiler, served in zip(self.compilers, self.served, strict=True):
            pairs = [pair for pair in zip(files, contents, strict=True) if self.compiles(pair[0], served)]
            modules = [Module(file.member, content) for file, content in pairs]
            compiled.append(self.kept.compile(compiler, [file for file, _ in pairs], modules))
        return _Batch([self._item(*pair) for pair in zip(files, contents, strict=True)], compiled)

    def _item(self, file: SourceFile, content: bytes) -> _Item:
        script = content[:2] == b"#!"
        native = _run_paths(file, content)
        if not _is_read_whole(file) and len(content) > LARGEST_HELD:
            return _Item(file, None, None, script, native)
        if file.is_module and not self.source:
            return _Item(file, content, None, script, native)
        asked_for = file.is_record or file.is_metadata or (_is_code(file) and may_ask(content))
        return _Item(file, content if asked_for else None, prepared(content, self.method), script, native)


class _Progress:
    """Counts the files that are compiled and written, and calls the function for progress."""

    def __init__(self, files: Sequence[SourceFile], steps: _Steps, progress: Callable[[Step], object]) -> None:
        self._steps, self._progress = steps, progress
        self._members, self._modules = len(files), sum(map(steps.compiles_any, files))
        self._written = self._compiled = 0
        if self._modules:
            progress(Step("compiling", 0, self._modules))
        progress(Step("writing", 0, self._members))

    def __call__(self, file: SourceFile) -> None:
        if self._steps.compiles_any(file):
            self._compiled += 1
            self._progress(Step("compiling", self._compiled, self._modules))
        self._written += 1
        self._progress(Step("writing", self._written, self._members, file.member))


def _run_paths(file: SourceFile, content: bytes) -> tuple[str, ...]:
    """Return where the linker looks for libraries that a native *file* needs; *content* is its beginning."""
    if not is_native(content):
        return ()
    if len(content) <= LARGEST_HELD:
        return tuple(run_paths(content))
    with opened(file.path) as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return tuple(run_paths(mapped))


def _is_code(file: SourceFile) -> bool:
    return file.member.endswith((".py", ".pyc"))


def _is_read_whole(file: SourceFile) -> bool:
    return _is_code(file) or file.is_metadata or file.is_record


def _content(file: SourceFile) -> bytes:
    """Return what is in a file; of data that is too large to be held, the beginning."""
    return read(file.path, -1 if _is_read_whole(file) else LARGEST_HELD + 1)


def _batches(files: list[SourceFile]) -> Iterator[tuple[list[SourceFile], int]]:
    """Yield *files* in runs that are worth a thread's while, and what each weighs."""
    batch: list[SourceFile] = []
    weight = 0
    files.reverse()
    while files:
        file = files.pop()
        batch.append(file)
        weight += _FILE + (file.size if _is_read_whole(file) else min(file.size, LARGEST_HELD))
        if weight >= BATCH:
            yield batch, weight
            batch, weight = [], 0
    if batch:
        yield batch, weight


class _Threads:
    """Threads that take files through their steps; where there can be none (in a browser), the caller does."""

    def __init__(self, number: int) -> None:
        self._pool: ThreadPoolExecutor | None = ThreadPoolExecutor(number)
        try:
            self._pool.submit(int)
        except RuntimeError:
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def submit(self, steps: _Steps, files: Sequence[SourceFile]) -> Future[_Batch]:
        if self._pool is not None:
            return self._pool.submit(steps, files)
        done: Future[_Batch] = Future()
        done.set_result(steps(files))
        return done


def _processed(
    files: list[SourceFile], steps: _Steps, threads: _Threads
) -> Iterator[tuple[_Item, list[Compiled | None]]]:
    """Yield the files in order, each with what the compilers made of it; those ahead are in work, but only so many."""
    waiting: collections.deque[tuple[Future[_Batch], int]] = collections.deque()
    held = 0
    limit = AHEAD * (os.cpu_count() or 1)
    for batch, weight in _batches(files):
        waiting.append((threads.submit(steps, batch), weight))
        held += weight
        while held > limit:
            first, lifted = waiting.popleft()
            yield from _results(first.result(), steps)
            held -= lifted
    while waiting:
        yield from _results(waiting.popleft()[0].result(), steps)


def _results(batch: _Batch, steps: _Steps) -> Iterator[tuple[_Item, list[Compiled | None]]]:
    """Yield the files of *batch*, each with what every compiler made of it, or None if that was not asked."""
    answers = [iter(compiling.result()) for compiling in batch.compiled]
    for item in batch.items:
        pairs = zip(answers, steps.served, strict=True) if item.file.is_module else ()
        yield item, [next(answer) if steps.compiles(item.file, own) else None for answer, own in pairs]


def _write(
    writer: BundleWriter, item: _Item, compiled: Sequence[Compiled | None], report: PackReport, steps: _Steps
) -> Written:
    """Write a file as a member, and count it in *report*."""
    file = item.file
    failures = {result.failure for result in compiled if result is not None and result.image is None}
    report.warnings += [
        PackWarning(file.member, f"{failure}; kept as a file, not compiled") for failure in sorted(failures)
    ]
    if any(compiled) and not failures:
        report.modules += 1
        report.kept += all(result.kept for result in compiled if result is not None)
    image = compiled[0].image if compiled and compiled[0] is not None and not steps.source else None
    if image is not None:
        content = prepared(image, steps.compress_bytecode)
        return writer.add(f"{file.member}c", content, [], executable=False)
    pairs = zip(steps.compilers, compiled, strict=True) if compiled else ()
    images = [image for compiler, result in pairs for image in compiler.columns(result)] or [None] * len(writer.tags)
    if not steps.source:
        images = []
    for result in compiled:
        for reason, modules in result.imports.items() if result is not None else ():
            report.imports[reason] = report.imports.get(reason, 0) + len(modules)
    if item.content is not None:
        return writer.add(file.member, item.content, images, executable=file.executable, targets=file.targets)
    with _stream(item) as stream:
        return writer.add(file.member, stream, images, executable=file.executable, targets=file.targets)


def _stream(item: _Item) -> AbstractContextManager[IO[bytes]]:
    return io.BytesIO(item.data) if item.data is not None else opened(item.file.path)


def _fact(item: _Item, written: Written, images: Sequence[bytes | None]) -> Fact:
    """Return what decides on real files; *images* are those of what was compiled without optimisation."""
    file, question = item.file, Question()
    if item.data is not None and file.is_module:
        question = question_of_source(item.data, file.member, images)
    elif item.data is not None and _is_code(file):
        question = question_of_image(item.data)
    return Fact(
        split_name(written.member.name)[1],
        written.digest,
        written.member.size,
        file.executable,
        question,
        item.script,
        item.run_paths,
        file.targets,
    )
