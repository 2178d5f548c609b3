"""Parts that are imported by their full names, or listed, as the import system and its tools do it.

Each part is still loaded only once, and by the runtime.
"""

import os
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import decode_source

from .. import ROOMS, loaded, own_loader, read_code, spec_of, this

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType


class PartLoader:
    """Loader of the parts and of the runtime (PEP 302, PEP 451).

    It gives the import system the modules that the runtime loads.
    """

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Load and return the part."""
        if spec.name == this.__name__:
            return this
        room, _, name = spec.name.rpartition(".")
        return loaded.get(spec.name) or getattr(loaded.get(room, this), name)

    def exec_module(self, module: "ModuleType") -> None:
        """Do nothing: `create_module` has executed the part."""

    def get_filename(self, fullname: str) -> str:
        """Return the part's ``__file__``.  Raise ImportError for the name of another module."""
        return str(_checked(fullname).origin)

    def is_package(self, fullname: str) -> bool:
        """Return whether the part is a package."""
        return _checked(fullname).submodule_search_locations is not None

    def get_code(self, fullname: str) -> "CodeType":
        """Return the part's code object.  Raise OSError if it cannot be read."""
        return read_code(fullname, self.get_filename(fullname))

    def get_source(self, fullname: str) -> "str | None":
        """Return the part's source, or None if it cannot be read."""
        if hasattr(own_loader, "read_code"):  # of a standalone program
            return own_loader.get_source(fullname)  # type: ignore[no-any-return]
        try:
            return decode_source(self.get_data(self.get_filename(fullname)))
        except OSError:
            return None

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*.  Raise OSError if it cannot be read."""
        if not hasattr(own_loader, "get_data"):
            raise FileNotFoundError(path)
        return own_loader.get_data(path)  # type: ignore[no-any-return]


def _checked(fullname: str) -> ModuleSpec:
    if fullname != this.__name__ and not fullname.startswith(f"{this.__name__}."):
        message = f"loader for parts of bundleimp cannot handle {fullname}"
        raise ImportError(message, name=fullname)
    return spec_of(fullname)


class PartFinder:
    """Path entry finder of one of our folders."""

    def __init__(self, path: str) -> None:
        """Make a finder for the folder *path*.  Raise ImportError if it is not the runtime's or that of a room."""
        if path not in this.__path__ and path not in (os.path.join(this.__path__[0], room) for room in ROOMS):
            message = "no folder of bundleimp"
            raise ImportError(message, path=path)
        self.path = path

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":  # noqa: ARG002
        """Return the spec of the part *fullname*, or None if there is none (PEP 451)."""
        return find_spec(fullname)

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Yield the name of each part in the folder, with *prefix*, and whether it is a room (`pkgutil`)."""
        try:
            entries = sorted(os.listdir(self.path))
        except OSError:  # bundleimp is in an archive
            return
        for entry in entries:
            if entry in ROOMS or (entry.endswith(".py") and entry != "__init__.py"):
                yield prefix + entry.removesuffix(".py"), entry in ROOMS


def find_spec(fullname: str) -> "ModuleSpec | None":
    """Return the spec of the part *fullname*, or of the runtime; None if there is no such part.

    The import system holds its import lock during this call.  The part may need other modules first, so it is not
    loaded yet.
    """
    if fullname == this.__name__:
        return this.__spec__
    if fullname in loaded:
        return loaded[fullname].__spec__
    spec = spec_of(fullname)
    try:
        read_code(fullname, spec.origin)  # type: ignore[arg-type]
    except FileNotFoundError:
        return None
    except OSError:
        pass  # `create_module` raises the error
    return spec
