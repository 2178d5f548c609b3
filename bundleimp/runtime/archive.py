"""One open version of a bundle: its directories, and checked reads of its bytecode.

`content.files` reads the members.
"""

import _frozen_importlib_external as external
import _imp
import sys

from . import TRACING, Record, bundlefile, trace
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    os = external._os  # `os` itself would live as long as this module: see `runtime`

    Tail = Window = Record

# The end record, the central directory and the head of an ordinary bundle are in its last few kilobytes.
_TAIL = 16 * 1024
# Blocks of neighbouring directories are adjacent.  One read of this size saves most of the later system calls.
_WINDOW = 32 * 1024
# How often a read is tried whose file loses its descriptor to other threads.
_ATTEMPTS = range(100)


def code_tag() -> str:
    """Return the code tag of the running interpreter: its cache tag, with ``.opt-N`` under ``-O``."""
    tag = sys.implementation.cache_tag or ""
    return f"{tag}.opt-{sys.flags.optimize}" if sys.flags.optimize else tag


_BYTECODE_END = f".{code_tag()}.pyc"


def bytecode_path(folder: str, stem: str) -> "str | None":
    """Return the path of the bytecode of the source *stem* in *folder*, which ends in a separator (PEP 3147).

    Return None if only `cache_from_source` can compute the path, which takes ten times as long.
    """
    if sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        return None
    return f"{folder}__pycache__{external.path_sep}{stem}{_BYTECODE_END}"


# The flags that `open` reports to audit hooks for a file that it opens for reading.
if sys.platform == "win32":
    _FLAGS = os.O_RDONLY | os.O_BINARY | os.O_NOINHERIT
else:
    _FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)


def audit_open(path: str) -> None:
    """Report to audit hooks (PEP 578) that the file at *path* is read, as for an installed file.

    If a hook raises an exception, it propagates, and the caller must not read the file.
    """
    sys.audit("open", path, "r", _FLAGS)


def find_end(file: "bundlefile.BundleFile", start: int, end: int) -> Tail:
    """Read the end of the archive in the bytes *start* to *end* of *file*.

    Raises:
        NotABundleError: there is no archive.
        BundleFormatError: the archive is damaged.

    """
    for size in (_TAIL, bundle_format.LARGEST_END):
        tail_start = max(start, end - size)
        tail = file.read(tail_start, end - tail_start)
        record = bundle_format.find_end(tail, tail_start, start)
        if record is not None:
            return Tail(start=tail_start, data=tail, record=record)
        if tail_start == start:
            break
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    raise faults.opening.no_archive(empty=start == end)


