"""Modules that are told of bundles right after they are loaded, each by a part of this room.

Such a part has two functions, ``tell`` and ``forget``, which undoes what the other did, unless another program has put
something of its own on top.
"""

import sys

from .. import interpreter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any, Protocol

    class _Loader(Protocol):
        def exec_module(self, module: "ModuleType") -> None: ...


class _LoadThenTell:
    """A loader that is another one in all things, but calls a function with the module when that is loaded."""

    def __init__(self, loader: "_Loader", tell: "Callable[[ModuleType], None]") -> None:
        self._loader = loader
        self._tell = tell

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def exec_module(self, module: "ModuleType") -> None:
        spec = module.__spec__
        assert spec is not None  # noqa: S101 (for the type checker: the import system has just made it)
        spec.loader = module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)
        self._tell(module)


# Which part tells which module.  The third is the backport of the second.
_TELLERS = {
    "importlib.abc": "classes",
    "importlib.metadata": "distributions",
    "importlib_metadata": "distributions",
    "linecache": "lines",
    "pkg_resources": "pkgresources",
    "threading": "tracebacks",
}


def _teller(name: str) -> "Any":
    return getattr(interpreter, _TELLERS[name])


def _is_initializing(module: object) -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


def tell_loaded(names: "set[str]") -> "set[str]":
    """Tell those of the modules *names* that are loaded; return those that are still being loaded."""
    late = set()
    for name in list(names):  # other threads may change it
        module = sys.modules.get(name)
        if module is not None and _is_initializing(module):
            late.add(name)
        elif module is not None:
            _teller(name).tell(module)
    return late


def forget(names: "set[str]") -> None:
    """Undo what `tell_loaded` and `find_and_tell` did, and the printers of exceptions of the interpreter."""
    for name in names:
        module = sys.modules.get(name)
        if module is not None:
            _teller(name).forget(module)
    interpreter.tracebacks.forget(sys)


def find_and_tell(
    finder: object, fullname: str, path: "Sequence[str] | None", target: "ModuleType | None"
) -> "ModuleSpec | None":
    """Return the spec that the finders after *finder* give for a module; that is told when it is loaded.

    Arguments:
        finder: who asks.
        fullname: the module's name.
        path: as of ``find_spec``.
        target: as of ``find_spec``.

    """
    return _find(finder, fullname, path, target, _teller(fullname).tell)


def _find(
    finder: object,
    fullname: str,
    path: "Sequence[str] | None",
    target: "ModuleType | None",
    tell: "Callable[[ModuleType], None]",
) -> "ModuleSpec | None":
    finders = list(sys.meta_path)
    # Those before *finder* had their turn already, and may be asking all others now.
    for other in finders[finders.index(finder) + 1 :] if finder in finders else finders:
        find_spec = getattr(other, "find_spec", None)
        spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
        if spec is not None:
            if hasattr(spec.loader, "exec_module"):
                spec.loader = _LoadThenTell(spec.loader, tell)  # type: ignore[arg-type, assignment]
            return spec
    return None


class TellingFinder:
    """Meta path finder of one module, which finds nothing of its own: others do."""

    claims_bundles = True  # as of the path hook

    def __init__(self, name: str, tell: "Callable[[ModuleType], None]") -> None:
        self._name = name
        self._tell = tell

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders give for the module, else None."""
        return _find(self, fullname, path, target, self._tell) if fullname == self._name else None


def tell_when_loaded(name: str, tell: "Callable[[ModuleType], None]") -> None:
    """Call *tell* with the module *name*, now where it is loaded, else when it is."""
    module = sys.modules.get(name)
    if module is None:
        sys.meta_path.insert(0, TellingFinder(name, tell))
    else:
        tell(module)
