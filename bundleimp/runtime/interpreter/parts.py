"""Parts that are imported by their full names, or listed, as the import system and its tools do it.

Each part is still loaded only once, and by the runtime.
"""

import os
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader

from .. import ROOMS, is_in_folder, loaded, own_loader, read_code, spec_of, this

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any


class PartLoader:
    """Loader of the parts and of the runtime (PEP 451).  It gives the import system the modules that the runtime loads.

    The other methods of PEP 302 are those of an ordinary loader.
    """

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Load and return the part."""
        if spec.name == this.__name__:
            return this
        room, _, name = spec.name.rpartition(".")
        return loaded.get(spec.name) or getattr(loaded.get(room, this), name)

    def exec_module(self, module: "ModuleType") -> None:
        """Do nothing: `create_module` has executed the part."""

    def __getattr__(self, name: str) -> "Any":
        if name == "get_data":
            return getattr(_ordinary(this.__name__), name)
        if name in {"get_code", "get_filename", "get_resource_reader", "get_source", "is_package"}:
            return lambda fullname: getattr(_ordinary(fullname), name)(fullname)
        raise AttributeError(name)


def _ordinary(fullname: str) -> "Any":
    """Return the loader that the part *fullname* would have if the import system loaded it."""
    return SourceFileLoader(fullname, str(spec_of(fullname).origin)) if is_in_folder else own_loader


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
        for entry in sorted(os.listdir(self.path)):
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
