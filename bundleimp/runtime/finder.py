"""The path entry finder (PEP 302, PEP 420, PEP 451)."""

import _imp
import os
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES

from . import bundles, errors, loaders
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from .archive import Archive
    from .bundles import Location, OpenBundle
    from .format import Directory
    from .plain.zipdirectory import ListedDirectory


class Kind:
    """A kind of module file: what its name ends in, and the room of its loader; "" for source, loaded by `loaders`."""

    __slots__ = ("init", "room", "suffix")

    def __init__(self, suffix: str, room: str) -> None:
        self.suffix = suffix
        self.init = "__init__" + suffix
        self.room = room


# The order is that of FileFinder.
KINDS = [
    *(Kind(suffix, "site") for suffix in EXTENSION_SUFFIXES),
    *(Kind(suffix, "") for suffix in SOURCE_SUFFIXES),
    *(Kind(suffix, "plain") for suffix in BYTECODE_SUFFIXES),
]


class View:
    """The finder's directory in one version of the bundle, or None.  Exchanged as a whole: threads share the finder.

    Attributes:
        archive: that version.
        directory: the directory.
        kinds: the kinds of module files that may be in it.

    """

    __slots__ = ("archive", "directory", "kinds")

    def __init__(self, archive: "Archive", directory: "Directory | ListedDirectory | None") -> None:
        self.archive = archive
        self.directory = directory
        self.kinds = [kind for kind in KINDS if directory is not None and directory.may_have(kind.suffix)]


