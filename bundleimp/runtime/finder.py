"""The path entry finder (PEP 302, PEP 420, PEP 451)."""

import _imp
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES, _path_join, path_sep  # type: ignore[attr-defined]

from . import TRACING, bundles, environ, loaders, trace
from . import archive as archives
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    from _frozen_importlib_external import _os as os  # `os` itself would live as long as this module: see `runtime`

    View = bundles.Location  # the cheapest kind of record


# In the order of FileFinder.
SUFFIXES: "list[str]" = [*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES, *BYTECODE_SUFFIXES]


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
            TypeError: *path* is not a path.

        """
        text = os.fspath(path)
        location = bundles.locate(text)
        if location is None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            message = "neither this path nor a parent of it is a file named *.pybundle"
            raise faults.kinds.NotABundleError(message, file=text)
        bundle = bundles.open_bundle(location.bundle, location.status)
        from . import content  # noqa: PLC0415 (loaded when first needed)

        content.refreshing.check(bundle)
        self._settle(bundle, location)

    def _settle(self, bundle: "bundles.OpenBundle", location: "Location") -> None:
        self._bundle = bundle
        self._inner = location.inner
        self.path = _path_join(location.bundle, *location.inner.split("/")) if location.inner else location.bundle
        self._folder = self.path + path_sep
        self._view: View | None = None

    @classmethod
    def at(cls, bundle: "bundles.OpenBundle", location: "Location") -> "BundleFinder":
        """Return a finder for *location* in *bundle*, even if the bundle is broken: then it finds no modules."""
        finder = cls.__new__(cls)
        finder._settle(bundle, location)  # noqa: SLF001 (of our own class)
        return finder

    def __repr__(self) -> str:
        return f"BundleFinder({self.path!r})"

    def _current(self) -> "View | None":
        """Return the directory in the version of the bundle that is in use now, or None if there is no bundle."""
        if self._bundle.interrupted:
            try:
                self._bundle.refresh()
                self._bundle.report()
            except ImportError:  # a part of the runtime can still not be loaded
                return None
            self._bundle.interrupted = False
        archive = self._bundle.archive
        if archive is None:
            return None
        view = self._view
        if view is None or view.archive is not archive:
            view = self._view = look_at(archive, self._inner)  # in one assignment: threads share the finder
        return view

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of module *fullname*, or None if this path entry has no such module (PEP 451).

        Only the last part of the name counts.  The spec of a namespace portion has no loader (PEP 420).

        Raises:
            BundleFormatError: the bundle's index is damaged.

        """
        view = self._view
        try:
            if view is None or view.archive is not self._bundle.archive or self._bundle.interrupted:
                view = self._current()
            spec = self._find(view, fullname, fullname.rpartition(".")[2]) if view is not None else None
            if target is not None and hasattr(spec, "settle"):
                spec.settle(spec.loader)  # type: ignore[union-attr] # a reload does not create the module again
        except ImportError as error:
            if hasattr(error, "offset"):  # a BundleFormatError
                error.name = fullname
            raise
        return spec

    def _find(self, view: View, fullname: str, tail: str) -> "ModuleSpec | None":
        if view.directory is None:
            return None
        archive, directory = view.archive, view.directory
        names = directory.names
        package = archive.directory(directory.prefix + tail) if tail + "/" in names else None
        if package is not None:
            for suffix in SUFFIXES:
                if "__init__" + suffix in package.names:
                    return self._spec(suffix, fullname, "__init__" + suffix, archive, package, tail)
        for suffix in view.suffixes:
            filename = tail + suffix
            if filename in names:
                return self._spec(suffix, fullname, filename, archive, directory)
        if package is None:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [self._folder + tail]
        if TRACING:
            trace(f"{fullname}: found portion {self._folder}{tail}")
        return spec

    def _spec(
        self,
        suffix: str,
        fullname: str,
        filename: str,
        archive: "archives.Archive",
        directory: "bundle_format.Directory | ListedDirectory",
        package: str = "",
    ) -> ModuleSpec:
        """Return the spec of a module file.

        Arguments:
            suffix: the suffix of the file's name.
            fullname: the module's name.
            filename: the name of the file.
            archive: the archive that contains the file.
            directory: the file's directory in the archive.
            package: the last part of the module's name if the module is a package.

        """
        folder = f"{self._folder}{package}{path_sep}" if package else self._folder
        path = folder + filename
        flags = directory.flags(filename)
        cached = None
        loader_class: Any = loaders.BundleLoader
        entry = b""
        if suffix in SOURCE_SUFFIXES:
            cached = loaders.bytecode_path(folder, filename[: -len(suffix)])
            if archive.column >= 0 and _imp.check_hash_based_pycs != "always":
                entry = directory.code_entry(filename, archive.column)
        elif suffix in EXTENSION_SUFFIXES:
            from . import site  # noqa: PLC0415 (loaded when first needed)

            loader_class = site.extensions.BundleExtensionLoader
        else:
            from . import plain  # noqa: PLC0415 (loaded when first needed)

            loader_class = plain.sourceless.SourcelessBundleLoader
        loader: Any
        if entry[8:12].strip(b"\0"):
            loader = loaders.EmbeddedBundleLoader(fullname, path, archive, directory, filename)
            loader.entry = entry
            loader.cached = cached
        else:
            loader = loader_class(fullname, path, archive, directory, filename)
        spec = ModuleSpec(fullname, loader, origin=path)
        spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
        spec._cached = cached  # type: ignore[attr-defined] # noqa: SLF001 (what its setter does)
        if package:
            spec.submodule_search_locations = [folder[:-1]]
        if TRACING:
            trace(f"{fullname}: found {path}")
        native = cached is None and suffix in EXTENSION_SUFFIXES
        if flags & bundle_format.LOCATED or native or not archive.indexed:
            own = native or bool(flags & bundle_format.FLAG_REAL)
            self._locate(spec, archive, directory.prefix + filename, own=own)
        return spec

    def _locate(self, spec: ModuleSpec, archive: "archives.Archive", member: str, *, own: bool) -> None:
        """Give the module *spec* the real location of *member*.  *own*: the module itself reads its location."""
        from . import site  # noqa: PLC0415 (loaded when first needed)

        site.located.locate(spec, archive, member, own=own)

    def invalidate_caches(self) -> None:
        """Check the file again.  If it was replaced, the next import uses only the new version.

        If the new version is not sound, the finder issues one `BundleWarning` and finds no modules.
        """
        self._bundle.refresh()
        self._bundle.report()

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Yield the name of each module of this path entry, with *prefix*, and whether it is a package (`pkgutil`)."""
        view = self._current()
        if view is None or view.directory is None:
            return iter(())
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.modules.modules(view.archive, view.directory, SUFFIXES, prefix)

    def discover(self, parent: "ModuleSpec | None" = None) -> "Iterator[ModuleSpec]":
        """Yield the spec of each module of this path entry (Python 3.15).

        Arguments:
            parent: the spec of the package whose path entry this is, or None at the top level.

        Raises:
            ValueError: *parent* is not a package.

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
            OSError: the bundle has no such file.
            BundleFormatError: the file is damaged.

        """
        archive = self._bundle.archive
        if archive is None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            raise FileNotFoundError(faults.numbers.ENOENT, "No such file in the bundle", path)
        from . import content  # noqa: PLC0415 (loaded when first needed)

        return content.files.read_at(archive, path)


def look_at(archive: "archives.Archive", inner: str) -> View:
    """Return the view of a finder for the directory *inner* of an *archive*."""
    directory = archive.directory(inner)
    return View(
        archive=archive,
        directory=directory,
        suffixes=[suffix for suffix in SUFFIXES if directory is not None and directory.may_have(suffix)],
    )


if environ("BUNDLEIMP_ALLOWED_SIGNERS"):
    from . import sources

    sources.requiring.require_signers(environ("BUNDLEIMP_ALLOWED_SIGNERS"))
