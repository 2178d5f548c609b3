"""Modules whose location matters: other code receives a real path, which is published only when it is requested.

If a module builds paths from its own ``__file__``, it receives a real path when it is loaded.  Other code, such as
template loaders and static file servers, takes another module's ``__file__`` or ``__path__``, or a spec's ``origin``,
and opens files there.  For most packages with data, no code ever does this, and they then cost nothing.  Their modules
and specs have the usual values under the bundle, which the import system uses.  Any other code that reads one of them
receives the path in the mirror, and the mirror is published at that moment.  This module is loaded with the first
module that the index marks this way.
"""

import sys
from _frozen_importlib import ModuleSpec
from os import path as os_path

from .. import site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType, ModuleType
    from typing import Any

    from ..archive import Archive

else:
    ModuleType = type(sys)  # `types` may not be loaded yet, and importing it searches the path

# These modules use locations as names, and open no files there themselves.
_NAMING = frozenset({"importlib", "importlib.util", "pkgutil"})
_LOCATIONS = ("__file__", "__path__", "origin", "submodule_search_locations")
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_OURS = __name__.partition(".")[0] + "."


def _mentions(code: "CodeType", name: str) -> bool:
    # Compare only text: comparing other constants with text may fail (``python -bb``).
    return name in code.co_names or any(type(constant) is str and constant == name for constant in code.co_consts)


def _goes_through_all(frame: "FrameType") -> bool:
    """Return whether *frame* reads all attributes in turn, as in ``getattr(module, name)`` over `dir`."""
    while frame.f_code.co_name in _COMPREHENSIONS and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    return "dir" in code.co_names and not any(_mentions(code, name) for name in _LOCATIONS)


def _by_import_system() -> bool:
    """Return whether the caller's caller is the import system, or code that only reads all attributes in turn."""
    frame = sys._getframe(2)  # noqa: SLF001 (documented in sys)
    if frame.f_code.co_name == "__getattribute__" and frame.f_back is not None:
        frame = frame.f_back  # the frame of a lazy module (`importlib.util.LazyLoader`)
    if frame.f_code.co_filename.startswith("<frozen importlib"):
        return True
    name = str(frame.f_globals.get("__name__"))
    above: FrameType | None = frame
    while name == "inspect" and above is not None and above.f_globals is frame.f_globals:
        if above.f_code.co_name == "getmodule":
            return True
        above = above.f_back
    return name in _NAMING or name.startswith(_OURS) or _goes_through_all(frame)


class LocatedSpec(ModuleSpec):
    """The spec of a module whose location matters.  `locate` makes it from an ordinary spec."""

    _archive: "Archive"
    _member: str
    _own: bool

    def _real(self) -> "str | None":
        return site.mirrors.real_path(self._archive, self._member)

    @property
    def origin(self) -> "str | None":
        """The module's ``__file__``."""
        known: str = self.__dict__["origin"]
        # From Python 3.13 on, the interpreter reads the origin if a module lacks an attribute.  The reader then seems
        # to be the program, so check that its code mentions the name.
        asked = _mentions(sys._getframe(1).f_code, "origin")  # noqa: SLF001 (documented in sys)
        return self.real_origin() if asked and not _by_import_system() else known

    @origin.setter
    def origin(self, value: "str | None") -> None:
        self.__dict__["origin"] = value

    def real_origin(self) -> str:
        """Return the real path of the module's file, or its path under the bundle if no mirror can be written."""
        return self._real() or str(self.__dict__["origin"])

    def settle(self, loader: "Any") -> "str | None":
        """Make this the spec of the mirrored file, and update *loader* to match.  Return the file's path.

        Return None and change nothing if the file is not to be mirrored, or the mirror cannot be written.
        """
        if not self._own and not self._archive.indexed:
            self._own = site.mirrors.asks_for_location(self._archive, self._member)
        real = self._real() if self._own else None
        if real is not None:
            self.__class__ = ModuleSpec  # type: ignore[assignment]
            loader.path = self.origin = real
            loader.cached = self.cached = None  # derived from the origin
            if self.submodule_search_locations is not None:
                self.submodule_search_locations = [os_path.dirname(real)]
        return real

    def make_module(self, loader: "Any") -> "ModuleType | None":
        """Return a new module for this spec, which *loader* is about to load, or None for an ordinary module."""
        real = self.settle(loader)
        return LocatedModule(self.name) if real is None and not self._own else None


class LocatedModule(ModuleType):
    """A module whose ``__file__`` is the real path, except for the import system and the module itself."""

    def __getattribute__(self, name: str) -> "Any":
        # From Python 3.14 on, the interpreter reads often-used attributes directly from a module's dictionary.  That
        # bypasses our property, unless the class has its own `__getattribute__`.
        return ModuleType.__getattribute__(self, name)

    @property
    def __file__(self) -> str:
        """The path of the module's file."""
        namespace = self.__dict__
        spec = namespace.get("__spec__")
        if "__file__" not in namespace:
            message = f"module {self.__name__!r} has no attribute '__file__'"
            raise AttributeError(message)
        value: str = namespace["__file__"]
        if not isinstance(spec, LocatedSpec) or value != spec.__dict__["origin"] or _by_import_system():
            return value
        return spec.real_origin()

    @__file__.setter
    def __file__(self, value: str) -> None:
        self.__dict__["__file__"] = value

    @__file__.deleter
    def __file__(self) -> None:
        if self.__dict__.pop("__file__", None) is None:
            message = f"module {self.__name__!r} has no attribute '__file__'"
            raise AttributeError(message)

    def __reduce__(self) -> "tuple[Any, tuple[str]]":
        # Tools that pickle modules by reference recognize them by their exact type.
        from importlib import import_module  # noqa: PLC0415 (loaded when first asked for)

        return import_module, (self.__name__,)


class LocatedPath(list[str]):
    """A package's ``__path__``: the import system sees the folder in the bundle, other code sees the real one."""

    def __init__(self, folder: str, archive: "Archive", member: str) -> None:
        super().__init__([folder])
        self._folder = folder
        self._archive = archive
        self._member = member

    def _real(self, entry: str) -> str:
        real = site.mirrors.real_path(self._archive, self._member) if entry == self._folder else None
        return os_path.dirname(real) if real is not None else entry

    def __iter__(self) -> "Iterator[str]":
        entries = super().__iter__()
        return entries if _by_import_system() else map(self._real, entries)

    def __getitem__(self, index: "Any") -> "Any":
        found = super().__getitem__(index)
        if _by_import_system():
            return found
        return [self._real(entry) for entry in found] if isinstance(index, slice) else self._real(found)

    def __reduce__(self) -> "tuple[type[list[str]], tuple[list[str]]]":
        return list, (list(map(self._real, super().__iter__())),)


def locate(spec: ModuleSpec, archive: "Archive", member: str, *, own: bool) -> None:
    """Make *spec*, and the module loaded from it, return the real path of *member*.

    Arguments:
        spec: the spec of the module under the bundle.
        archive: the archive that contains the module.
        member: the name of the module's file.
        own: whether the module itself needs the real path when it is loaded.

    """
    if not archive.indexed and site.mirrors.unit_of(archive, member) is None:
        return
    spec.__class__ = LocatedSpec
    spec.__dict__ |= {"_archive": archive, "_member": member, "_own": own}
    if spec.submodule_search_locations is not None:
        (folder,) = spec.submodule_search_locations
        spec.submodule_search_locations = LocatedPath(folder, archive, member)
