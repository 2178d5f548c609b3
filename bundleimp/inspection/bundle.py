"""`open_bundle`: the members and the manifest of a bundle, read over its central directories."""

from __future__ import annotations

import functools
import json
import os
import zlib
from typing import TYPE_CHECKING, Any

from ..runtime import format as bundle_format
from ..runtime.plain import zipdirectory
from ..runtime.archive import DAMAGED, check_version, find_end
from ..runtime.bundlefile import BundleFile
from ..runtime.content.decompression import DEFLATED, STORED, decompress
from ..runtime.errors import BundleFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..runtime.content.member import Member
    from ..runtime.plain.zipdirectory import RawEntry
    from ..runtime.format import EndRecord
    from .finding import Finding

_CHUNK = 1 << 20
# What describes a bundle is read whole; a larger one is not as `pack` writes it.  Lists grow with the members.
_LARGEST_NOTE = 4 << 20
_LARGEST_LIST = 3
# Whoever takes names apart has a piece of memory for each part.
_DEEPEST_FEW = 1000
_DEEPEST_MEAN = 16


class ZipPart:
    """One zip: the file itself, or the inner one of the nested layout.

    Attributes:
        start: offset of its first byte in the file.
        end: its end record.
        entries: its central directory, in the order in which it stands there.

    """

    def __init__(self, file: BundleFile, start: int, end: int) -> None:
        self.start = start
        self.end: EndRecord = find_end(file, start, end).record
        self.directory = file.read(self.end.directory_offset, self.end.directory_size)
        self.entries: list[RawEntry] = list(zipdirectory.raw_entries(self.directory, self.end))
        depth = sum(entry.member.name.count("/") for entry in self.entries)
        if depth > _DEEPEST_FEW + _DEEPEST_MEAN * len(self.entries):
            message = f"its {len(self.entries)} members lie {depth // len(self.entries)} directories deep on average"
            raise BundleFormatError(message, offset=self.end.directory_offset)


def data_offset(file: BundleFile, member: Member) -> int:
    """Return the offset of the data of *member*, whose own offset is its local header's."""
    header = file.read(member.offset, zipdirectory.HEADER_SIZE + len(member.header or b""))
    return member.offset + zipdirectory.data_offset(header, member)


def stream(file: BundleFile, member: Member) -> Iterator[bytes]:
    """Yield the content of *member* piece by piece, never more than it announced.

    Raises:
        BundleFormatError: it is damaged or refused; what was yielded before must not be used then.

    """
    try:
        yield from _checked(file, member)
    except BundleFormatError as error:
        error.file = error.path = file.path
        error.member = member.name
        raise


def _checked(file: BundleFile, member: Member) -> Iterator[bytes]:
    if member.refusal is not None:
        message = f"is not read: it {member.refusal}"
        raise BundleFormatError(message, offset=member.offset)
    offset = data_offset(file, member)
    size = crc = 0
    try:
        for chunk in _unpacked(file, member, offset):
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > member.size:
                break
            yield chunk
    except (ValueError, zlib.error) as error:
        raise BundleFormatError(str(error), offset=offset) from None
    if size != member.size:
        message = f"does not have the {member.size} bytes that it announces"
        raise BundleFormatError(message, offset=offset)
    if crc != member.crc:
        raise BundleFormatError(DAMAGED, offset=offset)


def _unpacked(file: BundleFile, member: Member, offset: int) -> Iterator[bytes]:
    if member.method not in {STORED, DEFLATED}:
        yield decompress(member.method, file.read(offset, member.packed_size), member.size)
        return
    end = offset + member.packed_size
    inflate = zlib.decompressobj(-15)
    while offset < end:
        packed = file.read(offset, min(_CHUNK, end - offset))
        offset += len(packed)
        if member.method == STORED:
            yield packed
            continue
        while packed and not inflate.eof:
            yield inflate.decompress(packed, _CHUNK)
            packed = inflate.unconsumed_tail
    if member.method == DEFLATED and not inflate.eof:
        # The content is whole, but `zipimport` and other tools refuse it.
        message = "its compressed data has no end"
        raise ValueError(message)


