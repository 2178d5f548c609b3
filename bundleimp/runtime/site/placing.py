"""Modules that need real files when they are imported.

The unit of such a module, or its data part, is placed when the module is loaded, or when its location is first read
from the spec or the loader.  From then on, all paths of the spec, the loader and the module are in the site.
"""

import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import EXTENSION_SUFFIXES, MAGIC_NUMBER
from os import path as os_path

from .. import content, loaders
from .. import format as bundle_format
from . import listing, questions, sites, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..archive import Archive
    from .units import Unit


class Placement:
    """What a `PlacedSpec` and its loader know of a module until it is placed."""

    __slots__ = ("_archive", "_data", "_done", "_kind", "_loader", "_member", "_spec", "_unit")

    def __init__(self, spec: "Any", archive: "Archive", member: str, unit: "Unit", *, data: bool) -> None:
        self._spec = spec
        self._loader = spec.loader
        self._kind = type(spec.loader)
        self._archive = archive
        self._member = member
        self._unit = unit
        self._data = data
        self._done = False

    def settle(self) -> None:
        """Place the module's unit, and give the spec and the loader the real paths.

        If the files cannot be written, they keep the paths under the bundle.

        Raises:
            BundleFormatError: the bundle is damaged.

        """
        if self._done:
            return
        root = self._root()
        spec, loader = self._spec.__dict__, self._loader.__dict__
        if root is not None:
            real = os_path.join(root, *self._member.split("/"))
            loader["path"] = spec["origin"] = real
            loader["cached"] = spec["_cached"] = None  # derived from the origin
            if spec["submodule_search_locations"] is not None:
                spec["submodule_search_locations"] = [os_path.dirname(real)]
        self._done = True
        if type(self._spec) is PlacedSpec:
            self._spec.__class__ = ModuleSpec  # type: ignore[assignment]
        if type(self._loader) is _waiting_kinds[self._kind]:
            self._loader.__class__ = self._kind

    def real_path(self) -> "str | None":
        """Return the real path that the module gets, or None if it needs none.  Nothing is written.

        Raises:
            BundleFormatError: the bundle is damaged.

        """
        root = sites.path_of(self._archive) if self._part() is not None else None
        return os_path.join(root, *self._member.split("/")) if root is not None else None

    def _part(self) -> "bool | None":
        """Return whether the data part of the unit is enough; None if the module needs no real files."""
        if self._archive.indexed or self._unit.native:
            return self._data
        if _asks(self._archive, self._member, self._unit):
            return False
        return self._data or None

    def _root(self) -> "str | None":
        data = self._part()
        if data is None:
            return None
        root = sites.place(self._archive, self._unit, data=data)
        if root is None:
            sites.complain(self._archive, self._unit)
        return root


class PlacedSpec(ModuleSpec):
    """The spec of a module that needs real files.  `place_later` makes it from an ordinary spec."""

    _placement: Placement

    def settle(self) -> None:
        """Place the module's files now (see `Placement.settle`)."""
        self._placement.settle()

    @property
    def origin(self) -> "str | None":
        """The module's ``__file__``."""
        self._placement.settle()
        return self.__dict__["origin"]  # type: ignore[no-any-return]

    @origin.setter
    def origin(self, value: "str | None") -> None:
        self._placement.settle()
        self.__dict__["origin"] = value

    @property
    def submodule_search_locations(self) -> "list[str] | None":
        """The package's ``__path__``, or None."""
        if self.__dict__["submodule_search_locations"] is not None:
            self._placement.settle()
        return self.__dict__["submodule_search_locations"]  # type: ignore[no-any-return]

    @submodule_search_locations.setter
    def submodule_search_locations(self, value: "list[str] | None") -> None:
        self._placement.settle()
        self.__dict__["submodule_search_locations"] = value

    @property
    def cached(self) -> "str | None":
        """The path of the module's bytecode."""
        self._placement.settle()
        return ModuleSpec.__dict__["cached"].fget(self)  # type: ignore[no-any-return] # our class is another one now

    @cached.setter
    def cached(self, value: "str | None") -> None:
        self._placement.settle()
        self.__dict__["_cached"] = value

    @property
    def parent(self) -> str:
        """The name of the package that contains the module."""
        return self.name if self.__dict__["submodule_search_locations"] is not None else self.name.rpartition(".")[0]

    def __repr__(self) -> str:
        return f"ModuleSpec(name={self.name!r}, loader={self.loader!r}, origin={self.__dict__['origin']!r})"

    def __reduce_ex__(self, protocol: "Any") -> "Any":  # a copy is an ordinary spec
        self._placement.settle()
        return object.__reduce_ex__(self, protocol)


