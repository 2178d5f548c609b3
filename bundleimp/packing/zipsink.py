"""Write a zip to a file.  Each member goes in as a stream or prepared, and comes back with the values for the index."""

from __future__ import annotations

import hashlib
import importlib
import os
import time
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO

from ..runtime.content import decompression
from ..runtime.content.member import Member
from ..runtime.plain.zipdirectory import dos_time
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .options import Compression

_CHUNK = 1 << 20
_FIRST = (1980, 1, 1, 0, 0, 0)
_LAST = (2107, 12, 31, 23, 59, 58)
_UNIX = 3
_UTF8 = 0x800
_DOS_FOLDER = 0x10
# An empty extra field of an unused kind.  It follows the zip64 field (APPNOTE 4.5.3) of an entry in the central
# directory.  `zipimport` refuses entries whose extra fields have such a length before it decodes the numbers.  CPython
# 3.13.0 imports a module to decode them, which at the interpreter's start leads back to the same zip.
_REFUSED = (0x6250).to_bytes(2, "little") + bytes(2)
# The levels of zstd.  Measured on sources and extension modules, over deflate: level 3 gives 102 % of the size, level 9
# 94 % in the same time, level 19 87 % in 15 times the time.  Decompressing takes the same time for each of them.
_ZSTD_LEVEL = 19
_ZSTD_LEVEL_OF_LARGE = 9
_LARGE = 16 << 20


