"""Members to a file: the zip, its index and its locator, in either layout."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
import time
import zipfile
import zlib
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, BinaryIO, Literal, Self

from ..runtime import format as bundle_format
from ..runtime.format import Extent, IndexedMember, Locator, Member
from ..runtime.zipdirectory import END_SIZE, HEADER_SIZE, dos_time
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from ..runtime.format import CodeTag

Compression = Literal["none", "deflate", "zstd"]

_CHUNK = 1 << 20
_SAMPLE = 1 << 14
_FIRST = (1980, 1, 1, 0, 0, 0)
_LAST = (2107, 12, 31, 23, 59, 58)


def timestamp() -> tuple[int, int, int, int, int, int]:
    """Return the time that all members carry: `SOURCE_DATE_EPOCH` in UTC, else the first that a zip can hold.

    Raises:
        PackError: the variable is no whole number.

    """
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return _FIRST
    try:
        moment = time.gmtime(int(text))
    except (ValueError, OverflowError, OSError):
        message = f"SOURCE_DATE_EPOCH is no time in seconds: {text!r}"
        raise PackError(message) from None
    return max(_FIRST, min(_LAST, (*moment[:5], moment[5] // 2 * 2)))


def zip_method(compression: Compression) -> int:
    """Return the zip method (APPNOTE 4.4.5) that *compression* names.

    Raises:
        PackError: this Python's standard library cannot write it.

    """
    if compression == "zstd":
        method = getattr(zipfile, "ZIP_ZSTANDARD", None)
        if method is None:
            message = "--compress zstd needs Python 3.14 or newer to pack and to import; take deflate"
            raise PackError(message)
        return int(method)
    return zipfile.ZIP_DEFLATED if compression == "deflate" else zipfile.ZIP_STORED


class BundleWriter:
    """Writes one bundle: payload members in the order of their names, then what the bundle says about itself.

    A context manager; `finish` puts the file in its place, and leaving without it leaves the output as it was.
    """

    def __init__(self, output: Path, *, tags: Sequence[CodeTag], compression: Compression, nested: bool) -> None:
        """Make the temporary files beside *output*.

        Raises:
            PackError: its folder cannot be written to.

        """
        self._output = output
        self._tags = tags
        self._method = zip_method(compression)
        self._time = timestamp()
        self._stamp = dos_time(self._time)
        self.tags = len(tags)
        self._index: list[IndexedMember] = []
        self._record: list[str] = []
        folder = output.parent
        try:
            descriptor, self._path = tempfile.mkstemp(dir=folder, prefix=f".{output.name[:100]}.", suffix=".tmp")
        except OSError as error:
            message = f"cannot be written: {error.strerror}"
            raise PackError(message, file=str(output)) from None
        self._stack = ExitStack()
        self._file = self._stack.enter_context(os.fdopen(descriptor, "w+b"))
        self._codes = [self._temporary(folder) for _ in tags]
        # The inner zip of the nested layout is written aside, because a zip's members must be whole before the next.
        self._payload_file = self._temporary(folder) if nested else None
        self._zip = zipfile.ZipFile(self._file, "w")
        self._payload = zipfile.ZipFile(self._payload_file, "w") if self._payload_file is not None else self._zip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._zip.fp = self._payload.fp = None  # closing an unfinished ZipFile would write to it
        if os.path.exists(self._path):
            os.unlink(self._path)

    def _temporary(self, folder: Path) -> BinaryIO:
        return self._stack.enter_context(tempfile.TemporaryFile(dir=folder))

    def _info(self, name: str, size: int, *, executable: bool, method: int) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._time)
        info.create_system = 3  # the same on every platform
        info.external_attr = (0o100755 if executable else 0o100644) << 16
        info.compress_type = method
        info.file_size = size
        return info

    def add(
        self,
        name: str,
        stream: IO[bytes],
        size: int,
        images: Sequence[bytes | None],
        *,
        executable: bool,
        stored: bool = False,
    ) -> None:
        """Write a payload member.

        Arguments:
            name: its name.
            stream: its content.
            size: how many bytes that will be, as far as is known now.
            images: its pyc image for each code tag, or None.
            executable: whether it gets the execute permission.
            stored: whether it must not be compressed.

        """
        chunk = stream.read(_CHUNK)
        method = self._method if not stored and _shrinks(chunk) else zipfile.ZIP_STORED
        info = self._info(name, size, executable=executable, method=method)
        digest = hashlib.sha256()
        written = 0
        with self._payload.open(info, "w") as target:
            while chunk:
                digest.update(chunk)
                written += len(chunk)
                target.write(chunk)
                chunk = stream.read(_CHUNK)
        self._record.append(_record_line(name, digest.digest(), written))
        offset = info.header_offset + len(info.FileHeader())
        member = Member(name, method, offset, info.compress_size, info.file_size, info.CRC, self._stamp)
        self._index.append(IndexedMember(member, [self._keep(*pair) for pair in zip(self._codes, images, strict=True)]))

    def _keep(self, codes: BinaryIO, image: bytes | None) -> Extent | None:
        if image is None:
            return None
        extent = Extent(codes.tell(), len(image), zlib.crc32(image))
        codes.write(image)
        return extent

    def finish(self, manifest: bytes) -> int:
        """Write the rest and put the file in its place; return its size in bytes.

        Arguments:
            manifest: the content of manifest.json.

        """
        if self._payload_file is not None:
            self._payload.close()
            shift = self._copy(bundle_format.PAYLOAD, self._payload_file)
            for item in self._index:
                item.member.offset += shift
        self._write(bundle_format.MANIFEST, manifest, zipfile.ZIP_DEFLATED)
        record = "".join(self._record).encode()
        self._write(bundle_format.RECORD, record, zipfile.ZIP_DEFLATED)
        for column, tag in enumerate(self._tags):
            shift = self._copy(bundle_format.CODE + tag.name, self._codes[column])
            for item in self._index:
                extent = item.codes[column]
                if extent is not None:
                    extent.offset += shift
        self._write_index(hashlib.sha256(record).digest())
        self._file.flush()
        size = self._file.seek(0, os.SEEK_END)
        self._place()
        return size

    def _copy(self, name: str, source: BinaryIO) -> int:
        """Copy a temporary file into a stored member; return the offset of its data."""
        info = self._info(name, source.seek(0, os.SEEK_END), executable=False, method=zipfile.ZIP_STORED)
        source.seek(0)
        with self._zip.open(info, "w") as target:
            offset = self._file.tell()
            shutil.copyfileobj(source, target, _CHUNK)
        return offset

    def _write(self, name: str, data: bytes, method: int) -> None:
        self._zip.writestr(self._info(name, len(data), executable=False, method=method), data)

    def _write_index(self, record_digest: bytes) -> None:
        offset = self._file.tell() + HEADER_SIZE + len(bundle_format.INDEX)
        index = bundle_format.encode_index(self._index, self._tags, record_digest, offset)
        self._write(bundle_format.INDEX, index.data, zipfile.ZIP_STORED)
        directory_offset = self._file.tell()
        count = len(self._zip.filelist)
        # The locator holds the checksum of the central directory, which is written together with it: fill it in after.
        self._zip.comment = bytes(bundle_format.LOCATOR_SIZE)
        self._zip.close()
        self._file.flush()
        tail = self._file.seek(0, os.SEEK_END) - bundle_format.LOCATOR_SIZE
        self._file.seek(directory_offset)
        directory = self._file.read(self._zip_directory_size(directory_offset, tail))
        locator = Locator(
            index.head_size,
            offset,
            len(index.data),
            zlib.crc32(index.data),
            directory_offset,
            len(directory),
            count,
            zlib.crc32(directory),
        )
        self._file.seek(tail)
        self._file.write(locator.encode())

    def _zip_directory_size(self, offset: int, tail: int) -> int:
        """Return the central directory's size: what follows is the end record, with zip64's before it if needed."""
        end = tail - END_SIZE
        self._file.seek(end - 20)
        if self._file.read(4) == b"PK\x06\x07":
            end -= 20 + 56
        self._file.seek(offset)
        return end - offset

    def _place(self) -> None:
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(self._path, 0o666 & ~mask)
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._path, self._output)


def _shrinks(start: bytes) -> bool:
    """Return whether data that begins with *start* is worth compressing."""
    sample = start[:_SAMPLE]
    return len(zlib.compress(sample, 1)) - 6 < len(sample)


def _record_line(name: str, digest: bytes, size: int) -> str:
    """Return a line of RECORD, in the form of a wheel's (PEP 376, PEP 427)."""
    quoted = '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\r\n') else name
    return f"{quoted},sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()},{size}\n"