class Archive:
    """One version of a bundle.

    Attributes:
        path: absolute path of the file.
        file: the open file.
        key: 32 hexadecimal digits, unique for this content.  They identify the archive's files in the cache.
        fault: why members may be missing, though the rest can be read, or None.
        indexed: whether the archive has an index that belongs to this file.
        column: the number of the running interpreter's code tag; -1 if no bytecode for it is embedded.
        directories: the directories that were read so far; all of them, if there is no index.
        site: the site with the real files, or None if none was needed yet (`site.sites`).
        units: the units; or the extent of their table in the index, or None, if they were not read yet
            (`site.listing.units_of`).
        window: the bytes of the file that were read last.

    """

    __slots__ = ("column", "directories", "fault", "file", "indexed", "key", "path", "site", "units", "window")

    def __init__(
        self, path: str, signers: "Signers | None" = None, file: "bundlefile.BundleFile | None" = None
    ) -> None:
        """Open the bundle at *path*.

        Arguments:
            path: absolute path of the file.
            signers: the allowed signers; None: the bundle need not be signed.
            file: what the archive reads, if it is in no file: it has `BundleFile.read` and the attributes of that.

        Raises:
            BundleSignatureError: none of *signers* has signed the bundle; nothing else was read from it.
            NotABundleError: the file is not a zip archive.
            BundleVersionError: its format is newer than `format.VERSION`.
            BundleFormatError: the bundle is damaged.

        """
        self.path = path
        self.file = file or bundlefile.BundleFile(path, signers)
        self.directories: dict[str, bundle_format.Directory | ListedDirectory] = {}
        self.column = -1
        self.units: Extent | list[Unit] | None = None
        self.site: Any = None
        self.fault: BundleFormatError | None = None
        try:
            end = self.find_end(0, self.file.size)
            directory = self.near(end.directory_offset, end.directory_size)
            locator = bundle_format.decode_locator(end.comment)
            self.indexed = locator is not None and bundle_format.fits(locator, end, directory)
            if locator is not None and self.indexed:
                self.key = short_digest(directory + self._use_index(locator))
            else:
                from . import plain  # noqa: PLC0415 (loaded when first needed)

                self.key = short_digest(directory)
                plain.listing.list_members(self, end, directory)
        except ImportError as error:
            if hasattr(error, "offset"):  # a BundleFormatError
                error.file = error.path = path  # type: ignore[attr-defined]
            raise

    def __reduce__(self) -> "tuple[Any, ...]":
        """Copies open the file anew, because two objects would close the same descriptor."""
        return Archive, (self.path, self.file.signers, self.file if self.file.content is not None else None)

    def find_end(self, start: int, end: int) -> "EndRecord":
        """Return the end record of the archive in the bytes *start* to *end* of the file, like `find_end`."""
        tail = find_end(self.file, start, end)
        self.window = Window(file=self.file, start=tail.start, data=tail.data)
        return tail.record

    def near(self, offset: int, size: int) -> bytes:
        """Return the *size* bytes at *offset*, from the last read if it contains them."""
        # The window is replaced in one assignment, because threads share it.
        window, file = self.window, self.file
        if window.file is not file or not window.start <= offset <= offset + size <= window.start + len(window.data):
            if offset < window.start:  # children are stored before their parents
                start, end = max(0, min(offset, offset + size - _WINDOW)), offset + size
            else:
                start, end = offset, max(offset + size, min(offset + _WINDOW, file.size))
            window = self.window = Window(file=file, start=start, data=file.read(start, end - start))
        return window.data[offset - window.start : offset - window.start + size]

    def _use_index(self, locator: "Locator") -> bytes:
        """Read the head of the index together with the root block.  Return the head's bytes.

        Both come from a single read.  So everything that follows belongs to the root block's version, even if the file
        is being rewritten at this moment.
        """
        end = locator.index_offset + locator.index_size
        start = end - locator.head_size
        encoded = self.near(start, locator.head_size)
        head = bundle_format.decode_head(encoded)
        if (
            head.root_offset + head.root_size != start
            or (data := self.near(head.root_offset, end - head.root_offset))[head.root_size :] != encoded
        ):
            from . import content  # noqa: PLC0415 (loaded only for bundles that have limits or a fault)

            return content.limits.use_index(self, encoded, start, code_tag())
        own = code_tag()
        if head.tags.get(own) == external.MAGIC_NUMBER:
            self.column = list(head.tags).index(own)
        self.units = head.units
        self.directories[""] = bundle_format.Directory(data[: head.root_size], "")
        return encoded

    def directory(self, path: str) -> "bundle_format.Directory | ListedDirectory | None":
        """Return the directory at *path* ("" or "pkg/sub"), or None if there is none.

        Raises:
            BundleFormatError: the index is damaged.

        """
        found = self.directories.get(path)
        if found is None and self.indexed:
            found = self.directories[""]
            walked = ""
            for name in path.split("/"):
                walked = f"{walked}/{name}" if walked else name
                known = self.directories.get(walked)
                if known is None:
                    if name + "/" not in found.names:
                        return None
                    block = found.subdirectory(name)  # type: ignore[union-attr] # all are of the index
                    known = self.directories[walked] = self.retried(self._decode_block, block, walked)
                found = known
        return found

    def _decode_block(self, block: "Extent", path: str) -> "bundle_format.Directory":
        return bundle_format.Directory(self.near(block.offset, block.size), path, block.checksum)

    def retried(self, attempt: "Callable[..., Any]", *arguments: object) -> "Any":
        """Call *attempt*.  If the file's descriptor had been closed, reopen the file and call it again.

        The file is replaced in one assignment, because threads share the archive.  The old file stays open for the
        reads that other threads have begun.
        """
        for _ in _ATTEMPTS:
            file = self.file
            try:
                return attempt(*arguments)
            except ImportError as error:
                from . import content  # noqa: PLC0415 (loaded when first needed)

                content.reopening.reopen(self, file, error)
        return attempt(*arguments)

    def image_at(self, entry: bytes, prefix: str, name: str) -> bytes:
        """Return the pyc image that the *entry* of the index points to, checked.

        Arguments:
            entry: the result of `format.Directory.code_entry`.
            prefix: the prefix of the source's directory, for errors.
            name: the source's name in that directory.

        Raises:
            BundleFormatError: the image is damaged.

        """
        image: bytes = self.retried(self._image, entry, prefix, name)
        if TRACING:
            trace("read", path=self.path, member=f"bytecode of {prefix}{name}", size=len(image))
        return image

    def _image(self, entry: bytes, prefix: str, name: str) -> bytes:
        offset = int.from_bytes(entry[:8], "little")
        try:
            data = self.file.read(offset, int.from_bytes(entry[8:12], "little"))
        except ImportError as error:
            error.member = f"bytecode of {prefix}{name}"  # type: ignore[attr-defined] # it is a BundleFormatError
            raise
        if bundle_format.seal(data) != entry[12:] or data[:4] != external.MAGIC_NUMBER:
            from . import content  # noqa: PLC0415 (loaded when first needed)

            return content.images.unpacked(data, entry, f"bytecode of {prefix}{name}")
        return data


def short_digest(data: bytes) -> str:
    """Return a digest of *data*: 32 hexadecimal digits.  It does not resist an intended collision."""
    # The interpreter's own keyed hash (PEP 552): 128 bits of it, without loading hashlib.
    return (_imp.source_hash(1, data) + _imp.source_hash(2, data)).hex()
