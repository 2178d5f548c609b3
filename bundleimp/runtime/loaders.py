"""The loaders: source, sourceless and extension modules.

`BundleLoader` is a `SourceLoader` (PEP 302, 451) in full: the inherited ``get_code`` gives the right code through
``path_stats``, ``get_data`` and ``set_data``.  Where bytecode is embedded, `EmbeddedBundleLoader` does the same faster.

No method here stands on the stack while a module's code runs, so tracebacks look as they do for installed modules.
"""

import _imp
import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER, ExtensionFileLoader, SourceLoader, _LoaderBasics, cache_from_source

from .archive import audit_open, code_tag
from .bundles import inner_name, locate_mirrored, member_named, read_named
from .errors import ENOENT, BundleFormatError
from .format import local_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from importlib.resources.abc import TraversableResources
    from types import CodeType, ModuleType
    from typing import Any

    from .archive import Archive
    from .format import Directory
    from .zipdirectory import ListedDirectory

_HEADER = 16
_BYTECODE_END = f".{code_tag()}.pyc"


def bytecode_path(folder: str, filename: str) -> "str | None":
    """Return what `cache_from_source` gives, at a tenth of the cost; None where only that knows it.

    Arguments:
        folder: the folder of the source, with a separator at its end.
        filename: the source's name in there.

    """
    if sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        return None
    return f"{folder}__pycache__{os.sep}{filename.rpartition('.')[0]}{_BYTECODE_END}"


def name_at(archive: "Archive", path: str) -> str:
    """Return the name of the member that *path* means: absolute and under the bundle or a mirror, or relative to it.

    Raises:
        FileNotFoundError: it is elsewhere.
        TypeError: *path* is no path.

    """
    path = os.fspath(path)
    place = archive.path if path.startswith(archive.path + os.sep) else locate_mirrored(path)
    if place is None and os.path.isabs(path):
        raise FileNotFoundError(ENOENT, "No such file in the bundle", path)
    return inner_name(path[len(place or "") :])


def read_at(archive: "Archive", path: str) -> bytes:
    """Return the content of the file that *path* means, as of `name_at`; audit hooks are told of it.

    Raises:
        OSError: there is none, or it is a directory (IsADirectoryError).
        TypeError: *path* is no path.
        BundleFormatError: it is damaged.

    """
    return read_named(archive, name_at(archive, path), os.path.join(archive.path, path))


def _unmarshalled(image: bytes, loader: "_BundleLoaderBasics", co_filename: str) -> "CodeType":
    """Return the code object of a pyc *image*, with *co_filename* as its file name."""
    try:
        code = marshal.loads(memoryview(image)[_HEADER:])  # noqa: S302 (it is code, and will be run)
        _imp._fix_co_filename(code, co_filename)  # type: ignore[attr-defined] # noqa: SLF001 (what the standard library's loaders do)
    except (EOFError, ValueError, TypeError) as error:
        message = f"holds no code object: {error}"
        raise BundleFormatError(message, file=loader.path, name=loader.name) from None
    return code  # type: ignore[no-any-return]


