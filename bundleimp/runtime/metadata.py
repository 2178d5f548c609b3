"""The distributions of a bundle, for ``importlib.metadata`` and its backport (``importlib_metadata``).

Both look for distributions in one path entry after the other, and `adapt` leads that search here for those in bundles.
What they make of the paths that they get is theirs.  Loaded at the first such search, so it may import what they do.
"""

import io
import os
import pathlib

from .bundles import locate, open_bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePath as _PurePath
    from typing import IO, Any

    from .archive import Archive
    from .format import Directory
    from .zipdirectory import ListedDirectory
else:
    _PurePath = type(pathlib.PurePath())

_SUFFIXES = (".dist-info", ".egg-info")


class _Place:
    """An open bundle, and a name inside it ("" or "pkg/data.txt")."""

    __slots__ = ("archive", "inner")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self.archive = archive
        self.inner = inner


class BundledPath(_PurePath):
    """A path that leads into a bundle, there or not.

    A `pathlib.PurePath`, so that whoever takes paths apart can; and as much of `pathlib.Path` as reading needs.  Like
    that, it is a name: what it stands for is looked up in the version of the bundle that is in use when it is asked.
    """

    __slots__ = ()

    def _place(self) -> "_Place | None":
        location = locate(str(self))
        archive = open_bundle(location.bundle).archive if location is not None else None
        return _Place(archive, location.inner) if location is not None and archive is not None else None

    def is_file(self) -> bool:
        """Return whether there is such a file."""
        place = self._place()
        return place is not None and place.archive.member(place.inner) is not None

    def is_dir(self) -> bool:
        """Return whether there is such a directory."""
        place = self._place()
        return place is not None and place.archive.directory(place.inner) is not None

    def exists(self) -> bool:
        """Return whether there is such a file or directory."""
        return self.is_file() or self.is_dir()

    def resolve(self, strict: bool = False) -> "BundledPath":
        """Return the absolute path without ``..``; FileNotFoundError where *strict* and nothing is there."""
        if strict and not self.exists():
            raise FileNotFoundError(2, "No such file in the bundle", str(self))
        place = self._place()
        return type(self)(place.archive.path, place.inner) if place is not None else self

    def iterdir(self) -> "Iterator[BundledPath]":
        """Yield what is in the directory.

        Raises:
            NotADirectoryError, FileNotFoundError: it is none.

        """
        place = self._place()
        directory = place.archive.directory(place.inner) if place is not None else None
        if directory is None:
            if self.is_file():
                raise NotADirectoryError(20, "Not a directory", str(self))
            raise FileNotFoundError(2, "No such directory in the bundle", str(self))
        for name in directory.names:
            yield self / name.removesuffix("/")

    def read_bytes(self) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: there is no such file.
            BundleFormatError: it is damaged.

        """
        place = self._place()
        member = place.archive.member(place.inner) if place is not None else None
        if place is None or member is None:
            if self.is_dir():
                raise IsADirectoryError(21, "Is a directory", str(self))
            raise FileNotFoundError(2, "No such file in the bundle", str(self))
        return place.archive.read(member)

    def open(self, mode: str = "r", *args: "Any", **kwargs: "Any") -> "IO[Any]":
        """Open the file for reading; further arguments are those of `io.TextIOWrapper`.

        Raises:
            ValueError: *mode* is neither "r" nor "rb".
            OSError: there is no such file.

        """
        if mode not in {"r", "rt", "rb"}:
            message = f"a bundle is read only: mode {mode!r}"
            raise ValueError(message)
        stream = io.BytesIO(self.read_bytes())
        return stream if "b" in mode else io.TextIOWrapper(stream, *args, **kwargs)

    def read_text(self, encoding: "str | None" = None, errors: "str | None" = None) -> str:
        """Return the file's text; *encoding* and *errors* as of `open`."""
        return self.open("r", encoding, errors).read()  # type: ignore[no-any-return]


def _normalized(name: str) -> str:
    """Return the name of a distribution as lookups compare it (PEP 503, with underscores)."""
    name = name.lower().replace("-", "_").replace(".", "_")
    while "__" in name:
        name = name.replace("__", "_")
    return name


class _Lookup:
    """The folders (and, of old, files) with the metadata of each distribution in one directory of a bundle, by name."""

    __slots__ = ("_eggs", "_infos", "_root", "key")

    def __init__(self, root: str, key: str, directory: "Directory | ListedDirectory | None") -> None:
        """Collect the names in *directory*, which is at *root*, of the version of the bundle that has *key*."""
        self.key = key
        self._root = root
        self._infos: dict[str, list[str]] = {}
        self._eggs: dict[str, list[str]] = {}
        egg = os.path.basename(root).lower()
        for child in directory.names if directory is not None else ():
            low = child.removesuffix("/").lower()
            if low.endswith(_SUFFIXES):
                name = low.rpartition(".")[0].partition("-")[0]
                self._infos.setdefault(_normalized(name), []).append(child)
            elif low == "egg-info" and egg.endswith(".egg"):
                name = egg.rpartition(".")[0].partition("-")[0]
                self._eggs.setdefault(name, []).append(child)

    def search(self, prepared: "Any") -> "Iterator[BundledPath]":
        """Yield the paths for the name that *prepared* holds, or all where it holds none."""
        tables = (self._infos, prepared.normalized), (self._eggs, prepared.legacy_normalized)
        for table, name in tables:
            found: Iterable[list[str]] = (table.get(name, []),) if prepared else table.values()
            for children in found:
                for child in children:
                    yield BundledPath(self._root, child)


def search(fast_path: "Any", prepared: "Any") -> "Iterable[BundledPath] | None":
    """Return where the metadata of distributions is in one path entry; None where that is in no bundle.

    A bundle that is not sound has none, and is one `BundleWarning`.

    Arguments:
        fast_path: the ``FastPath`` of the path entry; what is found out about it is kept there.
        prepared: a ``Prepared`` with the name of a distribution, or with none: all are wanted then.

    Raises:
        BundleFormatError: the bundle's index is damaged.

    """
    location = locate(str(fast_path.root))
    if location is None:
        return None
    bundle = open_bundle(location.bundle)
    bundle.report()
    archive = bundle.archive
    if archive is None:
        return ()
    lookup: _Lookup | None = vars(fast_path).get("bundle_lookup")
    if lookup is None or lookup.key != archive.key:
        root = os.path.join(location.bundle, location.inner)
        lookup = fast_path.bundle_lookup = _Lookup(root, archive.key, archive.directory(location.inner))
    return lookup.search(prepared)
