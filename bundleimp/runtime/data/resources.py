"""Data files: traversables for a bundle's directories, and resource readers (``importlib.resources``).

This module is loaded when a resource is first requested.  It imports only modules that ``importlib.resources`` imports,
too, because a bundle may have modules of all other names.  A namespace package's files are the union of its portions.
Each portion may be a directory, a bundle or a zip.
"""

import contextlib
import importlib.resources
import os
import pathlib
import sys
import tempfile
from importlib.resources.abc import TraversableResources

from .. import archive as archives
from .. import bundles, cache, content, faults, site
from . import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..archive import Archive


class BundlePath(reading.Readable):
    """A file or directory of a bundle, which need not exist (`importlib.resources.abc.Traversable`)."""

    __slots__ = ("_archive", "_inner")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self._archive = archive
        self._inner = inner

    def __repr__(self) -> str:
        return f"BundlePath({self._place!r})"

    @property
    def _place(self) -> str:
        """The path under the bundle."""
        return os.path.join(self._archive.path, *self._inner.split("/")) if self._inner else self._archive.path

    def __str__(self) -> str:
        """Return a real path if possible, because programs open the path of an installed package's traversable."""
        return (site.sites.real_path(self._archive, self._inner) if self._inner else None) or self._place

    __fspath__ = __str__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BundlePath):
            return NotImplemented
        return self._archive is other._archive and self._inner == other._inner

    def __hash__(self) -> int:
        return hash((self._archive.path, self._inner))

    @property
    def name(self) -> str:
        """The last part of the path, or the bundle's own name at its root."""
        return self._inner.rpartition("/")[2] or os.path.basename(self._archive.path)

    def is_dir(self) -> bool:
        """Return whether this is an existing directory."""
        return self._archive.directory(self._inner) is not None

    def is_file(self) -> bool:
        """Return whether this is an existing file."""
        return content.files.find(self._archive, self._inner) is not None

    def exists(self) -> bool:
        """Return whether a file or directory exists at this path."""
        return self.is_file() or self.is_dir()

    def iterdir(self) -> "Iterator[BundlePath]":
        """Yield the directory's entries.

        Raises:
            NotADirectoryError, FileNotFoundError: this is not a directory, or does not exist.

        """
        directory = self._archive.directory(self._inner)
        if directory is None:
            if self.is_file():
                raise NotADirectoryError(faults.numbers.ENOTDIR, "Not a directory", self._place)
            raise FileNotFoundError(faults.numbers.ENOENT, "No such directory in the bundle", self._place)
        for name in directory.names:
            yield BundlePath(self._archive, directory.prefix + name.removesuffix("/"))

    def joinpath(self, *descendants: "str | os.PathLike[str]") -> "BundlePath":
        """Return the path below this one.  Each argument may have several parts, separated by slashes."""
        return BundlePath(
            self._archive, bundles.inner_name("/".join([self._inner, *(os.fspath(part) for part in descendants)]))
        )

    __truediv__ = joinpath

    def read_bytes(self) -> bytes:  # noqa: D102 (documented in the base class)
        return content.files.read_named(self._archive, self._inner, self._place)

    def real_path(self) -> "pathlib.Path | None":
        """Return a real file or folder with this content in the cache, or None if the cache cannot be written."""
        if self.is_file():
            member = content.files.find(self._archive, self._inner)
            path = site.native.real_file(self._archive, member) if member is not None else None
        else:
            path = self._real_folder()
        return pathlib.Path(path) if path is not None else None

    def _real_folder(self) -> "str | None":
        root = cache.folder.folder(create=True)
        entry = os.path.join(root, "folders", self._archive.key) if root is not None else None
        if entry is None or not cache.entries.use(entry):
            return None
        # Files are published one by one, but a folder must appear as a whole, so it gets its own place.
        place = archives.short_digest(self._inner.encode("utf-8", "surrogateescape"))
        path = os.path.join(entry, place, self.name)
        if not os.path.isdir(path):
            made = cache.entries.publish_folder(path, lambda folder: _put_into(folder, self._archive, self._inner))
            return path if made else None
        try:
            _put_into(path, self._archive, self._inner)
        except OSError:
            return None
        return path


class JoinedPath:
    """A directory of a namespace package: the union of the directories with that name in its portions."""

    def __init__(self, *paths: "Any") -> None:
        self._paths = paths

    def __repr__(self) -> str:
        return f"JoinedPath({', '.join(map(repr, self._paths))})"

    @property
    def name(self) -> str:
        """The directory's name."""
        return str(self._paths[0].name)

    def is_dir(self) -> bool:
        """Return True."""
        return True

    def is_file(self) -> bool:
        """Return False."""
        return False

    def exists(self) -> bool:
        """Return True."""
        return True

    def iterdir(self) -> "Iterator[Any]":
        """Yield the entries of all the directories.  If files have the same name, the first portion's counts."""
        names: dict[str, None] = {}
        for path in self._paths:
            names |= dict.fromkeys(child.name for child in path.iterdir())
        for name in names:
            yield self.joinpath(name)

    def joinpath(self, *descendants: str) -> "Any":
        """Return the path below this one."""
        parts = [part for text in descendants for part in str(text).split("/") if part not in {"", "."}]
        if not parts:
            return self
        found = [path.joinpath(parts[0]) for path in self._paths]
        folders = [path for path in found if path.is_dir()]
        first = next((path for path in found if path.is_file() or path.is_dir()), found[0])
        child = JoinedPath(*folders) if len(folders) > 1 and first.is_dir() else first
        return child.joinpath(*parts[1:]) if parts[1:] else child

    __truediv__ = joinpath

    def read_bytes(self, *args: "Any", **kwargs: "Any") -> "Any":  # noqa: ARG002 (of several methods)
        """Raise IsADirectoryError: this is not a file."""
        raise IsADirectoryError(faults.numbers.EISDIR, "Is a directory", repr(self))

    read_text = open = read_bytes


