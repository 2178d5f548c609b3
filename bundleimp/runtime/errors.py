"""The root of all errors, and the error of a broken bundle.  `faults.kinds` has the more special ones.

What leaves an ``import`` statement is an `ImportError`, too.
"""

import os
import sys

# The platform's numbers for what a file system says.  `errno` has them, but need not be loaded yet.
ENOENT, ENOTDIR, EISDIR = (44, 54, 31) if sys.platform in {"emscripten", "wasi"} else (2, 20, 21)


class BundleError(Exception):
    """The root of everything bundleimp raises.

    Attributes:
        file: path of the bundle or source file at fault, or None.
        member: name of the member at fault, or None.
        offset: byte offset in the file where the fault is, or None.

    """

    def __init__(
        self, message: str, *, file: "str | None" = None, member: "str | None" = None, offset: "int | None" = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.member = member
        self.offset = offset

    def __str__(self) -> str:
        where = self.file or ""
        if self.member is not None:
            where = f"{where}: {self.member}" if where else self.member
        text = f"{where}: {self.message}" if where else self.message
        return text if self.offset is None else f"{text} (at offset {self.offset})"


class BundleFormatError(BundleError, ImportError):
    """The bundle is damaged, or is no bundle.

    An `ImportError` as well: ``name`` is the module that was being imported (where known), ``path`` the bundle.
    """

    def __init__(
        self,
        message: str,
        *,
        file: "str | None" = None,
        member: "str | None" = None,
        offset: "int | None" = None,
        name: "str | None" = None,
    ) -> None:
        super().__init__(message, file=file, member=member, offset=offset)
        self.name = name
        self.path = file


TRACING = os.environ.get("BUNDLEIMP_TRACE", "") not in ("", "0")


def trace(message: str) -> None:
    """Write one line to standard error; callers test `TRACING` first."""
    if sys.stderr is not None:
        sys.stderr.write(f"bundleimp: {message}\n")
