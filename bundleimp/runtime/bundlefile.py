"""The file under an archive: a descriptor that stays open, the file's identity, and exact reads at an offset.

Reads are positioned, so threads share the descriptor without a lock, and a child that was forked meanwhile waits for
none.  The descriptor stays open, so a rename over the file mixes no two versions.
"""

import _thread
import os
import sys
from _io import BufferedReader, UnsupportedOperation, open_code

from . import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Protocol

    class Signers(Protocol):
        """Who may sign bundles (`sources.signatures`)."""

        def check(self, file: "BundleFile") -> str: ...


_REGULAR = 0o100000


def status_of(path: str) -> "os.stat_result | None":
    """Return the file status of *path*, or None if it does not exist or cannot be read."""
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def is_regular(status: "os.stat_result | None") -> bool:
    """Return whether *status* is that of a regular file."""
    return status is not None and status.st_mode & 0o170000 == _REGULAR


def is_regular_file(path: str) -> bool:
    """Return whether *path* leads to a regular file; False where it cannot be read."""
    return is_regular(status_of(path))


class Identity:
    """What tells one version of a file from another."""

    __slots__ = ("ctime", "device", "inode", "mtime", "size")

    def __init__(self, status: "os.stat_result") -> None:
        self.device = status.st_dev
        self.inode = status.st_ino
        self.size = status.st_size
        self.mtime = status.st_mtime_ns
        self.ctime = status.st_ctime_ns

    def same_file(self, other: "Identity") -> bool:
        """Return whether it is the same file, whatever its content."""
        return (self.device, self.inode) == (other.device, other.inode)

    def untouched_since(self, other: "Identity | None") -> bool:
        """Return whether nothing was done to the file since *other*.

        A program can set back the time of what it has written, but not that of its last change (but on Windows).
        """
        return other is not None and self == other and self.ctime == other.ctime

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identity):
            return NotImplemented
        return self.same_file(other) and (self.size, self.mtime) == (other.size, other.mtime)

    __hash__ = None  # type: ignore[assignment]


def _descriptor_of(stream: "IO[bytes]") -> "int | None":
    """Return a descriptor of the file behind *stream*; None where a hook of ``open_code`` gives something else."""
    try:
        return os.dup(stream.fileno()) if type(stream) is BufferedReader else None
    except UnsupportedOperation:
        return None


