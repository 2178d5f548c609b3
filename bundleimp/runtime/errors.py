"""The exception and warning tree, and how the runtime speaks to its user.

The lowest module of all.  Whatever can leave an ``import`` statement is an `ImportError` too.
"""

import _warnings
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


class NotABundleError(BundleFormatError):
    """There is not a zip archive at the path (missing, a directory, empty, too short, no end record)."""


class BundleUnreadableError(NotABundleError):
    """The file cannot be opened now; it may be another time."""


class BundleVersionError(BundleFormatError):
    """The bundle's format is newer than this bundleimp understands."""


class BundleChangedError(BundleFormatError):
    """The file was rewritten in place while it was imported from."""


class BundleSignatureError(BundleFormatError):
    """The bundle is not signed by somebody who may sign bundles."""


class SignatureNotCheckedError(BundleSignatureError):
    """Nobody can say who signed the bundle.

    Attributes:
        told: whether the user was told already, when it was about another bundle.

    """

    told = False


class BundleWarning(UserWarning):
    """A path entry looks like a bundle but nothing can be imported from it, or the cache cannot be used."""


_OURS = __name__.partition(".")[0]
TRACING = os.environ.get("BUNDLEIMP_TRACE", "") not in ("", "0")


def trace(message: str) -> None:
    """Write one line to standard error; callers test `TRACING` first."""
    if sys.stderr is not None:
        sys.stderr.write(f"bundleimp: {message}\n")


def warn(message: str) -> None:
    """Issue a `BundleWarning` that names the line of the program which led to it.

    ``warnings`` is not imported: it may itself be on its way in from a bundle.
    """
    level = 1
    frame = sys._getframe().f_back  # noqa: SLF001 (documented in sys)
    while frame is not None:
        # What belongs to the import system is not counted in a stack level.
        if not ("importlib" in frame.f_code.co_filename and "_bootstrap" in frame.f_code.co_filename):
            level += 1
            if not str(frame.f_globals.get("__name__")).startswith(_OURS):
                break
        frame = frame.f_back
    _warnings.warn(message, BundleWarning, level)
