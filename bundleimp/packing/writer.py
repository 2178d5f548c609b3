"""Write members to a file: the zip, its index and its locator, in either layout."""

from __future__ import annotations

import base64
import io
import os
import tempfile
import zipfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Self

from ..encoding import IndexedMember, IndexedTarget, encode_index, encode_locator, encode_top_level
from ..runtime import format as bundle_format
from ..runtime.content.localheader import HEADER_SIZE
from ..runtime.content.targets import split_name, stored_name, units_name
from ..runtime.format import Extent, Locator, find_end
from ..runtime.interpreter.lazily import LAZY_TAG
from ..runtime.plain.stubs import CONTENT as STUB
from ..runtime.site.units import encode_units
from ..waiting import TOP_LEVEL
from .collect import MODULE_SUFFIXES
from .draft import Draft
from .folders import namespace_folders
from .stubs import of_extensions, of_payload
from .zipsink import Prepared, ZipSink, prepared, zip_method

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from ..encoding import CodeTag
    from .options import Compression
    from .targets import Target
    from .units import Plan
    from .zipsink import Written


@dataclass(frozen=True)
class TargetPlan:
    """The units and flags of a target, or of all if *target* is None."""

    target: Target | None
    plan: Plan


class BundleWriter:
    """Writes one bundle: payload members in the order of their names, then the members that describe the bundle.

    A context manager.  `finish` puts the file in its place; without `finish`, the output stays as it was.
    """

    def __init__(
        self,
        output: Path,
        *,
        tags: Sequence[CodeTag],
        compression: Compression,
        nested: bool,
        first_line: bytes = b"",
        executable: bool = False,
    ) -> None:
        self._output = output
        self._first_line = first_line
        self._mode = 0o777 if executable else 0o666
        self.method = zip_method(compression)
        self._nested = nested
        self._index: list[IndexedMember] = []
        self._outside: list[IndexedMember] = []
        self._attached: dict[str, Prepared] = {}
        self.tags = tags

    def __enter__(self) -> Self:
        """Make the temporary files beside the output.  Raise OSError if its folder cannot be written to."""
        with ExitStack() as stack:
            self._draft = Draft(self._output)
            stack.callback(self._draft.discard)
            self._file = self._draft.file
            self._codes = [self._temporary(stack) for _ in self.tags]
            self._record = self._temporary(stack)
            # The inner zip has a file of its own until it is complete, and is then copied as one member.
            self._inner = self._temporary(stack) if self._nested else None
            # Offsets count from the start of the file, so no reader has to skip the line.
            self._file.write(self._first_line)
            self._zip = self._sink(stack, self._file)
            self._payload = self._zip if self._inner is None else self._sink(stack, self._inner)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _temporary(self, stack: ExitStack) -> BinaryIO:
        file = tempfile.TemporaryFile(dir=self._output.parent)  # noqa: SIM115 (the stack closes it)
        stack.callback(_close, file)
        return file

    @staticmethod
    def _sink(stack: ExitStack, file: BinaryIO) -> ZipSink:
        sink = ZipSink(file)
        stack.callback(sink.abandon)
        return sink

    def add(
        self,
        name: str,
        content: IO[bytes] | Prepared,
        images: Sequence[bytes | None],
        *,
        executable: bool,
        outside: bool = False,
        targets: tuple[int, ...] = (),
    ) -> Written:
        """Write a payload member; return what was written.

        Arguments:
            name: its name.
            content: its content: a seekable stream, or a `Prepared`.
            images: its pyc image for each code tag, as the bundle has it, or None.
            executable: whether it gets the execute permission.
            outside: whether it is a member of the outer zip in the nested layout, too.
            targets: the numbers of the targets that have it, counted from 1; empty if all have it.

        """
        name = stored_name(name, min(targets, default=1))
        sink = self._zip if outside else self._payload
        if isinstance(content, Prepared):
            written = sink.put(name, content, executable=executable)
        else:
            written = sink.add(name, content, self.method, executable=executable)
        self._record.write(_record_line(name, written.digest, written.member.size))
        codes = [_keep(*pair) for pair in zip(self._codes, images, strict=True)]
        (self._outside if outside else self._index).append(IndexedMember(written.member, codes, targets=targets))
        return written

    def attach(self, name: str, content: bytes, *, compress: bool) -> None:
        """Keep a member that describes the bundle; `finish` writes it, compressed if *compress*."""
        # By deflate, which `zipimport` of each Python reads.
        self._attached[name] = prepared(content, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)

    def finish(self, manifest: bytes, plans: Sequence[TargetPlan], order: Sequence[str] = (), needs: str = "") -> int:
        """Write the rest and put the file in its place; return its size in bytes.

        Arguments:
            manifest: the content of manifest.json.
            plans: for each target, the units and flags for the index; one without a target if all have the same files.
            order: the members whose bytecode comes before that of all others, in this order.
            needs: what a bundle without targets needs, for the index.

        """
        if self._inner is not None:
            self._payload.close()
            shift = self._zip.add(bundle_format.PAYLOAD, self._inner, zipfile.ZIP_STORED).member.offset
            for item in self._index:
                item.member.offset += shift
        stubs = self._stubs()
        self._index += self._outside
        visible = stubs if self._inner is not None else [item.member.name for item in self._index]
        for folder in namespace_folders(visible):
            self._zip.add_folder(folder)
        for name in stubs:
            self._zip.add(name, io.BytesIO(STUB), zipfile.ZIP_STORED)
        self._zip.add(bundle_format.MANIFEST, io.BytesIO(manifest), zipfile.ZIP_DEFLATED)
        record = self._zip.add(bundle_format.RECORD, self._record, zipfile.ZIP_DEFLATED)
        for column, tag in enumerate(self.tags):
            codes = self._ordered(column, order) if order else self._codes[column]
            shift = self._zip.add(bundle_format.CODE + tag.name, codes, zipfile.ZIP_STORED).member.offset
            for item in self._index:
                extent = item.codes[column]
                if extent is not None:
                    extent.offset += shift
        self._fill_lazy_columns()
        for name, content in sorted(self._attached.items()):
            self._zip.put(name, content)
        names = encode_top_level(split_name(item.member.name)[1] for item in self._index)
        self._zip.add(TOP_LEVEL, io.BytesIO(names), zipfile.ZIP_STORED)
        self._write_index(record.digest, list(self._indexed(plans, needs)))
        size = self._file.seek(0, os.SEEK_END)
        self._draft.place(self._mode)
        return size

    def _fill_lazy_columns(self) -> None:
        """Give modules without lazy imports the same bytecode in the column for lazy imports."""
        for column, tag in enumerate(self.tags):
            if tag.name.endswith(LAZY_TAG):
                for item in self._index:
                    codes = list(item.codes)
                    codes[column] = codes[column] or codes[column - 1]
                    item.codes = codes

    def _stubs(self) -> list[str]:
        """Return the names of the stubs: what `zipimport` finds in the place of modules that it cannot import."""
        # Of modules only: a set of all names would be megabytes for a large bundle.
        named = (split_name(item.member.name)[1] for item in self._index)
        names = [name for name in named if name.endswith(MODULE_SUFFIXES)]
        return of_extensions(names) if self._inner is None else of_payload(names)

    def _ordered(self, column: int, order: Sequence[str]) -> BinaryIO:
        """Return a copy of a code tag's file with the pyc images in *order*, followed by all others."""
        ranks = {name: rank for rank, name in enumerate(order)} | {item.member.name: -1 for item in self._outside}
        own = self._codes[column]
        copy = self._temporary(self._stack)
        for item in sorted(self._index, key=lambda item: ranks.get(item.member.name, len(ranks))):
            extent = item.codes[column]
            if extent is not None:
                own.seek(extent.offset)
                extent.offset = copy.tell()
                copy.write(own.read(extent.size))
        return copy

    def _indexed(self, plans: Sequence[TargetPlan], needs: str) -> Iterator[IndexedTarget]:
        """Yield what the index is to contain for each target, and write the tables of units."""
        tables: dict[bytes, Extent] = {}
        for number, each in enumerate(plans, 1):
            table = encode_units(each.plan.units) if each.plan.units else b""
            if table and table not in tables:
                tables[table] = self._write_units(units_name(number), table)
            flags = each.plan.flags
            if each.target is None:
                for item in self._index:
                    item.flags = flags.get(item.member.name, 0)
                yield IndexedTarget(self._index, tables.get(table), flags, needs=needs)
            else:
                members = [item.of_target(flags) for item in self._index if not item.targets or number in item.targets]
                name, key = each.target.name, each.target.key
                yield IndexedTarget(members, tables.get(table), flags, name=name, key=key)

    def _write_units(self, name: str, table: bytes) -> Extent:
        offset = self._zip.add(name, io.BytesIO(table), zipfile.ZIP_STORED).member.offset
        return Extent(offset=offset, size=len(table), checksum=bundle_format.checksum(table))

    def _write_index(self, record_digest: bytes, targets: Sequence[IndexedTarget]) -> None:
        offset = self._file.seek(0, os.SEEK_END) + HEADER_SIZE + len(bundle_format.INDEX)
        index = encode_index(targets, self.tags, record_digest, offset)
        self._zip.add(bundle_format.INDEX, io.BytesIO(index.data), zipfile.ZIP_STORED)
        # The locator holds the checksum of the central directory and is written with it, so it is filled in afterwards.
        self._zip.close(bytes(bundle_format.LOCATOR_SIZE))
        tail_start = self._file.seek(offset + len(index.data))
        tail = self._file.read()
        end = find_end(tail, tail_start, 0)
        assert end is not None  # noqa: S101 (it was written just now)
        start = end.directory_offset - tail_start
        directory = tail[start : start + end.directory_size]
        locator = Locator(
            head_size=index.head_size,
            index_offset=offset,
            index_size=len(index.data),
            index_checksum=bundle_format.checksum(index.data),
            directory_offset=end.directory_offset,
            directory_size=end.directory_size,
            directory_count=end.count,
            directory_checksum=bundle_format.checksum(directory),
        )
        self._file.seek(-bundle_format.LOCATOR_SIZE, os.SEEK_END)
        self._file.write(encode_locator(locator))


def _close(file: BinaryIO) -> None:
    with suppress(OSError):  # buffered data is discarded
        file.close()


def _keep(codes: BinaryIO, image: bytes | None) -> Extent | None:
    """Append a pyc image to a code tag's file; return its place there."""
    if image is None:
        return None
    extent = Extent(offset=codes.tell(), size=len(image), checksum=bundle_format.checksum(image))
    codes.write(image)
    return extent


def _record_line(name: str, digest: bytes, size: int) -> bytes:
    """Return a line of RECORD, in the form of a wheel's (PEP 376, PEP 427)."""
    quoted = '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\r\n') else name
    return f"{quoted},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{size}\n".encode()
