"""The exceptions and the warning.  Exceptions that leave an ``import`` statement are also `ImportError`."""

HIDDEN = "the name has control characters or invisible characters"
# Control characters, line ends, characters without width, and those that reverse the text: from the first to the last.
_HIDDEN = (
    *(("\0", "\x1f"), ("\x7f", "\x9f"), ("\xad", "\xad"), ("\u061c", "\u061c"), ("\u200b", "\u200b")),
    *(("\u200e", "\u200f"), ("\u2028", "\u202e"), ("\u2060", "\u206f"), ("\ud800", "\udfff"), ("\ufeff", "\ufeff")),
    *(("\ufff9", "\ufffb"), ("\U000e0000", "\U000e007f")),
)


def is_hidden(character: str) -> bool:
    """Return whether a terminal does not show the *character*, but is told something by it, or shows nothing."""
    return any(first <= character <= last for first, last in _HIDDEN)


def printable(text: str) -> str:
    """Return *text* with escapes for control characters and invisible characters."""
    return text if text.isprintable() else "".join(ascii(c)[1:-1] if is_hidden(c) else c for c in text)


class BundleError(Exception):
    """The base class of all exceptions of bundleimp.

    Attributes:
        file: path of the bundle or source file with the fault, or None.
        member: name of the member with the fault, or None.
        offset: byte offset of the fault in the file, or None.

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
        text = printable(f"{where}: {self.message}" if where else self.message)
        return text if self.offset is None else f"{text} (at offset {self.offset})"


class BundleFormatError(BundleError, ImportError):
    """The bundle is damaged, or the file is not a bundle.

    The class is also an `ImportError`: ``name`` is the module that was being imported (if known), ``path`` is the
    bundle.
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
    """No zip archive exists at the path: missing, a directory, empty, too short, or without an end record."""


class BundleUnreadableError(NotABundleError):
    """The file cannot be opened now, but perhaps later."""


class BundleVersionError(BundleFormatError):
    """The bundle's format is newer than this bundleimp understands."""


class BundleTargetError(BundleFormatError):
    """The bundle has files for other Pythons or platforms, and none for this one.

    Attributes:
        told: True, so that opening the bundle is no reason for a warning: a program tells of it in its own way.
        warned: whether the user was warned at an import, or is told by the program.

    """

    told = True
    warned = False


class BundleFitError(BundleFormatError):
    """The index says that the bundle is for other Pythons or platforms.  Its pure code may still be imported."""


class BundleChangedError(BundleFormatError):
    """The file was rewritten in place while modules were imported from it."""


class BundleSignatureError(BundleFormatError):
    """The bundle is not signed by an allowed signer."""


class SignatureNotCheckedError(BundleSignatureError):
    """The signature of the bundle cannot be checked.

    Attributes:
        told: whether the user was already warned because of another bundle.

    """

    told = False


class BundleWarning(UserWarning):
    """A bundle or a part of it cannot be used, or the cache cannot be used, or a trace callback raised an exception."""
