"""The special kinds of `errors.BundleFormatError`, and the warning."""

from .. import errors


class NotABundleError(errors.BundleFormatError):
    """There is not a zip archive at the path (missing, a directory, empty, too short, no end record)."""


class BundleUnreadableError(NotABundleError):
    """The file cannot be opened now; it may be another time."""


class BundleVersionError(errors.BundleFormatError):
    """The bundle's format is newer than this bundleimp understands."""


class BundleChangedError(errors.BundleFormatError):
    """The file was rewritten in place while it was imported from."""


class BundleSignatureError(errors.BundleFormatError):
    """The bundle is not signed by somebody who may sign bundles."""


class SignatureNotCheckedError(BundleSignatureError):
    """It cannot be checked who signed the bundle.

    Attributes:
        told: whether the user was told already, when it was about another bundle.

    """

    told = False


class BundleWarning(UserWarning):
    """A path entry looks like a bundle but nothing can be imported from it, or the cache cannot be used."""
