"""The exceptions and the warning.  What leaves an ``import`` statement is an `ImportError`, too."""


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
    """It cannot be checked who signed the bundle.

    Attributes:
        told: whether the user was told already, when it was about another bundle.

    """

    told = False


class BundleWarning(UserWarning):
    """A path entry looks like a bundle but nothing can be imported from it, or the cache cannot be used."""
