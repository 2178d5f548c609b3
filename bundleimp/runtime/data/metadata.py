"""The distributions of a bundle, for ``importlib.metadata`` and its backport (``importlib_metadata``).

Both libraries search one path entry after the other for distributions.  `adapt` redirects that search to this module
for path entries in bundles.  The libraries themselves interpret the paths that the search returns.  This module is
loaded at the first such search, so it may import the modules that the libraries import.
"""

import os
import pathlib
import sys

from .. import bundles, content, faults, site
from . import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import PurePath as _PurePath
    from typing import Any

    from ..archive import Archive
else:
    _PurePath = type(pathlib.PurePath())

_SUFFIXES = (".dist-info", ".egg-info")


class BundledPath(reading.Readable, _PurePath):
    """A path in a bundle, whether or not a file exists at it.

    The class is a `pathlib.PurePath`, so that programs can split it, and has the methods of `pathlib.Path` for reading.
    Like a `pathlib.Path`, it is only a name.  Each access looks it up in the version of the bundle that is in use at
    that moment.
    """

    __slots__ = ()

    def _archive(self) -> "Archive | None":
        location = bundles.locate(str(self))
        return bundles.open_bundle(location.bundle).archive if location is not None else None

    def _inner(self) -> str:
        location = bundles.locate(str(self))
        return location.inner if location is not None else ""

    def __fspath__(self) -> str:
        """Return a path to open: the path in the site, if the file belongs to a unit that is placed there."""
        archive, inner = self._archive(), self._inner()
        return (site.sites.real_path(archive, inner) if archive is not None and inner else None) or str(self)

    def is_file(self) -> bool:
        """Return whether a file exists at this path."""
        archive = self._archive()
        return archive is not None and content.files.find(archive, self._inner()) is not None

    def is_dir(self) -> bool:
        """Return whether a directory exists at this path."""
        archive = self._archive()
        return archive is not None and archive.directory(self._inner()) is not None

    def exists(self) -> bool:
        """Return whether a file or directory exists at this path."""
        return self.is_file() or self.is_dir()

    def resolve(self, strict: bool = False) -> "BundledPath":
        """Return the absolute path without ``..``.  If *strict* and it does not exist, raise FileNotFoundError."""
        if strict and not self.exists():
            raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", str(self))
        archive = self._archive()
        return type(self)(archive.path, self._inner()) if archive is not None else self

    def iterdir(self) -> "Iterator[BundledPath]":
        """Yield the paths of the directory's entries.

        Raises:
            NotADirectoryError, FileNotFoundError: this path is not a directory, or does not exist.

        """
        archive = self._archive()
        directory = archive.directory(self._inner()) if archive is not None else None
        if directory is None:
            if self.is_file():
                raise NotADirectoryError(faults.numbers.ENOTDIR, "Not a directory", str(self))
            raise FileNotFoundError(faults.numbers.ENOENT, "No such directory in the bundle", str(self))
        for name in directory.names:
            yield self / name.removesuffix("/")

    def read_bytes(self) -> bytes:  # noqa: D102 (documented in the base class)
        archive = self._archive()
        if archive is None:
            raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", str(self))
        return content.files.read_named(archive, self._inner(), str(self))


