"""The file of an archive: a descriptor that stays open, and exact reads at an offset.

Reads are positioned, so threads share the descriptor without a lock, and a forked child process never waits for a lock.
The descriptor stays open, so a rename over the file cannot mix two versions.
"""

import _frozen_importlib_external as external
import _io
import sys

from . import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    os = external._os  # `os` itself would live as long as this module: see `runtime`

_pread: "Any" = getattr(os, "pread", None)
if _pread is None:  # on Windows
    from . import content

    _pread = content.positioned.pread


def status_of(path: str) -> "os.stat_result | None":
    """Return the file status of *path*, or None if it does not exist or cannot be read."""
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def is_regular(status: "os.stat_result | None") -> bool:
    """Return whether *status* is that of a regular file."""
    return status is not None and status.st_mode & 0o170000 == 0o100000


class BundleFile:
    """The file of an archive.

    Attributes:
        path: the file's path.
        size: its size in bytes.
        status: its status, which distinguishes this version from others.
        descriptor: its descriptor, or -1 if it has none.
        content: the file's bytes, if a hook of ``open_code`` returns other content than the file's; else None.
        signers: the allowed signers, one of whom has signed the file; None if it need not be signed.

    """

    __slots__ = ("content", "descriptor", "path", "signers", "size", "status")

    def __init__(self, path: str, signers: "Signers | None" = None) -> None:
        """Open the regular file at *path* with ``open_code``, because its content will be executed (PEP 578).

        Arguments:
            path: the file's path.  If it may not be a regular file, use `open_file`: opening a pipe may wait forever.
            signers: the allowed signers; None: the file need not be signed.

        Raises:
            NotABundleError: the file is missing, is not a regular file, or cannot be opened.
            BundleSignatureError: none of *signers* has signed the file.

        """
        self.path = path
        self.descriptor = -1
        self.content: bytes | None = None
        self.signers: Signers | None = None
        try:
            with _io.open_code(path) as stream:
                try:
                    self.descriptor = os.dup(stream.fileno()) if type(stream) is _io.BufferedReader else -1
                except _io.UnsupportedOperation:
                    pass
                if self.descriptor < 0:
                    self.content = stream.read()
            self.status = os.fstat(self.descriptor) if self.content is None else os.stat(path)
        except (OSError, ValueError) as error:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            raise faults.opening.unreadable(path, error) from None
        if not is_regular(self.status):
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            raise faults.opening.not_regular(path)
        self.size = self.status.st_size if self.content is None else len(self.content)
        if signers is not None:
            from . import sources  # noqa: PLC0415 (loaded only if bundles must be signed)

            sources.signatures.require(self, signers)

    def __del__(
        self,
        is_finalizing: "Callable[[], bool]" = sys.is_finalizing,
        fstat: "Callable[[int], os.stat_result]" = os.fstat,
        close: "Callable[[int], None]" = os.close,
    ) -> None:
        # When a sub-interpreter ends, this module's names are already cleared, so the defaults hold these functions.
        # The process continues, so the file must be closed.  When the main interpreter ends, the process ends, too.
        try:
            if self.descriptor >= 0 and not is_finalizing():
                status = fstat(self.descriptor)
                if (status.st_dev, status.st_ino) == (self.status.st_dev, self.status.st_ino):
                    close(self.descriptor)
        except Exception:  # noqa: BLE001, S110 (the descriptor is not ours any more, or was never opened)
            pass

    def read(self, offset: int, size: int) -> bytes:
        """Return the *size* bytes at *offset*.

        Raises:
            BundleFormatError: the file is too short, or cannot be read.

        """
        if offset + size > self.size:
            message = f"points outside the file, which has {self.size} bytes: it is damaged or truncated"
            raise fault(message, file=self.path, offset=offset)
        if self.content is not None:
            return self.content[offset : offset + size]
        try:
            data = _pread(self.descriptor, size, offset)
            while len(data) < size and (more := _pread(self.descriptor, size - len(data), offset + len(data))):
                data += more
        except OSError:
            data = b""
        if len(data) != size:
            message = "cannot be read: it is damaged or truncated"
            raise fault(message, file=self.path, offset=offset)
        return data  # type: ignore[no-any-return]
