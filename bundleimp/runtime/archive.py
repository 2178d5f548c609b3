"""One version of a bundle, opened: its directories, and checked reads of its members and of its bytecode.

All that reads from a bundle while a program runs reads through this.
"""

import _imp
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

from . import bundlefile, errors
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .bundlefile import BundleFile, Signers
    from .content.member import Member
    from .format import Directory, EndRecord, Extent, Locator
    from .plain.zipdirectory import ListedDirectory
    from .site.units import Unit

# The end record, the central directory and the head of an ordinary bundle are in its last few kilobytes.
_TAIL = 16 * 1024
# Blocks of neighbouring directories lie side by side: reading this much at once saves a system call for most.
_WINDOW = 32 * 1024
DAMAGED = "does not match its checksum: the file is damaged; copy it again, or pack it anew"


def code_tag() -> str:
    """Return the code tag of the running interpreter: its cache tag, with ``.opt-N`` under ``-O``."""
    tag = sys.implementation.cache_tag or ""
    return f"{tag}.opt-{sys.flags.optimize}" if sys.flags.optimize else tag


# What `open` says of a file that it opens for reading: how, and with which flags.
_READING = "r", os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", getattr(os, "O_CLOEXEC", 0))


def audit_open(path: str) -> None:
    """Tell audit hooks (PEP 578) that the file at *path* is read, as they are told where it is installed.

    What a hook raises goes through: nothing must be read then.
    """
    sys.audit("open", path, *_READING)


class Tail:
    """The last bytes of an archive, the offset at which they begin, and the end record that they hold."""

    __slots__ = ("data", "record", "start")

    def __init__(self, start: int, data: bytes, record: "EndRecord") -> None:
        self.start = start
        self.data = data
        self.record = record


def find_end(file: "BundleFile", start: int, end: int) -> Tail:
    """Read the end of the archive that lies in the bytes *start* to *end* of *file*.

    Raises:
        NotABundleError: there is no archive.
        BundleFormatError: it is damaged.

    """
    for size in (_TAIL, bundle_format.LARGEST_END):
        tail_start = max(start, end - size)
        tail = file.read(tail_start, end - tail_start)
        record = bundle_format.find_end(tail, tail_start, start)
        if record is not None:
            return Tail(tail_start, tail, record)
        if tail_start == start:
            break
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    message = (
        "is not a zip archive: it is empty"
        if start == end
        else "is not a zip archive: the end record is missing, or the file is truncated; copy it again, or pack it anew"
    )
    raise faults.kinds.NotABundleError(message)


def check_version(comment: bytes) -> None:
    """Raise BundleVersionError where an archive *comment* is the locator of a newer format."""
    version = bundle_format.format_version(comment)
    if version is not None and version > bundle_format.VERSION:
        from . import faults  # noqa: PLC0415 (loaded when first needed)

        known = bundle_format.VERSION
        message = f"has format version {version}, and this bundleimp reads up to version {known}: upgrade bundleimp"
        raise faults.kinds.BundleVersionError(message)


class _Window:
    """The bytes that were read last, of which file, and where they begin.  Exchanged as a whole: threads share it."""

    __slots__ = ("data", "file", "start")

    def __init__(self, file: "BundleFile", start: int, data: bytes) -> None:
        self.file = file
        self.start = start
        self.data = data