class MetadataPath:
    """Path of a distribution's metadata, or of a file in it, in the version of the bundle that contained it.

    Reading works directly.  For everything else, the object makes a `BundledPath` when it is needed.  A `pathlib` path
    takes longer to make than the file takes to read, and a search for entry points needs one for every distribution.
    """

    __slots__ = ("_archive", "_inner")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self._archive = archive
        self._inner = inner

    def __str__(self) -> str:
        return os.path.join(self._archive.path, *self._inner.split("/"))

    __fspath__ = __str__

    def __repr__(self) -> str:
        return f"MetadataPath({str(self)!r})"

    def __getattr__(self, name: str) -> "Any":
        return getattr(BundledPath(str(self)), name)

    def __truediv__(self, name: "str | os.PathLike[str]") -> BundledPath:
        return BundledPath(str(self)) / name

    def joinpath(self, *names: "str | os.PathLike[str]") -> "MetadataPath | BundledPath":
        """Return the path below this one."""
        if len(names) == 1 and isinstance(names[0], str):
            name = names[0]
            if not name:
                return self
            if name[0] != "." and name.replace(".", "_").replace("-", "_").isidentifier():
                return MetadataPath(self._archive, f"{self._inner}/{name}")
        return BundledPath(str(self), *names)

    def read_text(self, encoding: "str | None" = None, errors: "str | None" = None) -> str:
        """Return the file's text.  *encoding* and *errors* are those of `open`."""
        return reading.decoded(content.files.read_named(self._archive, self._inner, str(self)), encoding, errors)


def _normalized(name: str) -> str:
    """Return the name of a distribution as lookups compare it (PEP 503, with underscores)."""
    name = name.lower().replace("-", "_").replace(".", "_")
    while "__" in name:
        name = name.replace("__", "_")
    return name


class _Lookup:
    """The metadata folders (or files, in old formats) of the distributions in one directory of a bundle, by name.

    ``key`` is the key of the bundle's version.
    """

    __slots__ = ("_eggs", "_infos", "key")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self.key = archive.key
        # Two distributions with one name are rare.  They share a string, separated by a slash.
        self._infos: dict[str, str] = {}
        self._eggs: dict[str, str] = {}
        directory = archive.directory(inner)
        egg = inner.rpartition("/")[2].lower()
        for child in directory.names if directory is not None else ():
            file_name = child.removesuffix("/")
            low = file_name.lower()
            if low.endswith(_SUFFIXES):
                table, name = self._infos, _normalized(low.rpartition(".")[0].partition("-")[0])
            elif low == "egg-info" and egg.endswith(".egg"):
                table, name = self._eggs, egg.rpartition(".")[0].partition("-")[0]
            else:
                continue
            table[name] = f"{table[name]}/{file_name}" if name in table else file_name

    def search(self, prepared: "Any") -> "Iterator[str]":
        """Yield the metadata file names of the distribution that *prepared* names, or of all if it names none."""
        tables = (self._infos, prepared.normalized), (self._eggs, prepared.legacy_normalized)
        for table, name in tables:
            for file_names in table.values() if not prepared else (table[name],) if name in table else ():
                yield from file_names.split("/")


def search(fast_path: "Any", prepared: "Any") -> "Iterable[MetadataPath] | None":
    """Return the metadata paths of distributions in one path entry, or None if the entry is not in a bundle.

    A damaged bundle has no distributions, and causes one `BundleWarning`.

    Arguments:
        fast_path: the ``FastPath`` of the path entry.  The results of the search are stored in it.
        prepared: a ``Prepared`` with the name of a distribution, or without a name to request all.

    Raises:
        BundleFormatError: the bundle's index is damaged.

    """
    path = str(fast_path.root)
    site_folder = site.sites.at(path) if bundles.may_be_in_site(path) else None
    if site_folder is not None:
        known = bundles.sites[site_folder]
        if known is None or (path in sys.path and known.path in map(bundles.absolute, sys.path)):
            return ()  # the bundle's own entry gives the same distributions
        path = known.path + bundles.absolute(path)[len(site_folder) :]
    location = bundles.locate(path)
    if location is None:
        return None
    bundle = bundles.open_bundle(location.bundle)
    bundle.report()
    archive = bundle.archive
    if archive is None:
        return ()
    lookup: _Lookup | None = vars(fast_path).get("bundle_lookup")
    if lookup is None or lookup.key != archive.key:
        lookup = fast_path.bundle_lookup = _Lookup(archive, location.inner)
    prefix = f"{location.inner}/" if location.inner else ""
    return (MetadataPath(archive, prefix + name) for name in lookup.search(prepared))