class _BundleLoaderBasics(_LoaderBasics):
    """What the loaders have in common.

    Attributes:
        name: the module's name.
        path: its ``__file__``.
        archive: the version of the bundle that it comes from.

    """

    def __init__(
        self, name: str, path: str, archive: "Archive", directory: "Directory | ListedDirectory", filename: str
    ) -> None:
        self.name = name
        self.path = path
        self.archive = archive
        self._directory = directory
        self._filename = filename

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.path!r})"

    def __eq__(self, other: object) -> bool:
        return self.__class__ == other.__class__ and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(self.name) ^ hash(self.path)

    def get_filename(self, fullname: "str | None" = None) -> str:
        """Return the module's ``__file__``; ImportError for the name of another module (PEP 302)."""
        if fullname is not None and fullname != self.name:
            message = f"loader for {self.name} cannot handle {fullname}"
            raise ImportError(message, name=fullname)
        return self.path

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path* (PEP 302): absolute and under the bundle or a mirror, or relative.

        Raises:
            OSError: there is no such file in the bundle.
            BundleFormatError: it is damaged.

        """
        try:
            return read_at(self.archive, path)
        except BundleFormatError as error:
            error.name = self.name
            raise

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """Return the module that the *spec* asks for, or None for an ordinary one (PEP 451)."""
        make_module = getattr(spec, "make_module", None)
        return make_module(self) if make_module is not None else None

    def get_resource_reader(self, fullname: str) -> "TraversableResources | None":
        """Return a resource reader for the folder that holds the module (``importlib.resources``)."""
        if fullname != self.name:
            return None
        if locate_mirrored(self.path) is not None:
            from importlib.readers import FileReader  # noqa: PLC0415 (loaded when first asked for)

            return FileReader(self)  # type: ignore[arg-type]
        from .resources import BundleReader  # noqa: PLC0415 (loaded when first asked for)

        return BundleReader(self.archive, self._directory.prefix.removesuffix("/"))


class BundleLoader(_BundleLoaderBasics, SourceLoader):
    """Loader of source modules in a bundle (PEP 302, PEP 451; `importlib.abc.SourceLoader`).

    ``get_code`` is inherited: the tracebacks of what it compiles then show no frame but the program's.
    """

    def path_stats(self, path: str) -> "dict[str, int]":
        """Return modification time (seconds since the epoch) and size (bytes) of the source file at *path*.

        Raises:
            OSError: there is no such file in the bundle.

        """
        member = member_named(self.archive, name_at(self.archive, path), path)
        return {"mtime": local_seconds(member.stamp), "size": member.size}

    def _bytecode_path(self) -> "str | None":
        """Return the path of the module's bytecode (PEP 3147); None where this interpreter has none."""
        try:
            return bytecode_path(self.path.removesuffix(self._filename), self._filename) or cache_from_source(self.path)
        except NotImplementedError:
            return None

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*, or the module's pyc image where *path* is its bytecode's.

        Raises:
            OSError: there is no such file in the bundle, or no such bytecode in bundle and cache.
            BundleFormatError: it is damaged.

        """
        path = os.fspath(path)
        if path == self._bytecode_path():
            audit_open(path)
            image = self.archive.image(self._directory, self._filename)
            if image is not None:
                return image
            from . import codecache  # noqa: PLC0415 (loaded when first needed)

            source = self._directory.member(self._filename)
            image = codecache.beside(self.archive, self._directory, source)
            if image is None:
                image = codecache.load(self.archive, source, path)
            if image is None:
                raise FileNotFoundError(ENOENT, "No bytecode in the bundle or the cache", path)
            return image
        return super().get_data(path)

    def set_data(self, path: str, data: bytes) -> None:
        """Write the module's bytecode to the user's cache; *path* names it.  Nothing else can be written."""
        if path == self._bytecode_path():
            from . import codecache  # noqa: PLC0415 (loaded when first needed)

            codecache.store(self.archive, self._directory.member(self._filename), path, data)


class EmbeddedBundleLoader(BundleLoader):
    """Loader of source modules whose bytecode is embedded: the same code as `BundleLoader` gives, sooner."""

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object.

        Raises:
            BundleFormatError: its bytecode in the bundle is damaged.

        """
        path = self.get_filename(fullname)
        try:
            audit_open(self._bytecode_path() or path)
        except OSError:  # an audit hook's: as with any bytecode that cannot be read, the source is compiled
            name: Any = (fullname,) if sys.version_info >= (3, 15) else ()
            return self.source_to_code(self.get_data(path), path, *name)
        try:
            image = self.archive.image(self._directory, self._filename)
        except BundleFormatError as error:
            error.name = fullname
            raise
        return _unmarshalled(image or b"", self, path)


class SourcelessBundleLoader(_BundleLoaderBasics):
    """Loader of modules that come as bytecode alone."""

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object.

        Raises:
            ImportError: the bytecode is for another Python.
            BundleFormatError: it is damaged.

        """
        path = self.get_filename(fullname)
        image = self.get_data(path)
        if image[:4] != MAGIC_NUMBER or len(image) < _HEADER:
            message = f"bad magic number in {fullname!r}: {image[:4]!r}; {path} was compiled by another Python"
            raise ImportError(message, name=fullname, path=path)
        return _unmarshalled(image, self, path[:-1])

    def get_source(self, fullname: str) -> None:
        """Return None: there is no source (PEP 302)."""
        self.get_filename(fullname)


class BundleExtensionLoader(_BundleLoaderBasics):
    """Loader of extension modules: from the mirror of their distribution, else from memory."""

    def create_module(self, spec: "Any") -> "ModuleType":
        """Return the module, created by its own code (PEP 489).

        Raises:
            ImportError: the platform cannot load it without a file, or the linker refuses it.
            BundleFormatError: the bundle is damaged.

        """
        settle = getattr(spec, "settle", None)
        if settle is not None and settle(self) is not None:
            from .cachefolder import allows_code  # noqa: PLC0415 (loaded when first needed)

            if allows_code(self.path):
                loader = ExtensionFileLoader(spec.name, self.path)
                if isinstance(spec.loader, BundleExtensionLoader):  # and no wrapper
                    spec.loader = loader  # as installed, to the last attribute
                return loader.create_module(spec)
        from .native import load_extension  # noqa: PLC0415 (loaded when first asked for)

        return load_extension(self.archive, self._directory.member(self._filename), spec)

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module's code (PEP 489)."""
        _imp.exec_dynamic(module)

    def get_code(self, fullname: str) -> None:
        """Return None: an extension module has no code object."""
        self.get_filename(fullname)

    def get_source(self, fullname: str) -> None:
        """Return None: an extension module has no source."""
        self.get_filename(fullname)