class BundleFinder:
    """Path entry finder for one directory of a bundle.

    Attributes:
        path: the path entry, made absolute.

    """

    __slots__ = ("_bundle", "_folder", "_inner", "_view", "path")

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        """Make a finder for *path*: a bundle, or a directory in one (``out.pybundle/pkg``).

        Raises:
            NotABundleError: neither *path* nor a parent of it is a zip archive named ``*.pybundle``.
            BundleFormatError: the bundle is damaged.
            TypeError: *path* is no path.

        """
        text = os.fspath(path)
        location = bundles.locate(text)
        if location is None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            message = "neither this path nor a parent of it is a file named *.pybundle"
            raise faults.kinds.NotABundleError(message, file=text)
        bundle = bundles.open_bundle(location.bundle, location.status)
        bundle.check()
        self._settle(bundle, location)

    def _settle(self, bundle: "OpenBundle", location: "Location") -> None:
        self._bundle = bundle
        self._inner = location.inner
        self.path = os.path.join(location.bundle, *location.inner.split("/")) if location.inner else location.bundle
        self._folder = self.path + os.sep
        self._view: View | None = None

    @classmethod
    def at(cls, bundle: "OpenBundle", location: "Location") -> "BundleFinder":
        """Return a finder for *location* in *bundle*, whatever is there: a broken bundle has no modules."""
        finder = cls.__new__(cls)
        finder._settle(bundle, location)  # noqa: SLF001 (of our own class)
        return finder

    def __repr__(self) -> str:
        return f"BundleFinder({self.path!r})"

    def _current(self) -> "View | None":
        """Return the directory in the version of the bundle that is in use now; None where there is no bundle."""
        archive = self._bundle.archive
        if archive is None:
            return None
        view = self._view
        if view is None or view.archive is not archive:
            view = self._view = View(archive, archive.directory(self._inner))
        return view

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of module *fullname*, or None where this path entry has no such module (PEP 451).

        Only the last part of the name counts.  The spec of a namespace portion has no loader (PEP 420).

        Raises:
            BundleFormatError: the bundle's index is damaged.

        """
        try:
            spec = self._find(fullname, fullname.rpartition(".")[2])
            if target is not None and hasattr(spec, "settle"):
                spec.settle(spec.loader)  # type: ignore[union-attr] # what is loaded again is not created again
        except errors.BundleFormatError as error:
            error.name = fullname
            raise
        return spec

    def _find(self, fullname: str, tail: str) -> "ModuleSpec | None":
        view = self._current()
        if view is None or view.directory is None:
            return None
        archive, directory = view.archive, view.directory
        names = directory.names
        package = archive.directory(directory.prefix + tail) if tail + "/" in names else None
        if package is not None:
            for kind in KINDS:
                if kind.init in package.names:
                    return self._spec(kind, fullname, kind.init, archive, package, tail)
        for kind in view.kinds:
            filename = tail + kind.suffix
            if filename in names:
                return self._spec(kind, fullname, filename, archive, directory)
        if package is None:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [self._folder + tail]
        if errors.TRACING:
            errors.trace(f"{fullname}: found portion {self._folder}{tail}")
        return spec

    def _spec(
        self,
        kind: Kind,
        fullname: str,
        filename: str,
        archive: "Archive",
        directory: "Directory | ListedDirectory",
        package: str = "",
    ) -> ModuleSpec:
        """Return the spec of a module file.

        Arguments:
            kind: what it is.
            fullname: the module's name.
            filename: that of its file.
            archive: where it is in.
            directory: the folder, in the archive.
            package: the last part of the name where the module is a package.

        """
        folder = f"{self._folder}{package}{os.sep}" if package else self._folder
        path = folder + filename
        flags = archive.flags(directory, filename)
        if kind.room:
            loader = _special_loader(kind)(fullname, path, archive, directory, filename)
            cached = None
        else:
            embedded = flags & bundle_format.EMBEDDED and _imp.check_hash_based_pycs != "always"
            loader_class = loaders.EmbeddedBundleLoader if embedded else loaders.BundleLoader
            loader = loader_class(fullname, path, archive, directory, filename)
            cached = loaders.bytecode_folder(folder)
            if cached is not None:
                cached += filename[: -len(kind.suffix)] + loaders.BYTECODE_END
        spec = ModuleSpec(fullname, loader, origin=path)
        spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
        spec._cached = cached  # type: ignore[attr-defined] # noqa: SLF001 (what its setter does)
        if package:
            spec.submodule_search_locations = [folder[:-1]]
        if errors.TRACING:
            errors.trace(f"{fullname}: found {path}")
        if flags & bundle_format.LOCATED or kind.room == "site" or not archive.indexed:
            own = kind.room == "site" or bool(flags & bundle_format.FLAG_REAL)
            self._locate(spec, archive, directory.prefix + filename, own=own)
        return spec

    def _locate(self, spec: ModuleSpec, archive: "Archive", member: str, *, own: bool) -> None:
        """See to it that the module *spec*, of *member*, has a real location; *own* where it asks for that itself."""
        from . import site  # noqa: PLC0415 (loaded when first needed)

        site.located.locate(spec, archive, member, own=own)

    def invalidate_caches(self) -> None:
        """Look at the file again: if it was replaced, the next import sees the new version whole.

        A new version that is not sound is one `BundleWarning`; the path entry is empty then.
        """
        self._bundle.refresh()
        self._bundle.report()

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Yield the name of each module of this path entry, with *prefix*, and whether it is a package (`pkgutil`)."""
        view = self._current()
        if view is None or view.directory is None:
            return
        longest_first = sorted((kind.suffix for kind in KINDS), key=len, reverse=True)
        seen = set()
        for entry in sorted(view.directory.names, key=lambda entry: entry.removesuffix("/")):
            if entry.endswith("/"):
                name = entry[:-1]
                package = view.archive.directory(view.directory.prefix + name)
                is_package = package is not None and any(kind.init in package.names for kind in KINDS)
            else:
                name = next((entry.removesuffix(end) for end in longest_first if entry.endswith(end)), "")
                is_package = False
            usable = name and name != "__init__" and "." not in name and name not in seen
            if usable and (is_package or not entry.endswith("/")):
                seen.add(name)
                yield prefix + name, is_package

    def discover(self, parent: "ModuleSpec | None" = None) -> "Iterator[ModuleSpec]":
        """Yield the spec of each module of this path entry (Python 3.15).

        Arguments:
            parent: the spec of the package whose path entry this is, or None at the top level.

        Raises:
            ValueError: *parent* is no package.

        """
        if parent is not None and parent.submodule_search_locations is None:
            message = f"{parent.name} is not a package"
            raise ValueError(message)
        prefix = f"{parent.name}." if parent is not None else ""
        for name, _ in self.iter_modules(prefix):
            spec = self.find_spec(name)
            if spec is not None:
                yield spec

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*: absolute and under the bundle or a mirror, or relative to the bundle.

        Raises:
            OSError: there is no such file in the bundle.
            BundleFormatError: it is damaged.

        """
        archive = self._bundle.archive
        if archive is None:
            raise FileNotFoundError(errors.ENOENT, "No such file in the bundle", path)
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.files.read_at(archive, path)  # type: ignore[no-any-return]


def _special_loader(kind: Kind) -> "Any":
    """Return the class of the loader for a *kind* of module file that is no source."""
    if kind.room == "site":
        from . import site  # noqa: PLC0415 (loaded when first needed)

        return site.extensions.BundleExtensionLoader
    from . import plain  # noqa: PLC0415 (loaded when first needed)

    return plain.sourceless.SourcelessBundleLoader
