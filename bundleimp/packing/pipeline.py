"""Files to members: read, compiled ahead, and written in order, a few of them held at a time."""

from __future__ import annotations

import collections
import io
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..startup import ASKED_AT_START
from .errors import PackWarning, unreadable
from .locations import NONE, Question, question_of_image, question_of_source
from .units import Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from .collect import SourceFile
    from .compiler import Compiled, Compiler
    from .report import PackReport
    from .writer import BundleWriter
    from .zipsink import Written


@dataclass
class Packed:
    """What was learnt of the members while they were written.

    Attributes:
        facts: what decides on real files, of each member.
        records: the content of each distribution's RECORD, by member.
        metadata: the content of each distribution's METADATA.

    """

    facts: list[Fact] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)
    metadata: list[bytes] = field(default_factory=list)


@dataclass
class _Item:
    """A file in the pipeline; ``data`` is its content where that is needed as a whole."""

    file: SourceFile
    data: bytes | None
    futures: list[Future[Compiled]]


def write_members(
    writer: BundleWriter,
    files: Sequence[SourceFile],
    compilers: Sequence[Compiler],
    report: PackReport,
    *,
    source: bool,
    progress: Callable[[int, int, str], None] | None,
) -> Packed:
    """Write *files* with their bytecode, and count them in *report*.

    Arguments:
        writer: where to.
        files: the files, in order.
        compilers: one for each Python.
        report: gets the number of modules, and the warnings.
        source: whether to keep source.
        progress: called with the number of members written, that of all, and the name of the last.

    Raises:
        PackError: a file cannot be read.

    """
    result = Packed()
    for done, item in enumerate(_compiled(files, compilers), 1):
        result.facts.append(_write(writer, item, report, source=source))
        if item.file.is_record and item.data is not None:
            result.records[item.file.member] = item.data
        elif item.file.is_metadata and item.data is not None:
            result.metadata.append(item.data)
        if progress is not None:
            progress(done, len(files), item.file.member)
    return result


def read(path: Path) -> bytes:
    """Return the content of a source file.

    Raises:
        PackError: it cannot be read.

    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(error, path) from None


def _compiled(files: Sequence[SourceFile], compilers: Sequence[Compiler]) -> Iterator[_Item]:
    """Yield the files in order; those ahead are being compiled, but only so many are held."""
    ahead = 8 * (os.cpu_count() or 1)
    waiting: collections.deque[_Item] = collections.deque()
    for file in files:
        whole = file.is_module or file.is_metadata or file.is_record or file.member.endswith(".pyc")
        data = read(file.path) if whole else None
        module = data if file.is_module else None
        futures = [compiler.submit(file.member, module) for compiler in compilers] if module is not None else []
        waiting.append(_Item(file, data, futures))
        if len(waiting) > ahead:
            yield waiting.popleft()
    yield from waiting


def _write(writer: BundleWriter, item: _Item, report: PackReport, *, source: bool) -> Fact:
    file = item.file
    no_images = [None] * len(writer.tags)
    if item.data is None:
        try:
            stream = file.path.open("rb")
            script = stream.peek(2)[:2] == b"#!"
        except OSError as error:
            raise unreadable(error, file.path) from None
        with stream:
            return _fact(writer.add(file.member, stream, no_images, executable=file.executable), file, script=script)
    results = [future.result() for future in item.futures]
    failures = {result.failure for result in results if result.image is None}
    report.warnings += [
        PackWarning(file.member, f"{failure}; kept as a file, not compiled") for failure in sorted(failures)
    ]
    if results and not failures:
        report.modules += 1
    image = results[0].image if results and not source else None
    # The interpreter's start asks `zipimport` for these, which does not look into the inner zip.
    outside = file.member.partition("/")[0].partition(".")[0] in ASKED_AT_START
    if image is not None:
        written = writer.add(f"{file.member}c", io.BytesIO(image), [], executable=False, stored=True, outside=outside)
    else:
        images = [result.image for result in results] if results and source else no_images
        content = io.BytesIO(item.data)
        written = writer.add(file.member, content, images, executable=file.executable, outside=outside)
    if file.is_module:
        return _fact(written, file, question_of_source(item.data, file.member))
    return _fact(written, file, question_of_image(item.data) if file.member.endswith(".pyc") else NONE)


def _fact(written: Written, file: SourceFile, question: Question = NONE, *, script: bool = False) -> Fact:
    return Fact(written.member.name, written.digest, written.member.size, file.executable, question, script)
