"""The loader of source modules with embedded bytecode.

`cache.loader`, `plain.sourceless` and `site.extensions` contain the loaders of other modules.

`BundleLoader` is a complete `SourceLoader` (PEP 302, 451): the ``get_code`` of that class gets the right code through
``path_stats``, ``get_data`` and ``set_data``.  `BundleLoader.get_code` does the same faster if bytecode is embedded.

No method here is on the stack while a module's code runs, so tracebacks look as they do for installed modules.
"""

import _frozen_importlib_external as external
import _imp
import marshal
import sys

from . import archive as archives
from . import fault
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *

_HEADER = 16
# A program may replace this method to transform source.  None if it was replaced before this module was loaded.
_SOURCE_TO_CODE = external.SourceLoader.source_to_code
if getattr(_SOURCE_TO_CODE, "__globals__", None) is not external.SourceLoader.get_code.__globals__:
    _SOURCE_TO_CODE = None  # type: ignore[assignment]


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


class BundleLoader(external.SourceLoader):
    """Loader of source modules in a bundle, with embedded bytecode (PEP 302, PEP 451; `importlib.abc.SourceLoader`).

    The subclass `cache.loader.SourceBundleLoader` loads modules without embedded bytecode.  A loader whose
    ``source_to_code`` is overridden or replaced receives the source, even if bytecode exists.

    Attributes:
        name: the module's name.
        path: its ``__file__``.
        archive: the version of the bundle that contains the module.
        directory: the source's directory in the archive.
        filename: the source's name in that directory.
        entry: the index entry of the bytecode (`format.Directory.code_entry`).
        cached: the path of the bytecode (PEP 3147), if the finder has computed it.

    """

    def __init__(
        self,
        name: str,
        path: str,
        archive: "archives.Archive",
        directory: "bundle_format.Directory | ListedDirectory",
        filename: str,
        entry: bytes = b"",
        cached: "str | None" = None,
    ) -> None:
        self.name = name
        self.path = path
        self.archive = archive
        self.directory = directory
        self.filename = filename
        self.entry = entry
        self.cached = cached

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.path!r})"

    def __eq__(self, other: "Any") -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return (self.name, self.path, self.archive.key) == (other.name, other.path, other.archive.key)

    def __hash__(self) -> int:
        return hash(self.name) ^ hash(self.path)

    def get_filename(self, fullname: "str | None" = None) -> str:
        """Return the module's ``__file__``.  Raise ImportError for the name of another module (PEP 302)."""
        if fullname is not None and fullname != self.name:
            message = f"loader for {self.name} cannot handle {fullname}"
            raise ImportError(message, name=fullname)
        return self.path

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """Place the real files that the *spec* needs.  Return an ordinary module, or None for that (PEP 451)."""
        settle = getattr(spec, "settle", None)
        if settle is not None:
            settle()
        if sys.version_info >= (3, 12) or not getattr(spec, "has_location", False):
            return None
        # As the import system does it.  It tries to read each attribute before it sets it, which takes long in 3.11.
        module = type(sys)(spec.name)
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        module.__file__ = spec.origin
        if spec.cached is not None:
            module.__cached__ = spec.cached  # type: ignore[attr-defined]
        return module

    def transforms_source(self) -> bool:
        """Return whether ``source_to_code`` is overridden or replaced."""
        return type(self).source_to_code is not _SOURCE_TO_CODE or "source_to_code" in self.__dict__

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object.

        Raises:
            BundleFormatError: its bytecode in the bundle is damaged.

        """
        if not self.entry:  # of a program's own loader, which has no embedded bytecode
            return external.SourceLoader.get_code(self, fullname)  # type: ignore[return-value] # there is source
        path = self.get_filename(fullname)
        place = self.cached
        if place is None:
            from . import cache  # noqa: PLC0415 (loaded when first needed)

            place = cache.loading.bytecode_path(self) or path
        has_image = not self.transforms_source()
        try:
            if has_image:
                archives.audit_open(place)
        except OSError:  # an audit hook refused: compile the source, as for any bytecode that cannot be read
            has_image = False
        if not has_image:
            name: Any = (fullname,) if sys.version_info >= (3, 15) else ()
            return self.source_to_code(self.get_data(path), path, *name)
        try:
            image = self.archive.image_at(self.entry, self.directory.prefix, self.filename)
        except ImportError as error:
            if hasattr(error, "offset"):  # a BundleFormatError
                error.name = fullname
            raise
        return unmarshalled(image, self, path)

    def get_resource_reader(self, fullname: str) -> "TraversableResources | None":
        """Return a resource reader for the folder that contains the module (``importlib.resources``)."""
        if fullname != self.name:
            return None
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.resources.reader_for(self)  # type: ignore[no-any-return]

    def path_stats(self, path: str) -> "dict[str, int]":
        """Return modification time (seconds since the epoch) and size (bytes) of the source file at *path*.

        Raises:
            OSError: the bundle has no such file.

        """
        from . import cache  # noqa: PLC0415 (loaded when first needed)

        return cache.loading.path_stats(self, path)

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*, or the module's pyc image if *path* is that of its bytecode.

        Raises:
            OSError: the bundle has no such file, or bundle and cache have no such bytecode.
            BundleFormatError: the file or the bytecode is damaged.

        """
        from . import cache  # noqa: PLC0415 (loaded when first needed)

        return cache.loading.get_data(self, path)

    def set_data(self, path: str, data: bytes) -> None:
        """Write the module's bytecode, whose path is *path*, to the user's cache.  No other file can be written."""
        from . import cache  # noqa: PLC0415 (loaded when first needed)

        cache.loading.set_data(self, path, data)
