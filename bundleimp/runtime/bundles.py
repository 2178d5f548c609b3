"""The bundles in use, by path: the one piece of state that the runtime keeps.

An `Archive` never changes.  An `OpenBundle` stands for a path, and exchanges its archive as a whole when the file turns
out to be replaced; every finder on that path sees the exchange at once.
"""

import os

from .archive import Archive
from .bundlefile import Identity, is_regular_file
from .errors import TRACING, trace
from .format import SUFFIX

_SEPARATORS = "/\\" if os.sep == "\\" else "/"


class OpenBundle:
    """A bundle that the import system was pointed to: a path, and the version of the file now in use.

    ``archive`` is None while nothing can be imported: the file is gone, or is not sound.
    """

    __slots__ = ("archive", "path", "refused")

    def __init__(self, path: str, archive: "Archive | None") -> None:
        self.path = path
        self.archive = archive
        self.refused: Identity | None = None

    def refresh(self) -> None:
        """Look at the file again, and take the new version where it was replaced.

        Raises:
            BundleFormatError: there is a new version and it is not sound; ``archive`` is None then.

        """
        try:
            identity = Identity(os.stat(self.path))
        except (OSError, ValueError):
            self.archive = self.refused = None
            return
        known = self.archive.identity if self.archive is not None else self.refused
        if known == identity:
            return
        self.archive = None
        self.refused = identity
        self.archive = Archive(self.path)
        if TRACING:
            trace(f"{self.path}: took a new version")


# The one piece of state: every bundle in use, by absolute path.
_bundles: "dict[str, OpenBundle]" = {}


def absolute(path: str) -> str:
    """Return *path* made absolute as a path entry finder does it: without resolving links or ``..``."""
    if os.path.isabs(path):
        return path
    while path[:1] == "." and path[1:2] in _SEPARATORS and len(path) > 1:
        path = path[2:]
    return os.path.join(os.getcwd(), path)


class Location:
    """A path split into the bundle's own and the name inside it ("" or "pkg/sub")."""

    __slots__ = ("bundle", "inner")

    def __init__(self, bundle: str, inner: str) -> None:
        self.bundle = bundle
        self.inner = inner


def locate(path: str) -> "Location | None":
    """Split *path* at the first part that is a regular file with the bundle suffix; None where no part is one."""
    end = 0
    while (end := path.find(SUFFIX, end)) >= 0:
        end += len(SUFFIX)
        if path[end : end + 1] in _SEPARATORS:  # the empty string is in it: the end of the path
            bundle = absolute(path[:end])
            if bundle in _bundles or is_regular_file(bundle):
                return Location(bundle, inner_name(path[end:]))
    return None


def inner_name(path: str) -> str:
    """Return the member name for *path*, which is relative to a bundle; one that leads out of it names nothing."""
    if os.sep == "\\":
        path = path.replace("\\", "/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def open_bundle(path: str) -> "OpenBundle":
    """Return the open bundle for the absolute *path*, opening the file where that was not done before.

    Raises:
        BundleFormatError: the file is not sound.

    """
    bundle = _bundles.get(path)
    if bundle is None:
        bundle = _bundles.setdefault(path, OpenBundle(path, Archive(path)))
    return bundle


def refuse_bundle(path: str) -> "OpenBundle":
    """Note that the file at *path* is not sound, until it is replaced; return the bundle, which is empty."""
    bundle = OpenBundle(path, None)
    try:
        bundle.refused = Identity(os.stat(path))
    except OSError:
        bundle.refused = None
    return _bundles.setdefault(path, bundle)