def timestamp() -> tuple[int, int, int, int, int, int]:
    """Return the time of all members: `SOURCE_DATE_EPOCH` in UTC, or the earliest time that a zip can hold.

    Raises:
        PackError: the variable is no whole number.

    """
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if not text:
        return _FIRST
    try:
        moment = time.gmtime(int(text))
    except (ValueError, OverflowError, OSError):
        message = f"SOURCE_DATE_EPOCH is not a time in seconds: {text!r}"
        raise PackError(message) from None
    year, month, day, hour, minute, second = moment[:6]
    return max(_FIRST, min(_LAST, (year, month, day, hour, minute, second // 2 * 2)))


def zip_method(compression: Compression, option: str = "--compress") -> int:
    """Return the zip method (APPNOTE 4.4.5) that *compression* names, the value of *option*.

    Raises:
        PackError: this Python's standard library cannot write it.

    """
    if compression == "zstd":
        method = getattr(zipfile, "ZIP_ZSTANDARD", None)
        if method is None:
            message = f"{option} zstd needs Python 3.14 or newer to pack and to import; use {option} deflate"
            raise PackError(message)
        return int(method)
    return zipfile.ZIP_DEFLATED if compression == "deflate" else zipfile.ZIP_STORED


@dataclass(frozen=True, slots=True)
class Prepared:
    """Content in the form in which a zip holds it.

    Attributes:
        data: its bytes there.
        method: the zip method that made them.
        size: the content's own size in bytes.
        crc: the content's CRC-32.
        digest: the content's SHA-256.

    """

    data: bytes
    method: int
    size: int
    crc: int
    digest: bytes


def compressed(content: bytes, method: int) -> bytes:
    """Return *content* compressed by *method*, which is one of `zip_method`.

    May run in a thread while other threads write.
    """
    if method == decompression.DEFLATED:
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return compressor.compress(content) + compressor.flush()
    if method == decompression.ZSTANDARD:
        zstd = importlib.import_module("compression.zstd")
        return zstd.compress(content, _zstd_level(len(content)))  # type: ignore[no-any-return]
    return content


def _zstd_level(size: int) -> int:
    return _ZSTD_LEVEL if size <= _LARGE else _ZSTD_LEVEL_OF_LARGE


def prepared(content: bytes, method: int) -> Prepared:
    """Return *content* compressed by *method*; unchanged if compressing does not make it smaller."""
    data = compressed(content, method)
    if len(data) >= len(content):
        data, method = content, zipfile.ZIP_STORED
    return Prepared(data, method, len(content), zlib.crc32(content), hashlib.sha256(content).digest())


@dataclass(frozen=True, slots=True)
class Written:
    """A member that was written, and the SHA-256 of its content."""

    member: Member
    digest: bytes


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the first *size* bytes of *stream*.  A failing read is reported as an error of the source."""
    while size:
        try:
            chunk = stream.read(min(size, _CHUNK))
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            raise PackError(message, file=str(getattr(stream, "name", None))) from None
        if not chunk:
            return
        size -= len(chunk)
        yield chunk


class ZipSink:
    """Writes a zip to an open file; equal members give equal bytes on every platform."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._time = timestamp()
        self._zip = zipfile.ZipFile(file, "w")

    def add(self, name: str, stream: IO[bytes], method: int, *, executable: bool = False) -> Written:
        """Write a member; store it if compressing does not make it smaller.

        Arguments:
            name: its name.
            stream: its content, seekable.
            method: the zip method to try.
            executable: whether it gets the execute permission.

        """
        info = self._info(name, method, executable=executable)
        # This size decides whether the header has zip64 fields, so no more bytes than these are written.
        info.file_size = size = stream.seek(0, os.SEEK_END)
        if method == decompression.ZSTANDARD:
            info.compress_level = _zstd_level(size)  # type: ignore[attr-defined] # as zstd, newer than 3.13
        stream.seek(0)
        digest = hashlib.sha256()
        with self._zip.open(info, "w") as target:
            offset = self._file.tell()
            for chunk in _chunks(stream, size):
                digest.update(chunk)
                target.write(chunk)
        if method != zipfile.ZIP_STORED and info.compress_size >= info.file_size:
            self._take_back(info)
            return self.add(name, stream, zipfile.ZIP_STORED, executable=executable)
        return Written(self._member(info, offset), digest.digest())

    def add_folder(self, name: str) -> None:
        """Write an entry for a folder; its *name* ends in a slash."""
        info = self._info(name, zipfile.ZIP_STORED, executable=True)
        info.external_attr = 0o40755 << 16 | _DOS_FOLDER
        with self._zip.open(info, "w"):
            pass

    def put(self, name: str, content: Prepared, *, executable: bool = False) -> Written:
        """Write a member that is prepared already; otherwise as `add`."""
        info = self._info(name, content.method, executable=executable)
        info.header_offset = self._zip.start_dir
        info.CRC, info.file_size, info.compress_size = content.crc, content.size, len(content.data)
        # Up to 3.14 the header sees to this itself.
        info.flag_bits |= 0 if name.isascii() else _UTF8
        header = info.FileHeader()
        self._file.write(header)
        self._file.write(content.data)
        self._zip.filelist.append(info)
        self._zip.NameToInfo[name] = info
        self._zip.start_dir += len(header) + len(content.data)
        return Written(self._member(info, info.header_offset + len(header)), content.digest)

    def _info(self, name: str, method: int, *, executable: bool) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._time)
        info.create_system = _UNIX
        info.external_attr = (0o100755 if executable else 0o100644) << 16
        info.compress_type = method
        return info

    def _member(self, info: zipfile.ZipInfo, offset: int) -> Member:
        stamp = dos_time(self._time)
        return Member(info.filename, info.compress_type, offset, info.compress_size, info.file_size, info.CRC, stamp)

    def _take_back(self, info: zipfile.ZipInfo) -> None:
        """Remove the member that was written last."""
        self._zip.filelist.remove(info)
        del self._zip.NameToInfo[info.filename]
        self._zip.start_dir = info.header_offset
        self._file.seek(info.header_offset)
        self._file.truncate()

    def close(self, comment: bytes = b"") -> None:
        """Write the central directory, and *comment* behind it."""
        for info in self._zip.filelist:
            if max(info.file_size, info.compress_size, info.header_offset) > zipfile.ZIP64_LIMIT:
                info.extra += _REFUSED
        self._zip.comment = comment
        self._zip.close()
        self._file.flush()

    def abandon(self) -> None:
        """Leave the zip unfinished: nothing more is written."""
        self._zip.fp = None
