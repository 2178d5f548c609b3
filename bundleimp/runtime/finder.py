"""The path entry finder (PEP 302, PEP 420, PEP 451)."""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import _imp

from . import TRACING, Record, bundles, environ, loaders, this, trace
from . import archive as archives
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    View = Record


# In the order of FileFinder.
SUFFIXES: "list[str]" = [*external.EXTENSION_SUFFIXES, *external.SOURCE_SUFFIXES, *external.BYTECODE_SUFFIXES]


class BundleFinder:
    """Path entry finder for one directory of a bundle.

    Attributes:
        path: the path entry, made absolute.

    """

    __slots__ = ("_bundle", "_folder", "_inner", "_view", "path")

    def __init__(
        self, path: "str | os.PathLike[str]", found: "tuple[bundles.OpenBundle, Location] | None" = None
    ) -> None:
        """Make a finder for *path*: a bundle, or a directory in one (``out.pybundle/pkg``).

        Arguments:
            path: the path.
            found: the bundle, which may be broken, and the location in it, if they are known.

        Raises:
            NotABundleError: neither *path* nor a parent of it is a zip archive named ``*.pybundle``.
            BundleFormatError: the bundle is damaged.
            TypeError: *path* is not a path.

        """
        if found is None:
            from . import content  # noqa: PLC0415 (loaded when first needed)

            found = content.files.sound_bundle_at(path)
        self._bundle, location = found
        self._inner = location.inner
        self.path = location.bundle
        if location.inner:
            self.path = external._path_join(self.path, *location.inner.split("/"))  # type: ignore[attr-defined]
        self._folder = self.path + external.path_sep
        self._view: View | None = None

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
            ModuleNotFoundError: the bundle cannot be used, and no other finder has the module that is being imported.

        """
        view = self._view
        try:
            if view is None or view.archive is not self._bundle.archive or self._bundle.interrupted:
                view = self._current()
            spec = self._find(view, fullname, fullname.rpartition(".")[2]) if view is not None else None
            if TRACING and spec is None:
                trace("missing", name=fullname, path=self.path)
            if view is None:
                if self._bundle.fault is not None:
                    from . import interpreter  # noqa: PLC0415 (loaded when first needed)

                    return interpreter.reasons.find_elsewhere(fullname, self._bundle.fault)
            # A submodule, or a module beside extension modules, which may be there for other Pythons.
            elif (
                (spec is None or spec.loader is None)
                and ("." in fullname or (view.suffixes and view.suffixes[0][:3] != ".py"))
                and view.directory is not None
                and view.directory.may_have(f"\0{fullname.rpartition('.')[2]}.")
            ):
                from . import interpreter  # noqa: PLC0415 (loaded when first needed)

                spec = interpreter.foreign.find_missing(fullname, view.archive, view.directory) or spec
            if target is not None and hasattr(spec, "settle"):
                spec.settle()  # type: ignore[union-attr] # a reload does not create the module again
        except ImportError as error:
            if hasattr(error, "offset"):  # a BundleFormatError
                error.name = fullname
            raise
        return spec

    def _find(self, view: View, fullname: str, tail: str) -> "ModuleSpec | None":
        if view.directory is None:
            return this.data.modules.script(BundleFinder, self._bundle, self._inner) if fullname == "__main__" else None
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
        portion = None
        if not archive.indexed or directory.flags(tail + "/"):
            from . import site  # noqa: PLC0415 (loaded when first needed)

            portion = site.placing.portion(archive, directory.prefix + tail)
        spec = bootstrap.ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [portion or self._folder + tail]
        if TRACING:
            trace("portion", name=fullname, path=portion or self._folder + tail)
        return spec

    def _spec(
        self,
        suffix: str,
        fullname: str,
        filename: str,
        archive: "archives.Archive",
        directory: "bundle_format.Directory | ListedDirectory",
        package: str = "",
    ) -> "ModuleSpec":
        """Return the spec of a module file.

        Arguments:
            suffix: the suffix of the file's name.
            fullname: the module's name.
            filename: the name of the file.
            archive: the archive that contains the file.
            directory: the file's directory in the archive.
            package: the last part of the module's name if the module is a package.

        """
        folder = f"{self._folder}{package}{external.path_sep}" if package else self._folder
        path = folder + filename
        flags = directory.flags(filename)
        cached = None
        entry = b""
        if suffix in external.SOURCE_SUFFIXES:
            cached = archives.bytecode_path(folder, filename[: -len(suffix)])
            if archive.column >= 0 and _imp.check_hash_based_pycs != "always":
                entry = directory.code_entry(filename, archive.column)
        if entry[8:12].strip(b"\0"):
            loader: Any = loaders.BundleLoader(fullname, path, archive, directory, filename, entry, cached)
        else:
            loader = _other_loader(suffix)(fullname, path, archive, directory, filename)
        spec = bootstrap.ModuleSpec(fullname, loader, origin=path)
        spec._set_fileattr = True  # type: ignore[attr-defined] # as spec_from_file_location does
        spec._cached = cached  # type: ignore[attr-defined] # noqa: SLF001 (what its setter does)
        if package:
            spec.submodule_search_locations = [folder[:-1]]
        if TRACING:
            trace("found", name=fullname, path=path, loader=loader)
        native = cached is None and suffix in external.EXTENSION_SUFFIXES
        if flags or native or not archive.indexed:
            from . import site  # noqa: PLC0415 (loaded when first needed)

            site.placing.place_later(spec, archive, directory.prefix + filename, flags)
        return spec

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
        """Yield the spec of each module of this path entry (Python 3.15); see `data.modules.discover`."""
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.modules.discover(self, parent)

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*: absolute and under the bundle or its site, or relative to the bundle.

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
    suffixes = [*filter(directory.may_have, SUFFIXES)] if directory is not None else []
    return View(archive=archive, directory=directory, suffixes=suffixes)


def _other_loader(suffix: str) -> "Any":
    """Return the class of loaders for modules without embedded bytecode, whose files have this *suffix*."""
    if suffix in external.SOURCE_SUFFIXES:
        from . import cache  # noqa: PLC0415 (loaded when first needed)

        return cache.loader.SourceBundleLoader
    if suffix in external.EXTENSION_SUFFIXES:
        from . import site  # noqa: PLC0415 (loaded when first needed)

        return site.extensions.BundleExtensionLoader
    from . import plain  # noqa: PLC0415 (loaded when first needed)

    return plain.sourceless.SourcelessBundleLoader


if environ("BUNDLEIMP_ALLOWED_SIGNERS"):
    from . import sources

    sources.requiring.require_signers(environ("BUNDLEIMP_ALLOWED_SIGNERS"))