class Bundle:
    """A bundle, or any zip, opened for inspection.

    Attributes:
        path: its path.
        size: its size in bytes.
        layout: "flat" or "nested".

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.file = BundleFile.at(self.path)
        self.size = self.file.size
        try:
            self.outer = ZipPart(self.file, 0, self.file.size)
            check_version(self.outer.end.comment)
            payload = next(
                (item.member for item in self.outer.entries if item.member.name == bundle_format.PAYLOAD), None
            )
            self.layout = "flat" if payload is None else "nested"
            self.inner: ZipPart | None = None
            if payload is not None:
                start = data_offset(self.file, payload)
                self.inner = ZipPart(self.file, start, start + payload.size)
        except BundleFormatError as error:
            error.file = error.path = self.path
            raise

    def entries(self) -> list[RawEntry]:
        """Return the payload's entries: what can be imported, read and extracted, if nothing is wrong with them."""
        own = [entry for entry in self.outer.entries if not entry.member.name.startswith(bundle_format.INFO)]
        return own + (self.inner.entries if self.inner is not None else [])

    @functools.cached_property
    def members(self) -> list[Member]:
        """The payload's files, by name; those whose names could lead out of a folder are left out."""
        files = (entry.member for entry in self.entries() if entry.fault is None)
        return sorted((member for member in files if not member.name.endswith("/")), key=lambda member: member.name)

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest; None where the file has none, because bundleimp did not make it.

        Raises:
            BundleFormatError: it is damaged.

        """
        try:
            manifest = json.loads(self.read_note(bundle_format.MANIFEST))
        except KeyError:
            return None
        except (ValueError, RecursionError):
            message = "is not JSON"
            raise BundleFormatError(message, file=self.path, member=bundle_format.MANIFEST) from None
        if not isinstance(manifest, dict):
            message = "is not JSON object"
            raise BundleFormatError(message, file=self.path, member=bundle_format.MANIFEST)
        return manifest

    def read(self, name: str) -> bytes:
        """Return the content of the member *name*, checked against its size and CRC-32.

        Raises:
            KeyError: there is no such member.
            BundleFormatError: it is damaged or refused.

        """
        return b"".join(stream(self.file, self._entry(name).member))

    def read_note(self, name: str) -> bytes:
        """Return the content of the member *name*, which describes the bundle or a part of it; as `read`.

        Raises:
            BundleFormatError: it is larger than such a member can be; what was made to fill the memory is not read.

        """
        member = self._entry(name).member
        parts = (self.outer, self.inner) if self.inner is not None else (self.outer,)
        lists = 0 if name == bundle_format.MANIFEST else _LARGEST_LIST * sum(len(part.directory) for part in parts)
        if member.size > _LARGEST_NOTE + lists:
            message = f"announces {member.size} bytes, more than it can have"
            raise BundleFormatError(message, file=self.path, member=name, offset=member.offset)
        return self.read(name)

    def _entry(self, name: str) -> RawEntry:
        for part in (self.outer, self.inner):
            for entry in part.entries if part is not None else ():
                if entry.member.name == name:
                    return entry
        raise KeyError(name)

    def verify(self) -> list[Finding]:
        """Return everything that is wrong with the file; an empty list where it is sound.

        Every checksum is computed; names, sizes, offsets and local headers are held against the central directory;
        the index is encoded anew from it and compared.
        """
        from .verify import verify  # noqa: PLC0415 (verify uses this module)

        return verify(self)


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Open the bundle (or plain zip, or wheel) at *path* for inspection.

    Nothing is imported from it.

    Raises:
        BundleError: the file is missing, unreadable, no zip archive, damaged, or of a newer format.
        TypeError: *path* is no path.

    """
    return Bundle(path)