class Archive:
    """One version of a bundle.

    Attributes:
        path: absolute path of the file.
        key: 32 hexadecimal digits that no other content has; what is cached for this archive is filed under it.
        fault: why members may be missing, though the rest can be read, or None.
        indexed: whether there is an index that belongs to this file.
        mirrors: the folders in which files of this archive were found or put, by their unit's digest (`site.mirrors`).

    """

    __slots__ = ("_column", "_directories", "_file", "_units", "_window", "fault", "indexed", "key", "mirrors", "path")

    def __init__(self, path: str, signers: "Signers | None" = None) -> None:
        """Open the bundle at *path*.

        Arguments:
            path: absolute path of the file.
            signers: who may have signed it; None: it need not be signed.

        Raises:
            BundleSignatureError: it is not signed by one of *signers*; nothing else was read from it.
            NotABundleError: there is not a zip archive.
            BundleVersionError: its format is newer than `format.VERSION`.
            BundleFormatError: it is damaged.

        """
        self.path = path
        self._file = bundlefile.BundleFile(path, signers)
        self._directories: dict[str, Directory | ListedDirectory] = {}
        self._column = -1
        self._units: Extent | list[Unit] | None = None
        self.mirrors: dict[str, str] = {}
        self.fault: errors.BundleFormatError | None = None
        try:
            self._open()
        except errors.BundleFormatError as error:
            error.file = error.path = path
            raise

    def require(self, signers: "Signers") -> None:
        """Raise BundleSignatureError where the file, which is open already, is not signed by one of *signers*."""
        self._file.require(signers)

    @property
    def is_signed(self) -> bool:
        """Whether it was checked that somebody who may do so has signed the file."""
        return self._file.is_signed

    def _open(self) -> None:
        end = self._find_end(0, self._file.size)
        check_version(end.comment)
        directory = self._near(end.directory_offset, end.directory_size)
        locator = bundle_format.decode_locator(end.comment)
        self.indexed = locator is not None and bundle_format.fits(locator, end, directory)
        if locator is not None and self.indexed:
            self.key = short_digest(directory + self._use_index(locator))
        else:
            self.key = short_digest(directory)
            self._list(directory, end)

    def _find_end(self, start: int, end: int) -> "EndRecord":
        tail = find_end(self._file, start, end)
        self._window = _Window(self._file, tail.start, tail.data)
        return tail.record

    def _near(self, offset: int, size: int) -> bytes:
        """Return bytes that are likely to lie just before or among those that were read last."""
        window, file = self._window, self._file
        if window.file is not file or not window.start <= offset <= offset + size <= window.start + len(window.data):
            if offset < window.start:  # children stand before their parents
                start, end = max(0, min(offset, offset + size - _WINDOW)), offset + size
            else:
                start, end = offset, max(offset + size, min(offset + _WINDOW, file.size))
            window = self._window = _Window(file, start, file.read(start, end - start))
        return window.data[offset - window.start : offset - window.start + size]

    def _use_index(self, locator: "Locator") -> bytes:
        """Read the head of the index, and with it the root block; return the head's bytes.

        One read has both: what follows is of the version that the root block is of, also where the file is rewritten
        at this moment.
        """
        end = locator.index_offset + locator.index_size
        start = end - locator.head_size
        encoded = self._near(start, locator.head_size)
        head = bundle_format.decode_head(encoded)
        if head.root_offset + head.root_size != start:
            message = "the index is damaged (its root is not where it ends)"
            raise errors.BundleFormatError(message, member=bundle_format.INDEX, offset=start)
        data = self._near(head.root_offset, end - head.root_offset)
        if data[head.root_size :] != encoded:
            message = "the index was rewritten while it was read; replace bundles by renaming a new file over them"
            raise errors.BundleFormatError(message, member=bundle_format.INDEX, offset=start)
        own = code_tag()
        if head.tags.get(own) == MAGIC_NUMBER:
            self._column = list(head.tags).index(own)
        self._units = head.units
        self._directories[""] = bundle_format.Directory(data[: head.root_size], "")
        return encoded

    def _list(self, directory: bytes, end: "EndRecord") -> None:
        """Use the central *directory*; in a nested bundle whose index is out of date, that of the inner zip, too."""
        from . import plain  # noqa: PLC0415 (loaded when first needed)

        listing = plain.zipdirectory.members(directory, end, self._file.read)
        payload = listing.members.get(bundle_format.PAYLOAD)
        self.fault = listing.fault
        members = {name: member for name, member in listing.members.items() if not name.startswith(bundle_format.INFO)}
        if payload is not None:
            if payload.refusal is not None or payload.method or payload.packed_size != payload.size:
                message = payload.refusal or "must be stored uncompressed"
                raise errors.BundleFormatError(message, member=payload.name, offset=payload.offset)
            start = self._data_offset(payload)
            end = self._find_end(start, start + payload.size)
            directory = self._near(end.directory_offset, end.directory_size)
            listing = plain.zipdirectory.members(directory, end, self._file.read)
            self.fault = self.fault or listing.fault
            members = listing.members | members
        if self.fault is not None:
            self.fault.file = self.fault.path = self.path
        self._directories |= plain.zipdirectory.list_directories(members.values())

    def directory(self, path: str) -> "Directory | ListedDirectory | None":
        """Return the directory at *path* ("" or "pkg/sub"), or None where there is none.

        Raises:
            BundleFormatError: the index is damaged.

        """
        found = self._directories.get(path)
        if found is None and self.indexed:
            found = self._directories[""]
            walked = ""
            for name in path.split("/"):
                walked = f"{walked}/{name}" if walked else name
                found = self._directories.get(walked) or self._read_block(found, name, walked)
                if found is None:
                    return None
        return found

    def _read_block(self, parent: "Directory | ListedDirectory", name: str, path: str) -> "Directory | None":
        """Return the subdirectory *name* of *parent*, whose own path is *path*; None where there is none."""
        if not isinstance(parent, bundle_format.Directory) or name + "/" not in parent.names:
            return None
        found: Directory = self._retried(self._decode_block, parent.subdirectory(name), path)
        self._directories[path] = found
        return found

    def _decode_block(self, block: "Extent", path: str) -> "Directory":
        return bundle_format.Directory(self._near(block.offset, block.size), path, block.checksum)

    def _retried(self, attempt: "Callable[..., Any]", *arguments: object) -> "Any":
        """Call *attempt*; once more where the descriptor turns out to have been closed by the program.

        The file is exchanged as a whole then: threads share the archive, and what they began with stays open for them.
        """
        file = self._file
        try:
            return attempt(*arguments)
        except errors.BundleFormatError as error:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            fresh = file.reopened() if not isinstance(error, faults.kinds.BundleChangedError) else None
            if fresh is not None:
                self._file = fresh
                return attempt(*arguments)
            error.file = error.path = self.path
            raise

    def member(self, path: str) -> "Member | None":
        """Return the file at *path* ("pkg/data.txt"), or None where there is none."""
        folder, _, name = path.rpartition("/")
        directory = self.directory(folder)
        if directory is None or not name or name not in directory.names:
            return None
        return directory.member(name)

    def _data_offset(self, member: "Member") -> int:
        if member.header is None:
            return member.offset
        from . import plain  # noqa: PLC0415 (loaded when first needed)

        size = plain.zipdirectory.HEADER_SIZE + len(member.header)
        return member.offset + plain.zipdirectory.data_offset(self._file.read(member.offset, size), member)

    def read(self, member: "Member") -> bytes:
        """Return the content of *member*, checked against its size and CRC-32.

        Raises:
            BundleFormatError: it is damaged or refused.

        """
        return self._retried(self._read, member)  # type: ignore[no-any-return]

    def _read(self, member: "Member") -> bytes:
        from . import content  # noqa: PLC0415 (loaded when first needed)

        if member.refusal is not None:
            message = f"is not read: it {member.refusal}"
            raise errors.BundleFormatError(message, member=member.name, offset=member.offset)
        offset = member.offset
        try:
            offset = self._data_offset(member)
            packed = self._file.read(offset, member.packed_size)
            data = content.decompression.decompress(member.method, packed, member.size)
        except errors.BundleFormatError as error:
            error.member = member.name
            raise
        except ValueError as error:
            raise errors.BundleFormatError(str(error), member=member.name, offset=offset) from None
        if len(data) != member.size or content.decompression.crc32(data) != member.crc:
            raise errors.BundleFormatError(DAMAGED, member=member.name, offset=offset)
        return data

    @property
    def has_code(self) -> bool:
        """Whether bytecode for the running interpreter is embedded."""
        return self._column >= 0

    def flags(self, directory: "Directory | ListedDirectory", name: str) -> int:
        """Return the flags of the file *name*; with `EMBEDDED` where it has a pyc image for the running interpreter."""
        return directory.flags(name, self._column)

    def image(self, directory: "Directory | ListedDirectory", name: str) -> "bytes | None":
        """Return the embedded pyc image of source file *name*, checked, or None where there is none.

        Raises:
            BundleFormatError: it is damaged.

        """
        return self._retried(self._image, directory, name)  # type: ignore[no-any-return]

    def _image(self, directory: "Directory | ListedDirectory", name: str) -> "bytes | None":
        extent = directory.code(name, self._column) if self._column >= 0 else None
        if extent is None:
            return None
        try:
            data = self._file.read(extent.offset, extent.size)
        except errors.BundleFormatError as error:
            error.member = f"bytecode of {directory.prefix}{name}"
            raise
        if bundle_format.checksum(data) != extent.checksum or data[:4] != MAGIC_NUMBER:
            member = f"bytecode of {directory.prefix}{name}"
            raise errors.BundleFormatError(DAMAGED, member=member, offset=extent.offset)
        return data

    @property
    def file_stamp(self) -> str:
        """Text that is another one for every other file, and for another version of this one."""
        own = self._file.identity
        return f"{self.path}\0{own.device}\0{own.inode}\0{own.size}\0{own.mtime}\0{self.key}\0"

    @property
    def units(self) -> "list[Unit]":
        """The units that the index knows of; where there is no index, those found so far.

        Raises:
            BundleFormatError: their table is damaged.

        """
        units = self._units
        if units is None:
            units = self._units = []
        elif not isinstance(units, list):
            units = self._units = self._retried(self._decode_units, units)
        return units

    def _decode_units(self, extent: "Extent") -> "list[Unit]":
        from . import site  # noqa: PLC0415 (loaded when first needed)

        data = self._file.read(extent.offset, extent.size)
        if bundle_format.checksum(data) != extent.checksum:
            raise errors.BundleFormatError(DAMAGED, member=bundle_format.UNITS, offset=extent.offset)
        return site.units.decode_units(data)


def short_digest(data: bytes) -> str:
    """Return 32 hexadecimal digits that no other *data* has, unless somebody means it."""
    # The interpreter's own keyed hash (PEP 552): 128 bits of it, without loading hashlib.
    return (_imp.source_hash(1, data) + _imp.source_hash(2, data)).hex()
