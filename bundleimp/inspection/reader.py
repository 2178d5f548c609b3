"""The members and the manifest of a bundle, read from its central directories.

The other modules of this folder take a `BundleReader`.  The public class, `bundle.Bundle`, is one with `verify` as a
method, so `bundle` stands above them all.
"""

from __future__ import annotations

import functools
import json
import os
from typing import TYPE_CHECKING, Any

from ..runtime import format as bundle_format
from ..runtime.content.opening import open_file
from ..runtime.content.reading import data_offset
from ..runtime.content.targets import FOLDER
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.faults.opening import check_version
from ..runtime.plain.stubs import is_stub
from ..runtime.sources.memory import file_of
from .zippart import ZipPart, stream

if TYPE_CHECKING:
    from typing import BinaryIO

    from ..runtime.content.member import Member
    from ..runtime.plain.zipdirectory import RawEntry

# A member that describes the bundle is read whole.  `pack` writes none that is larger; lists grow with the members.
_LARGEST_NOTE = 4 << 20
_LARGEST_LIST = 3
IN_MEMORY = "<bundle in memory>"


def is_note(name: str) -> bool:
    """Return whether the member *name* of the outer zip describes the bundle, and is not for programs."""
    return name.startswith(bundle_format.INFO) and not name.startswith(FOLDER)


class BundleReader:
    """Reads the members and the manifest of a bundle, or of any zip.

    Attributes:
        path: its path, or `IN_MEMORY`.
        size: its size in bytes.
        layout: "flat" or "nested".
        file: the open file.
        outer: the zip that the file is.
        inner: the zip inside it that holds the payload; None in the flat layout.

    """

    def __init__(self, source: str | os.PathLike[str] | bytes | BinaryIO) -> None:
        if isinstance(source, str | os.PathLike):
            self.path = os.fspath(source)
            self.file = open_file(self.path)
        else:
            content = source if isinstance(source, bytes) or not hasattr(source, "read") else source.read()
            if not isinstance(content, bytes | bytearray | memoryview):
                message = f"a path, bytes or a binary file object is needed, and not {type(source).__name__}"
                raise TypeError(message)
            self.path = IN_MEMORY
            self.file = file_of(self.path, bytes(content))
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
        """Return the payload's entries: the members that programs import and read, and `extract` writes.

        Those that the first target does not have are under the names that they have in the zip.
        """
        outer = (entry for entry in self.outer.entries if not is_note(entry.member.name))
        # The folders in the outer zip of a nested bundle are those of stubs.
        unreal = "/" if self.inner is not None else ()
        own = [entry for entry in outer if not (is_stub(entry.member) or entry.member.name.endswith(unreal))]
        return own + (self.inner.entries if self.inner is not None else [])

    @functools.cached_property
    def members(self) -> list[Member]:
        """The payload's files, sorted by name, without files whose names could lead out of a folder."""
        files = (entry.member for entry in self.entries() if entry.fault is None)
        return sorted((member for member in files if not member.name.endswith("/")), key=lambda member: member.name)

    def data_offsets(self) -> dict[str, int]:
        """Return the offset of the data of each payload member, by its name in the zip.

        Raises:
            BundleFormatError: a local header is damaged.

        """
        return {member.name: data_offset(self.file, member) for member in self.members}

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The manifest, or None if the file has none because another tool made it.

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
            message = "is not a JSON object"
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
        """Return the content of the member *name*, which describes the bundle or a part of it.

        `read` reads a member of any size.  This method reads none that was made to fill the memory.

        Raises:
            KeyError: there is no such member.
            BundleFormatError: it is damaged or refused, or larger than such a member can be.

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
                if entry.member.name == name and not (part is self.outer and is_stub(entry.member)):
                    return entry
        raise KeyError(name)
