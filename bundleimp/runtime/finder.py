"""The path entry finder (PEP 302, PEP 420, PEP 451)."""

import _imp
import os
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES

from .archive import code_tag
from .bundles import locate, open_bundle
from .errors import TRACING, BundleFormatError, NotABundleError, trace, warn
from .loaders import (
    BundleExtensionLoader,
    BundleLoader,
    EmbeddedBundleLoader,
    SourcelessBundleLoader,
    bytecode_path,
    member_at,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from .archive import Archive
    from .bundles import Location, OpenBundle
    from .format import Directory
    from .loaders import _BundleLoaderBasics
    from .zipdirectory import ListedDirectory


class _Kind:
    """A kind of module file: what its name ends in, and who loads it."""

    __slots__ = ("loader", "suffix")

    def __init__(self, suffix: str, loader: "type[_BundleLoaderBasics]") -> None:
        self.suffix = suffix
        self.loader = loader


# The order is that of FileFinder.
_KINDS = [
    *(_Kind(suffix, BundleExtensionLoader) for suffix in EXTENSION_SUFFIXES),
    *(_Kind(suffix, BundleLoader) for suffix in SOURCE_SUFFIXES),
    *(_Kind(suffix, SourcelessBundleLoader) for suffix in BYTECODE_SUFFIXES),
]
_LONGEST_FIRST = sorted((kind.suffix for kind in _KINDS), key=len, reverse=True)
_TAG = code_tag()


def report(bundle: "OpenBundle") -> None:
    """Issue a `BundleWarning` where *bundle* is not sound, once for each version of the file."""
    if bundle.fault is not None and not bundle.reported:
        bundle.reported = True
        warn(str(bundle.fault))


class BundleFinder:
    """Path entry finder for one directory of a bundle.

    Attributes:
        path: the path entry, made absolute.

    """

    __slots__ = ("_archive", "_bundle", "_directory", "_folder", "_inner", "path")

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        """Make a finder for *path*: a bundle, or a directory in one (``out.pybundle/pkg``).

        Raises:
            NotABundleError: neither *path* nor a parent of it is a zip archive named ``*.pybundle``.
            BundleFormatError: the bundle is damaged.
            TypeError: *path* is no path.

        """
        text = os.fspath(path)
        location = locate(text)
        if location is None:
            message = "neither this path nor a parent of it is a file named *.pybundle"
            raise NotABundleError(message, file=text)
        self._settle(location)
        self._bundle.check()

    def _settle(self, location: "Location") -> None:
        self._bundle = open_bundle(location.bundle)
        self._inner = location.inner
        self.path = os.path.join(location.bundle, *location.inner.split("/")) if location.inner else location.bundle
        self._folder = self.path + os.sep
        self._archive: Archive | None = None
        self._directory: Directory | ListedDirectory | None = None

    @classmethod
    def at(cls, location: "Location") -> "BundleFinder":
        """Return a finder for *location*, whatever is there: a broken bundle has no modules."""
        finder = cls.__new__(cls)
        finder._settle(location)  # noqa: SLF001 (of our own class)
        return finder

    def __repr__(self) -> str:
        return f"BundleFinder({self.path!r})"

    def _current(self) -> "Directory | ListedDirectory | None":
        """Return the directory in the version of the bundle that is in use now."""
        archive = self._bundle.archive
        if archive is not self._archive or archive is None:
            self._directory = archive.directory(self._inner) if archive is not None else None
            self._archive = archive
        return self._directory

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":  # noqa: ARG002
        """Return the spec of module *fullname*, or None where this path entry has no such module (PEP 451).

        Only the last part of the name counts.  The spec of a namespace portion has no loader (PEP 420).

        Raises:
            BundleFormatError: the bundle's index is damaged.

        """
        try:
            return self._find(fullname, fullname.rpartition(".")[2])
        except BundleFormatError as error:
            error.name = fullname
            raise

    def _find(self, fullname: str, tail: str) -> "ModuleSpec | None":
        directory = self._current()
        if directory is None:
            return None
        names = directory.names
        package = None
        if tail + "/" in names and self._archive is not None:
            package = self._archive.directory(directory.prefix + tail)
            for kind in _KINDS:
                if package is not None and "__init__" + kind.suffix in package.names:
                    folder = self._folder + tail
                    return self._spec(kind, fullname, folder + os.sep, "__init__" + kind.suffix, package, folder)
        for kind in _KINDS:
            if tail + kind.suffix in names:
                return self._spec(kind, fullname, self._folder, tail + kind.suffix, directory, None)
        if package is None:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [self._folder + tail]
        if TRACING:
            trace(f"{fullname}: found portion {self._folder}{tail}")
        return spec

    def _spec(
        self,
        kind: "_Kind",
        fullname: str,
        folder: str,
        filename: str,
        directory: "Directory | ListedDirectory",
        search: "str | None",
    ) -> "ModuleSpec":
        assert self._archive is not None  # noqa: S101 (for the type checker: `_current` gave a directory)
        path = folder + filename
        loader: Any
        cached = None
        if kind.loader is BundleLoader:
            code = self._archive.code(directory, filename)
            embedded = code is not None and _imp.check_hash_based_pycs != "always"
            loader_class = EmbeddedBundleLoader if embedded else BundleLoader
            loader = loader_class(fullname, path, self._archive, directory, filename, code)
            cached = bytecode_path(folder, filename, _TAG)
        else:
            loader = kind.loader(fullname, path, self._archive, directory, filename)
        spec = ModuleSpec(fullname, loader, origin=path)
        spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
        if cached is not None:
            spec.cached = cached
        if search is not None:
            spec.submodule_search_locations = [search]
        if TRACING:
            trace(f"{fullname}: found {path}")
        return spec

    def invalidate_caches(self) -> None:
        """Look at the file again: if it was replaced, the next import sees the new version whole.

        A new version that is not sound is one `BundleWarning`; the path entry is empty then.
        """
        self._bundle.refresh()
        report(self._bundle)

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Yield the name of each module of this path entry, with *prefix*, and whether it is a package (`pkgutil`)."""
        directory = self._current()
        seen = set()
        for entry in sorted(
            directory.names if directory is not None else (), key=lambda entry: entry.removesuffix("/")
        ):
            if entry.endswith("/"):
                name = entry[:-1]
                is_package = self._is_package(directory, name)
            else:
                name = next((entry.removesuffix(end) for end in _LONGEST_FIRST if entry.endswith(end)), "")
                is_package = False
            usable = name and name != "__init__" and "." not in name and name not in seen
            if usable and (is_package or not entry.endswith("/")):
                seen.add(name)
                yield prefix + name, is_package

    def _is_package(self, directory: "Directory | ListedDirectory | None", name: str) -> bool:
        if directory is None or self._archive is None:
            return False
        package = self._archive.directory(directory.prefix + name)
        return package is not None and any("__init__" + kind.suffix in package.names for kind in _KINDS)

    def discover(self, parent: "ModuleSpec | None" = None) -> "Iterator[ModuleSpec]":
        """Yield the spec of each module of this path entry (Python 3.15).

        Arguments:
            parent: the spec of the package whose path entry this is, or None at the top level.

        Raises:
            ValueError: *parent* is no package.

        """
        if parent is not None and parent.submodule_search_locations is None:
            message = f"{parent.name} is no package"
            raise ValueError(message)
        prefix = f"{parent.name}." if parent is not None else ""
        for name, _ in self.iter_modules(prefix):
            spec = self.find_spec(name)
            if spec is not None:
                yield spec

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*: absolute and under the bundle, or relative to it.

        Raises:
            OSError: there is no such file in the bundle.
            BundleFormatError: it is damaged.

        """
        self._current()
        if self._archive is None:
            raise FileNotFoundError(2, "No such file in the bundle", path)
        return self._archive.read(member_at(self._archive, path))
