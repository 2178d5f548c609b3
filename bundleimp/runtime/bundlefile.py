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

# How many descriptors are left to the program, and to the import system's own finders.
_SPARE = 16
givers: "list[Callable[[], bool]]" = []  # functions that close descriptors; they return whether there were any
_NONE_LEFT = {23, 24}  # ENFILE and EMFILE on all platforms; `errno` need not be loaded yet
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


def give_up() -> bool:
    """Close the descriptors that bundles and locks can do without.  Return whether there were any."""
    return any([give() for give in givers])  # noqa: C419 (each must give)


def retried(function: "Callable[..., Any]", *arguments: object) -> "Any":
    """Return the result of *function*.  If no descriptor is left, give up those of bundles, and call it again."""
    try:
        return function(*arguments)
    except OSError as error:
        if error.errno not in _NONE_LEFT or not give_up():
            raise
    return function(*arguments)


def spared(descriptor: int) -> int:
    """Return the new *descriptor*.  If few are left, give up those of bundles, and return a lower one in its place."""
    if not is_among_last(descriptor) or not give_up():
        return descriptor
    try:
        return os.dup(descriptor)
    finally:
        os.close(descriptor)


def is_among_last(descriptor: int) -> bool:
    """Return whether few descriptors are left to the process after this one."""
    try:
        return descriptor > _SPARE and descriptor >= os.sysconf("SC_OPEN_MAX") - _SPARE
    except (AttributeError, OSError, ValueError):  # on Windows, which allows thousands
        return False


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

    mapping: "Any" = None  # of a store (`sources.stores`)

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
            with retried(_io.open_code, path) as stream:
                try:
                    if type(stream) is _io.BufferedReader:
                        self.descriptor = spared(retried(os.dup, stream.fileno()))
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

    def rested(self) -> "BundleFile | None":
        """Return this file without a descriptor, or None if it has none, or its path shows another file now."""
        present, own = status_of(self.path), self.status
        # The first seven: all but the times.  Each change of the content changes the time of the last status change.
        if self.descriptor < 0 or present is None or present[:7] != own[:7] or present.st_ctime_ns != own.st_ctime_ns:
            return None
        copy = object.__new__(BundleFile)
        copy.path, copy.size, copy.status, copy.signers = self.path, self.size, self.status, self.signers
        copy.content, copy.descriptor = None, -1
        return copy

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