class BundleReader(TraversableResources):
    """Resource reader of one directory of a bundle."""

    def __init__(self, archive: "Archive", inner: str) -> None:
        self._path = BundlePath(archive, inner)
        _register()

    def files(self) -> "Any":
        """Return the directory as a traversable."""
        return self._path


def reader_for(loader: "Any") -> "Any":
    """Return the resource reader for the folder that contains the module of *loader*.

    If all files of the module's unit are placed, it reads them, and gives `pathlib.Path` objects.  The top of a site is
    the exception: other units are missing there.
    """
    archive = loader.archive
    if loader.directory.prefix and site.sites.is_whole(archive, loader.path):
        from importlib.readers import FileReader  # noqa: PLC0415 (loaded when first needed)

        return FileReader(loader)
    return BundleReader(archive, loader.directory.prefix.removesuffix("/"))


class NamespaceReader(TraversableResources):
    """Resource reader of a namespace package."""

    def __init__(self, portions: "Iterable[str]") -> None:
        paths = [path for path in map(_portion, dict.fromkeys(portions)) if path.is_dir()]
        if not paths:
            raise FileNotFoundError(faults.numbers.ENOENT, "No portion of the namespace package is there any more")
        self._path = JoinedPath(*paths) if len(paths) > 1 else paths[0]
        _register()

    def files(self) -> "Any":
        """Return the union of the portions as a traversable."""
        return self._path

    def resource_path(self, resource: str) -> str:
        """Return the path of a resource that is a real file.  Raise FileNotFoundError if it is not."""
        path = self._path.joinpath(resource)
        if isinstance(path, pathlib.Path):
            return str(path)
        raise FileNotFoundError(faults.numbers.ENOENT, "No such file outside a bundle", str(path))


def _portion(entry: str) -> "Any":
    """Return a traversable for one entry of a namespace package's path."""
    root = bundles.locate_site(entry)
    archive = bundles.sites[root] if root is not None else None
    if root is not None and archive is not None:
        return BundlePath(archive, bundles.inner_name(entry[len(root) :]))
    location = bundles.locate(entry)
    if location is not None:
        archive = bundles.open_bundle(location.bundle).archive
        if archive is not None:
            return BundlePath(archive, location.inner)
    import zipfile  # noqa: PLC0415 (importing it takes as long as reading fifty files)

    path = pathlib.Path(entry)
    for parent in path.parents:
        if parent.is_file() and zipfile.is_zipfile(parent):
            return zipfile.Path(parent, f"{path.relative_to(parent).as_posix()}/")
    return path


def _put_into(folder: str, archive: "Archive", inner: str) -> None:
    """Restore the missing or damaged files of the archive's directory *inner* in a real *folder*.

    The files are replaced one by one, because other processes use them.  Files that a program added are left alone.
    """
    directory = archive.directory(inner)
    for name in directory.names if directory is not None else ():
        path = os.path.join(folder, name.removesuffix("/"))
        below = f"{directory.prefix}{name}" if directory is not None else ""
        member = content.files.find(archive, below)
        if member is None:
            cache.folder.make_folders(path)
            _put_into(path, archive, below.removesuffix("/"))
        elif not site.native.put_file(path, archive, member):
            message = f"{path} cannot be written"
            raise OSError(message)


def _copy_into(source: "Any", target: pathlib.Path) -> None:
    if source.is_dir():
        target.mkdir()
        for child in source.iterdir():
            _copy_into(child, target / child.name)
    else:
        target.write_bytes(source.read_bytes())


@contextlib.contextmanager
def _temporary(path: "Any") -> "Iterator[pathlib.Path]":
    """Yield a temporary copy of a traversable, with the same name.  The copy is deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder, path.name)
        _copy_into(path, target)
        yield target


def as_file(path: "BundlePath | JoinedPath") -> "contextlib.AbstractContextManager[pathlib.Path]":
    """Return a context manager that yields a real file or folder with the content of *path*.

    The file is in the cache, is shared, and stays there.  If the cache cannot be written, or if several portions make
    up the folder, the context manager yields a temporary copy.

    Raises:
        OSError: there is no such file or directory.

    """
    if not path.is_dir() and not path.is_file():
        raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", repr(path))
    real = path.real_path() if isinstance(path, BundlePath) else None
    return contextlib.nullcontext(real) if real is not None else _temporary(path)


def _register() -> None:
    """Register our traversables with ``as_file`` of the standard library, and of its backport if that is loaded."""
    for module in (importlib.resources, sys.modules.get("importlib_resources")):
        function: Any = getattr(module, "as_file", None)
        for kind in (BundlePath, JoinedPath):
            # Both are generic functions (functools.singledispatch).
            if kind not in getattr(function, "registry", {kind}):
                function.register(kind, as_file)
