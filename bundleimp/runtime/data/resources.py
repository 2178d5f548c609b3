"""Data files: traversables for a bundle's directories, and resource readers (``importlib.resources``).

This module is loaded when a resource is first requested.  It imports only modules that ``importlib.resources`` imports,
too, because a bundle may have modules of all other names.  A namespace package's files are the union of its portions.
Each portion may be a directory, a bundle or a zip.
"""

import contextlib
import importlib.resources
import pathlib
import sys
import tempfile
from importlib.resources.abc import TraversableResources

from .. import faults, site
from . import paths, walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..archive import Archive


class JoinedPath(walking.Walkable):
    """A directory of a namespace package: the union of the directories with that name in its portions.

    Attributes:
        portions: those directories, of several kinds.
        parent: the directory that contains this one.

    """

    __slots__ = ("parent", "portions")

    def __init__(self, *portions: "Any", parent: "Any" = None) -> None:
        self.portions = portions
        self.parent = parent if parent is not None else portions[0].parent

    def __repr__(self) -> str:
        return f"JoinedPath({', '.join(map(repr, self.portions))})"

    def __str__(self) -> str:
        return str(self.portions[0])

    @property
    def _pure(self) -> pathlib.PurePath:  # type: ignore[override]
        return pathlib.PurePath(getattr(self.portions[0], "filename", self.portions[0]))

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._pure.name

    @property
    def filename(self) -> pathlib.Path:
        """The path of the first portion (as in `zipfile.Path`)."""
        return pathlib.Path(self._pure)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> "os.stat_result":  # noqa: ARG002, D102
        return self.portions[0].stat()  # type: ignore[no-any-return]

    def iterdir(self) -> "Iterator[Any]":
        """Yield the entries of all the directories.  If files have the same name, the first portion's counts."""
        names: dict[str, None] = {}
        for path in self.portions:
            names |= dict.fromkeys(child.name for child in path.iterdir())
        return map(self.joinpath, names)

    def joinpath(self, *descendants: "str | os.PathLike[str]") -> "Any":
        """Return the path below this one.  Each argument may have several parts, separated by slashes."""
        parts = [part for text in descendants for part in str(text).split("/") if part not in {"", "."}]
        if not parts:
            return self
        if parts[0] == "..":
            return self.parent.joinpath(*parts[1:])
        found = [path.joinpath(parts[0]) for path in self.portions]
        folders = [path for path in found if path.is_dir()]
        first = next((path for path in found if path.is_file() or path.is_dir()), found[0])
        child = JoinedPath(*folders, parent=self) if len(folders) > 1 and first.is_dir() else first
        return child.joinpath(*parts[1:]) if parts[1:] else child

    def samefile(self, other: "Any") -> bool:
        """Return whether *other* is the same directory as a portion.  Raise FileNotFoundError if it is missing."""
        return self == other or any(portion.samefile(other) for portion in self.portions)

    def relative_to(self, other: "Any", *parts: str, **options: bool) -> pathlib.PurePath:
        """Return the path relative to *other*, which may be another union.

        Raises:
            ValueError: the path is not below *other*.

        """
        return paths.relative(self.portions[0], other, *parts, **options)

    is_relative_to = paths.BundlePath.is_relative_to

    def read_bytes(self, *args: "Any", **kwargs: "Any") -> "Any":  # noqa: ARG002 (of several methods)
        """Raise IsADirectoryError: this is not a file."""
        raise IsADirectoryError(faults.numbers.EISDIR, "Is a directory", repr(self))

    read_text = open = read_bytes


class PortionPath(type(pathlib.Path())):  # type: ignore[misc]
    """A real path in a portion of a namespace package.  It knows that a union contains it."""

    __slots__ = ()

    def relative_to(self, other: "Any", *parts: str, **options: bool) -> pathlib.PurePath:
        """Return the path relative to *other*, which may be a union.  Raise ValueError if it is not below that."""
        return paths.relative(pathlib.Path(self), other, *parts, **options)

    is_relative_to = paths.BundlePath.is_relative_to


class BundleReader(TraversableResources):
    """Resource reader of one directory of a bundle."""

    def __init__(self, archive: "Archive", inner: str) -> None:
        self._path = paths.BundlePath(archive, inner)
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
    path = paths.portion_at(entry)
    return PortionPath(path) if isinstance(path, pathlib.Path) else path


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


def as_file(path: "paths.BundlePath | JoinedPath") -> "contextlib.AbstractContextManager[pathlib.Path]":
    """Return a context manager that yields a real file or folder with the content of *path*.

    The file is in the cache, is shared, and stays there.  If the cache cannot be written, or if several portions make
    up the folder, the context manager yields a temporary copy.

    Raises:
        OSError: there is no such file or directory.

    """
    if not path.is_dir() and not path.is_file():
        raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", repr(path))
    real = path.real_path() if isinstance(path, paths.BundlePath) else None
    return contextlib.nullcontext(real) if real is not None else _temporary(path)


def _register() -> None:
    """Register our traversables with ``as_file`` of the standard library, and of its backport if that is loaded."""
    for module in (importlib.resources, sys.modules.get("importlib_resources")):
        function: Any = getattr(module, "as_file", None)
        for kind in (paths.BundlePath, JoinedPath):
            # Both are generic functions (functools.singledispatch).
            if kind not in getattr(function, "registry", {kind}):
                function.register(kind, as_file)