class BundleFile:
    """The file under an archive: a descriptor that stays open, and exact reads at an offset.

    Attributes:
        path: the file's path.
        size: its size in bytes.
        identity: what tells this version of the file from others.

    """

    __slots__ = ("_content", "_descriptor", "_signers", "identity", "path", "size")

    def __init__(self, path: str, signers: "Signers | None" = None) -> None:
        """Open the regular file at *path*, by ``open_code``: it is about to be executed (PEP 578).

        Arguments:
            path: where it is.  Where that may be something else, use `at`: there is no end to waiting for a pipe.
            signers: who may have signed it; None: it need not be signed.

        Raises:
            NotABundleError: it is missing, no regular file, or cannot be opened.
            BundleSignatureError: it is not signed by one of *signers*.

        """
        self.path = path
        self._descriptor = -1
        self._content: bytes | None = None
        try:
            with open_code(path) as stream:
                descriptor = _descriptor_of(stream)
                if descriptor is not None:
                    self._descriptor = descriptor
                else:
                    self._content = stream.read()
            status = os.fstat(self._descriptor) if self._content is None else os.stat(path)
        except (OSError, ValueError) as error:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            message = f"cannot be opened: {getattr(error, 'strerror', None) or error}"
            raise faults.kinds.BundleUnreadableError(message, file=path) from None
        self.identity = Identity(status)
        if not is_regular(status):
            raise _not_regular(path)
        self.size = status.st_size if self._content is None else len(self._content)
        self._signers: Signers | None = None
        if signers is not None:
            self.require(signers)

    @classmethod
    def at(cls, path: str, signers: "Signers | None" = None) -> "BundleFile":
        """Open what is at *path*, which need not be a file; arguments and errors as of the class itself."""
        status = status_of(path)
        if status is not None and not is_regular(status):
            raise _not_regular(path)
        return cls(path, signers)

    def fileno(self) -> int:
        """Return the descriptor.

        Raises:
            SignatureNotCheckedError: there is none.

        """
        if self._content is not None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            message = "cannot be signed, or shown to be: what this interpreter's open_code gives of it is not the file"
            raise faults.kinds.SignatureNotCheckedError(message, file=self.path)
        return self._descriptor

    @property
    def is_signed(self) -> bool:
        """Whether it was checked who signed it."""
        return self._signers is not None

    def require(self, signers: "Signers") -> None:
        """Be signed by one of *signers*, now and when the file has to be opened anew.

        Raises:
            BundleSignatureError: it is not; SignatureNotCheckedError: that cannot be checked.
            BundleChangedError: it was written to meanwhile.

        """
        self._signers = signers
        signers.check(self)
        if Identity(os.fstat(self._descriptor)) != self.identity:
            message = "was rewritten while its signature was checked; replace bundles by renaming a new file over them"
            raise self._changed(message)

    def _changed(self, message: str) -> "errors.BundleFormatError":
        from . import faults  # noqa: PLC0415 (loaded when first needed)

        return faults.kinds.BundleChangedError(message, file=self.path)

    def _present(self) -> "Identity | None":
        """Return what the file is now; None where the descriptor is not ours any more.

        A daemon closes all that it finds, and the number is used again.
        """
        descriptor = self._descriptor
        if self._content is not None:
            return self.identity
        try:
            present = Identity(os.fstat(descriptor))
        except OSError:
            return None
        # Another thread may have given it up meanwhile, and opened the same file under the same number.
        return present if present.same_file(self.identity) and descriptor == self._descriptor else None

    def __del__(
        self,
        is_finalizing: "Callable[[], bool]" = sys.is_finalizing,
        fstat: "Callable[[int], os.stat_result]" = os.fstat,
        close: "Callable[[int], None]" = os.close,
    ) -> None:
        # When a sub-interpreter ends, the names of this module are gone already, but the process goes on; with the main
        # one it ends, too.
        try:
            if self._descriptor >= 0 and not is_finalizing():
                status = fstat(self._descriptor)
                if (status.st_dev, status.st_ino) == (self.identity.device, self.identity.inode):
                    close(self._descriptor)
        except Exception:  # noqa: BLE001, S110 (it is not ours any more, or was never opened)
            pass

    if hasattr(os, "pread"):

        def _pread(self, size: int, offset: int) -> bytes:
            return os.pread(self._descriptor, size, offset)

    else:
        # A signal handler in the midst of a read may read, too.
        _lock = _thread.RLock()

        def _pread(self, size: int, offset: int) -> bytes:
            with self._lock:
                while True:
                    os.lseek(self._descriptor, offset, os.SEEK_SET)
                    data = os.read(self._descriptor, size)
                    if os.lseek(self._descriptor, 0, os.SEEK_CUR) == offset + len(data):
                        return data

    def read(self, offset: int, size: int) -> bytes:
        """Return the *size* bytes at *offset*.

        Raises:
            BundleFormatError: the file does not hold them.

        """
        if offset + size > self.size:
            message = f"points outside the file, which has {self.size} bytes: it is damaged or truncated"
            raise errors.BundleFormatError(message, file=self.path, offset=offset)
        if self._content is not None:
            return self._content[offset : offset + size]
        try:
            data = self._pread(size, offset)
            while len(data) < size and (more := self._pread(size - len(data), offset + len(data))):
                data += more
        except OSError:
            data = b""
        if len(data) != size:
            message = "cannot be read: it is damaged or truncated"
            raise errors.BundleFormatError(message, file=self.path, offset=offset)
        return data

    def reopened(self) -> "BundleFile | None":
        """Find out why a read went wrong; return the file opened anew where the program has closed its descriptor.

        Return None where it is there, and is what it was when it was opened: the fault is in the file.

        Raises:
            BundleChangedError: the file is not what it was.

        """
        present = self._present()
        if present is not None:
            if present == self.identity:
                return None
            message = (
                "was rewritten in place while it was imported from; restart the program,"
                " and replace bundles by renaming a new file over them"
            )
            raise self._changed(message)
        self._descriptor = -1  # the number is somebody else's, or the next one's
        from . import faults  # noqa: PLC0415 (loaded when first needed)

        try:
            fresh: BundleFile | None = BundleFile.at(self.path, self._signers)
        except faults.kinds.NotABundleError:
            fresh = None
        if fresh is None or fresh.identity != self.identity:
            message = "its descriptor was closed by the program, and the file was replaced since; restart the program"
            raise self._changed(message)
        return fresh


def _not_regular(path: str) -> "errors.BundleFormatError":
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    return faults.kinds.NotABundleError("is not a regular file", file=path)
