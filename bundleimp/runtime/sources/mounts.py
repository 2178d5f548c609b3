"""Bundles in memory and stores, put into use as path entries."""

import sys

from .. import TRACING, bundles, faults, trace
from .. import archive as archives
from .. import format as bundle_format
from . import memory, requiring, stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ..archive import Archive
    from ..faults.kinds import BundleFormatError


class Mounted(bundles.OpenBundle):
    """A bundle in memory, or a store, with the attributes of an `OpenBundle`."""

    __slots__ = ("_open_again",)

    def __init__(self, archive: "Archive", open_again: "Callable[[], Archive]") -> None:
        """Put the bundle or the store *archive* into use.  *open_again* returns its present version."""
        super().__init__(archive.path)
        self._open_again = open_again
        self.archive = archive
        self.settled = True

    def refresh(self, status: "os.stat_result | None" = None) -> bool:  # noqa: ARG002 (as of an `OpenBundle`)
        """Return False: each finder calls this, and a store is listed once for all of them."""
        return self.check_again() if self.archive is None else False

    def check_again(self, status: "os.stat_result | None" = None) -> bool:  # noqa: ARG002 (as of an `OpenBundle`)
        """List a store again.  Return whether that is another version now."""
        fault: BundleFormatError | None = None
        archive: Archive | None = None
        try:
            archive = self._open_again()
        except faults.kinds.BundleFormatError as error:
            fault = error
        same = archive is self.archive and str(fault) == str(self.fault)
        self.reported = self.reported and fault is not None and str(fault) == str(self.fault)
        self.archive, self.fault = archive, fault
        if not same:
            self.tell()
        return not same

    def tell(self) -> None:
        """Tell `bundleimp.trace` which version is in use now, or why none is."""
        if TRACING and self.fault is not None:
            trace("refused", path=self.path, member=self.fault.member, reason=self.fault.message)
        elif TRACING and self.archive is not None:
            trace("opened", path=self.path, size=self.archive.file.size)

    @property
    def is_gone(self) -> bool:
        """Whether there is none any more: never."""
        return False


def put(name: str, open_as: "Callable[[str], Archive]", *, once: bool) -> str:
    """Put a bundle in memory or a store into use.  Return its path.

    Arguments:
        name: its name.
        open_as: returns the archive for a path.
        once: whether the content stays as it is.

    Raises:
        ValueError: the *name* is taken, or cannot be one.
        BundleSignatureError: bundles must be signed, and this one cannot be.
        BundleFormatError: it is damaged, or cannot be listed.

    """
    path = memory.path_of(name)
    if path in bundles.in_use:
        message = f"{name!r} is the name of another mount: close that first"
        raise ValueError(message)
    first = open_as(path)
    mounted = Mounted(first, (lambda: first) if once else (lambda: open_as(path)))
    if mounted.signers is not None:
        requiring.require(mounted)
        if mounted.fault is not None:
            raise mounted.fault
    bundles.in_use[path] = mounted
    mounted.tell()
    return path


def bundle(name: str, data: bytes) -> str:
    """Put the bundle *data* in memory into use (see `put`)."""
    return put(name, lambda path: archives.Archive(path, file=memory.file_of(path, data)), once=True)


def remove(path: str) -> None:
    """Take the bundle or the store at *path* out of use.  Modules that were imported keep working."""
    bundles.in_use.pop(path, None)
    for entry in list(sys.path_importer_cache):
        if isinstance(entry, str) and (entry == path or entry.startswith(path + "/")):
            sys.path_importer_cache.pop(entry, None)


def may_be_elsewhere(path: str) -> bool:
    """Return whether *path* is that of a mount, but not of one in this process."""
    return bundle_format.SUFFIX in path and memory.is_path(path)


def store(name: str, mapping: "object", digests: "object" = None) -> str:
    """Put the store *mapping* into use (see `put`), whose members have the *digests*."""
    return put(name, lambda path: stores.StoreArchive(path, mapping, digests), once=False)  # type: ignore[arg-type]
