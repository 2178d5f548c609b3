"""Stores: mappings of names to contents, from which modules are imported as from a zip without an index."""

from .. import archive as archives
from .. import content, faults, plain, site
from .. import format as bundle_format
from . import memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class StoreMember:
    """One entry of a store, with the attributes of a `content.member.Member`.  Size and checksum are read each time."""

    __slots__ = ("_file", "name")

    method = offset = stamp = 0
    header = refusal = None

    def __init__(self, file: "StoreFile", name: str) -> None:
        self._file = file
        self.name = name

    @property
    def size(self) -> int:
        """The size of the content in bytes."""
        return len(self._file.value(self.name))

    packed_size = size

    @property
    def crc(self) -> int:
        """The CRC-32 of the content."""
        return content.decompression.crc32(self._file.value(self.name))

    def read(self) -> "tuple[bytes, dict[str, int]]":
        """Return the content, and what `content.member.Member.stats` returns.

        A checksum stands in for the time, which is not known.
        """
        data = self._file.value(self.name)
        return data, {"mtime": content.decompression.crc32(data), "size": len(data)}


def _text(error: Exception) -> str:
    """Return what an *error* of a store says, up to the first URL: that may have a password."""
    text, is_cut, _ = f"{type(error).__name__}: {error}".partition("://")
    return text.rpartition(" ")[0].rstrip(" ,:(['") + " …" if is_cut else text


class StoreFile:
    """What an archive reads a store from, with the attributes of a `BundleFile`.

    Attributes:
        path: the path of the store.
        mapping: the store.
        names: its keys, by the names of the members.
        digests: the SHA-256 of each member, in hexadecimal digits; None if the caller trusts the store.

    """

    size = 0
    descriptor = -1
    signers = None
    content = b""

    def __init__(self, path: str, mapping: "Mapping[Any, Any]", digests: "Mapping[str, str] | None") -> None:
        self.path = path
        self.mapping = mapping
        self.digests = digests
        self.status = memory.status_of(0)
        self.names = self._list()

    def _fault(self, reason: str, name: "str | None" = None) -> "faults.kinds.BundleFormatError":
        return faults.kinds.BundleFormatError(reason, file=self.path, member=name)

    def _list(self) -> "dict[str, Any]":
        """Return the keys of the store by the names of the members.

        Raises:
            BundleFormatError: the store cannot be listed, or a key cannot be the name of a member.

        """
        try:
            keys = list_keys(self.mapping)
        except Exception as error:  # noqa: BLE001 (a store may raise any)
            reason = f"cannot be listed: {_text(error)}"
            raise self._fault(reason) from None
        names = {}
        for key in keys:
            name = key.decode("utf-8", "surrogateescape") if isinstance(key, bytes) else key  # those of dbm
            if not isinstance(name, str):
                reason = f"the key {key!r} is no text"
                raise self._fault(reason)
            fault = content.member.name_fault(name.removesuffix("/"))
            if fault is not None:
                reason = f"the key {fault}"
                raise self._fault(reason, name)
            if not name.endswith("/"):
                names[name] = key
        return names

    def value(self, name: str) -> bytes:
        """Return the content of the member *name*.

        Raises:
            BundleFormatError: the store has it no more, or cannot read it, or the content is not as it must be.

        """
        try:
            data = self.mapping[self.names[name]]
        except KeyError:
            reason = "is not in the store any more"
            raise self._fault(reason, name) from None
        except Exception as error:  # noqa: BLE001 (a store may raise any)
            reason = f"cannot be read: {_text(error)}"
            raise self._fault(reason, name) from None
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        elif isinstance(data, bytearray | memoryview):
            data = bytes(data)
        elif not isinstance(data, bytes):
            reason = f"is of type {type(data).__name__}, and not bytes or text"
            raise self._fault(reason, name)
        if (
            self.digests is not None
            and site.units.sha256()(data).hexdigest() != str(self.digests.get(name, "")).lower()
        ):
            expected = "has another SHA-256 than the one given" if name in self.digests else "has no SHA-256 given"
            raise self._fault(expected, name)
        return data

    def read(self, offset: int, size: int) -> bytes:  # noqa: ARG002 (as of a `BundleFile`)
        """Raise BundleFormatError: a store has no offsets."""
        reason = "has no offsets"
        raise self._fault(reason)

    def rested(self) -> None:
        """Return None: there is no descriptor to give up."""


def list_keys(mapping: "Any") -> "list[Any]":
    """Return the keys of *mapping*.

    A mapping of fsspec leaves out folders that cannot be listed.  If it has no keys, the file system is asked why.

    Raises:
        Exception: the mapping cannot be listed, or its folder is missing.

    """
    keys = list(mapping.keys())
    files: Any = getattr(mapping, "fs", None)
    root = getattr(mapping, "root", None)
    if not keys and root is not None and hasattr(files, "ls"):
        try:
            files.ls(root)
        except FileNotFoundError:  # its text is the URL, perhaps with a password
            message = "its folder does not exist"
            raise FileNotFoundError(message) from None
    return keys


class StoreArchive(archives.Archive):
    """What a store is to finders and loaders: an archive without an index and without units."""

    __slots__ = ()

    def __init__(self, path: str, mapping: "Mapping[Any, Any]", digests: "Mapping[str, str] | None" = None) -> None:
        """List the store *mapping*, which has the *path* and the *digests* of its members.

        Raises:
            BundleFormatError: the store cannot be listed, or a key cannot be the name of a member.

        """
        file = StoreFile(path, mapping, digests)
        self.path = path
        self.file = file  # type: ignore[assignment] # with all attributes that are used
        self.key = archives.short_digest(path.encode("utf-8", "surrogateescape"))
        self.fault = None
        self.indexed = False
        self.column = -1
        self.site = None
        self.units = []
        members: Any = [StoreMember(file, name) for name in file.names if not name.startswith(bundle_format.INFO)]
        self.directories = {**plain.zipdirectory.list_directories(members)}

    def __reduce__(self) -> "tuple[Any, ...]":
        return StoreArchive, (self.path, self.file.mapping, self.file.digests)  # type: ignore[attr-defined]
