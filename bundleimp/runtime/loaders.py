"""The loaders of source modules.  `plain.sourceless` and `site.extensions` contain the loaders of other modules.

`BundleLoader` is a complete `SourceLoader` (PEP 302, 451): the inherited ``get_code`` gets the right code through
``path_stats``, ``get_data`` and ``set_data``.  If bytecode is embedded, `EmbeddedBundleLoader` does the same faster.

No method here is on the stack while a module's code runs, so tracebacks look as they do for installed modules.
"""

import _imp
import marshal
import sys
from _frozen_importlib_external import SourceLoader, cache_from_source, path_sep

from . import archive as archives
from . import bundles, fault
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    from _frozen_importlib_external import _os as os  # `os` itself would live as long as this module: see `runtime`

_HEADER = 16
# A program may replace this method to transform source.  None if it was replaced before this module was loaded.
_SOURCE_TO_CODE = SourceLoader.source_to_code
if getattr(_SOURCE_TO_CODE, "__globals__", None) is not SourceLoader.get_code.__globals__:
    _SOURCE_TO_CODE = None  # type: ignore[assignment]
_BYTECODE_END = f".{archives.code_tag()}.pyc"


def bytecode_path(folder: str, stem: str) -> "str | None":
    """Return the path of the bytecode of the source *stem* in *folder*, which ends in a separator (PEP 3147).

    Return None if only `cache_from_source` can compute the path, which takes ten times as long.
    """
    if sys.pycache_prefix is not None or sys.implementation.cache_tag is None:
        return None
    return f"{folder}__pycache__{path_sep}{stem}{_BYTECODE_END}"


def unmarshalled(image: bytes, loader: "Any", co_filename: str) -> "CodeType":
    """Return the code object of a pyc *image*, with *co_filename* as its file name.

    Raises:
        BundleFormatError: the image contains no code object.

    """
    try:
        code = marshal.loads(image[_HEADER:])  # noqa: S302 (it is code, and will be run)
        _imp._fix_co_filename(code, co_filename)  # type: ignore[attr-defined] # noqa: SLF001 (as other loaders do)
    except (EOFError, ValueError, TypeError) as error:
        message = f"holds no code object: {error}"
        raise fault(message, file=loader.path, name=loader.name) from None
    return code  # type: ignore[no-any-return]


class BundleLoader(SourceLoader):
    """Loader of source modules in a bundle (PEP 302, PEP 451; `importlib.abc.SourceLoader`).

    ``get_code`` is inherited, so if the compilation fails, the traceback shows only the program's frames.  A loader
    whose ``source_to_code`` is overridden or replaced receives the source, even if bytecode exists.

    Attributes:
        name: the module's name.
        path: its ``__file__``.
        archive: the version of the bundle that contains the module.

    """

    def __init__(
        self,
        name: str,
        path: str,
        archive: "archives.Archive",
        directory: "bundle_format.Directory | ListedDirectory",
        filename: str,
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
        """Return the module's ``__file__``.  Raise ImportError for the name of another module (PEP 302)."""
        if fullname is not None and fullname != self.name:
            message = f"loader for {self.name} cannot handle {fullname}"
            raise ImportError(message, name=fullname)
        return self.path

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """Return the special module that the *spec* requires, or None for an ordinary one (PEP 451)."""
        make_module = getattr(spec, "make_module", None)
        return make_module(self) if make_module is not None else None

    def get_resource_reader(self, fullname: str) -> "TraversableResources | None":
        """Return a resource reader for the folder that contains the module (``importlib.resources``)."""
        if fullname != self.name:
            return None
        if bundles.locate_mirrored(self.path) is not None:
            from importlib.readers import FileReader  # noqa: PLC0415 (loaded when first needed)

            return FileReader(self)  # type: ignore[arg-type]
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.resources.BundleReader(self.archive, self._directory.prefix.removesuffix("/"))

    def path_stats(self, path: str) -> "dict[str, int]":
        """Return modification time (seconds since the epoch) and size (bytes) of the source file at *path*.

        Raises:
            OSError: the bundle has no such file.

        """
        from . import content  # noqa: PLC0415 (loaded when first needed)

        member = content.files.member_named(self.archive, content.files.name_at(self.archive, path), path)
        return {"mtime": content.member.local_seconds(member.stamp), "size": member.size}

    def _bytecode_path(self) -> "str | None":
        """Return the path of the module's bytecode (PEP 3147), or None if this interpreter has none."""
        folder = self.path.removesuffix(self._filename)
        try:
            return bytecode_path(folder, self._filename.rpartition(".")[0]) or cache_from_source(self.path)
        except NotImplementedError:
            return None

    def _transforms_source(self) -> bool:
        return type(self).source_to_code is not _SOURCE_TO_CODE or "source_to_code" in self.__dict__

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*, or the module's pyc image if *path* is that of its bytecode.

        Raises:
            OSError: the bundle has no such file, or bundle and cache have no such bytecode.
            BundleFormatError: the file or the bytecode is damaged.

        """
        from . import content  # noqa: PLC0415 (loaded when first needed)

        path = os.fspath(path)
        if path != self._bytecode_path():
            return content.files.read_for(self, path)
        image = None if self._transforms_source() else self._image(path)
        if image is None:
            raise content.files.missing(path, "No bytecode in the bundle or the cache")
        return image

    def _image(self, path: str) -> "bytes | None":
        """Return the pyc image that the bundle or the cache has at *path*, or None."""
        archives.audit_open(path)
        image = self.archive.image(self._directory, self._filename)
        if image is None:
            from . import cache, plain  # noqa: PLC0415 (loaded when first needed)

            source = self._directory.member(self._filename)
            image = plain.bytecode.beside(self.archive, self._directory, source)
            if image is None:
                image = cache.code.load(self.archive, source, path)
        return image

    def set_data(self, path: str, data: bytes) -> None:
        """Write the module's bytecode, whose path is *path*, to the user's cache.  No other file can be written."""
        if path == self._bytecode_path() and not self._transforms_source():
            from . import cache  # noqa: PLC0415 (loaded when first needed)

            cache.code.store(self.archive, self._directory.member(self._filename), path, data)


class EmbeddedBundleLoader(BundleLoader):
    """Loader of source modules with embedded bytecode.  It returns the same code as `BundleLoader`, but faster.

    Attributes:
        entry: the index entry of the bytecode (`format.Directory.code_entry`).
        cached: the path of the bytecode (PEP 3147), if the finder has computed it.

    """

    entry = b""
    cached: "str | None" = None

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object.

        Raises:
            BundleFormatError: its bytecode in the bundle is damaged.

        """
        path = self.get_filename(fullname)
        if self._transforms_source():
            return self._compiled(fullname, path)
        try:
            archives.audit_open(self.cached or self._bytecode_path() or path)
        except OSError:  # an audit hook refused: compile the source, as for any bytecode that cannot be read
            return self._compiled(fullname, path)
        try:
            image = self.archive.image_at(self.entry, self._directory.prefix, self._filename)
        except ImportError as error:
            if hasattr(error, "offset"):  # a BundleFormatError
                error.name = fullname
            raise
        return unmarshalled(image, self, path)

    def _compiled(self, fullname: str, path: str) -> "CodeType":
        name: Any = (fullname,) if sys.version_info >= (3, 15) else ()
        return self.source_to_code(self.get_data(path), path, *name)
