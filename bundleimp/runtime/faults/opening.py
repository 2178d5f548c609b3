"""Errors for files that cannot be opened."""

from .. import format as bundle_format
from . import kinds


def unreadable(path: str, error: Exception) -> kinds.BundleUnreadableError:
    """Return the error for the file at *path*, which could not be opened because of *error*."""
    message = f"cannot be opened: {getattr(error, 'strerror', None) or error}"
    return kinds.BundleUnreadableError(message, file=path)


def not_regular(path: str) -> kinds.NotABundleError:
    """Return the error for *path*, which is not a regular file, but for example a directory or a pipe."""
    return kinds.NotABundleError("is not a regular file", file=path)


def missing(path: str) -> kinds.NotABundleError:
    """Return the error for *path*, at which no file exists."""
    return kinds.NotABundleError("there is no such file", file=path)


def rewritten_while_checked(path: str) -> kinds.BundleChangedError:
    """Return the error for *path*, if the file is not the one whose signature was checked."""
    message = "was rewritten while its signature was checked; replace bundles by renaming a new file over them"
    return kinds.BundleChangedError(message, file=path)


def no_archive(*, empty: bool) -> kinds.NotABundleError:
    """Return the error for a file that is not an archive.  *empty* says that the file has no bytes."""
    reason = (
        "it is empty"
        if empty
        else "the end record is missing, or the file is truncated; copy it again, or pack it anew"
    )
    return kinds.NotABundleError(f"is not a zip archive: {reason}")


def check_version(comment: bytes) -> None:
    """Raise BundleVersionError if an archive *comment* is the locator of a newer format."""
    version = bundle_format.format_version(comment)
    if version is not None and version > bundle_format.VERSION:
        known = bundle_format.VERSION
        message = f"has format version {version}, and this bundleimp reads up to version {known}: upgrade bundleimp"
        raise kinds.BundleVersionError(message)


def may_be_in_the_making(fault: kinds.BundleFormatError) -> bool:
    """Return whether the next check may find no *fault*, because the file may be being written now."""
    return not isinstance(fault, kinds.BundleChangedError | kinds.BundleSignatureError)


def may_open_later(fault: kinds.BundleFormatError) -> bool:
    """Return whether the next check of the same file may find no *fault*: the reason need not be in the file."""
    return isinstance(fault, kinds.BundleUnreadableError | kinds.BundleSignatureError)