class _Waiting:
    """The additional base of a loader whose module was not placed yet."""

    name: str

    @property
    def path(self) -> str:
        """The module's ``__file__``."""
        self.__dict__["placement"].settle()
        return self.__dict__["path"]  # type: ignore[no-any-return]

    @path.setter
    def path(self, value: str) -> None:
        self.__dict__["placement"].settle()
        self.__dict__["path"] = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.__dict__['path']!r})"

    def __eq__(self, other: object) -> bool:
        for loader in (self, other):
            if isinstance(loader, _Waiting):
                loader.__dict__["placement"].settle()
        compare: Any = loaders.BundleLoader.__eq__
        return compare(self, other)  # type: ignore[no-any-return]

    __hash__: "Any" = loaders.BundleLoader.__hash__

    def __reduce_ex__(self, protocol: "Any") -> "Any":  # a copy is an ordinary loader
        self.__dict__["placement"].settle()
        return object.__reduce_ex__(self, protocol)


# The classes of loaders that wait, by the class that they have afterwards.
_waiting_kinds: "dict[Any, Any]" = {}


def _waiting_kind(kind: "Any") -> "Any":
    found = _waiting_kinds.get(kind)
    if found is None:
        found = type(kind.__name__, (_Waiting, kind), {"__module__": kind.__module__})
        found = _waiting_kinds.setdefault(kind, found)
    return found


def place_later(spec: ModuleSpec, archive: "Archive", member: str, flags: int) -> None:
    """Make *spec* one that places the files of *member* when they are needed.

    Arguments:
        spec: the spec of the module under the bundle.
        archive: the archive that contains the module.
        member: the name of the module's file.
        flags: the module's flags in the index; 0 in a plain zip.

    """
    unit = sites.unit_of(archive, member)
    if unit is None:
        return
    data = not flags & bundle_format.FLAG_WHOLE
    if not archive.indexed:
        if not (unit.native or unit.files[member] in units.DATA_PART or _may_ask(archive, member)):
            return
        data = not unit.native and unit.files[member] in units.DATA_PART
    placement = Placement(spec, archive, member, unit, data=data)
    loader: Any = spec.loader
    loader.__class__ = _waiting_kind(type(loader))
    loader.__dict__["placement"] = placement
    spec.__class__ = PlacedSpec
    spec.__dict__["_placement"] = placement


def portion(archive: "Archive", inner: str) -> "str | None":
    """Return the real path of the namespace portion *inner*, which contains data, or None if it cannot be written."""
    start = inner + "/"
    found = []
    for unit in listing.units_of(archive):
        part = unit.part(data=True) if archive.indexed else ()
        if inner in unit.portions or any(name.startswith(start) for name in part):
            found.append((unit, True))
    return sites.placed_path(archive, inner, found)


def _may_ask(archive: "Archive", member: str) -> bool:
    file = content.files.find(archive, member)
    return file is not None and questions.may_ask(content.files.read(archive, file))


def _asks(archive: "Archive", member: str, unit: "Unit") -> bool:
    """Return whether a module of a plain zip asks for its location, where there is something to find."""
    file = content.files.find(archive, member)
    data = content.files.read(archive, file) if file is not None else b""
    is_other = member.endswith(".pyc") and data[:4] != MAGIC_NUMBER
    if is_other or not questions.may_ask(data) or member.endswith(tuple(EXTENSION_SUFFIXES)):
        return False
    try:
        code = _compiled(data, member) if member.endswith(".py") else marshal.loads(data[16:])  # noqa: S302 (it will be run)
    except (SyntaxError, ValueError, EOFError, TypeError, RecursionError, MemoryError):
        return unit.others  # it may ask for anything; if it is wrong, the import reports that
    question = questions.question_of(code)
    return question.may_find(others=unit.others)


def _compiled(source: bytes, name: str) -> "Any":
    """Return the code object of a *source*.  Warnings of the compiler are left to the import."""
    warnings = sys.modules.get("warnings")
    if warnings is None:
        return compile(source, name, "exec", dont_inherit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(source, name, "exec", dont_inherit=True)
