"""Adapt modules of the standard library and of a few tools right after they are loaded.

Each kind has its own module in this package, which has two functions.  ``tell`` adapts the other module.  ``forget``
undoes that, unless another program has replaced our changes.
"""

import sys
from _frozen_importlib import _module_locks  # type: ignore[attr-defined]

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
    """A loader that delegates everything to another loader, and calls a function with the loaded module."""

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


# The module of this package for each module to adapt.  `importlib_metadata` is the backport of `importlib.metadata`.
_TELLERS = {
    "IPython.core.completerlib": "completion",
    "importlib.abc": "classes",
    "importlib.metadata": "distributions",
    "importlib_metadata": "distributions",
    "jedi.inference.compiled.subprocess.functions": "completion",
    "linecache": "lines",
    "pkg_resources": "pkgresources",
    "threading": "tracebacks",
}


def _teller(name: str) -> "Any":
    return getattr(interpreter, _TELLERS[name])


def _is_being_imported(name: str) -> bool:
    """Return whether a thread is importing the module *name*, and not only looking for it.

    An importing thread holds the module's lock from the moment when it asks the finders.
    """
    reference = _module_locks.get(name)
    return reference is not None and getattr(reference(), "owner", None) is not None


def _is_on_its_way(name: str, module: object) -> bool:
    """Return whether a thread is, or may be, importing the module *name*."""
    if module is None:
        return _is_being_imported(name)
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


def tell_loaded(names: "set[str]") -> "set[str]":
    """Adapt those of the modules *names* that are loaded.  Return those that are still being loaded."""
    late = set()
    for name in list(names):  # other threads may change the set
        module = sys.modules.get(name)
        if _is_on_its_way(name, module):
            late.add(name)
        elif module is not None:
            _teller(name).tell(module)
    return late


def forget(names: "set[str]") -> None:
    """Undo `tell_loaded` and `find_and_tell`, and restore the interpreter's printers of exceptions."""
    for name in names:
        module = sys.modules.get(name)
        if module is not None:
            _teller(name).forget(module)
    interpreter.tracebacks.forget(sys)


def find_and_tell(
    finder: object, fullname: str, path: "Sequence[str] | None", target: "ModuleType | None"
) -> "ModuleSpec | None":
    """Return the spec of a module from the finders after *finder*.  The module is adapted when it is loaded.

    Arguments:
        finder: the finder that calls this function.
        fullname: the module's name.
        path: as for ``find_spec``.
        target: as for ``find_spec``.

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
    # The finders before *finder* were asked already.  One of them may itself be asking all others now.
    for other in finders[finders.index(finder) + 1 :] if finder in finders else finders:
        find_spec = getattr(other, "find_spec", None)
        spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
        if spec is not None:
            if hasattr(spec.loader, "exec_module"):
                spec.loader = _LoadThenTell(spec.loader, tell)  # type: ignore[arg-type, assignment]
            return spec
    return None


class TellingFinder:
    """Meta path finder for one module.  It returns the spec that the other finders find."""

    claims_bundles = True  # as the path hook does

    def __init__(self, name: str, tell: "Callable[[ModuleType], None]") -> None:
        self._name = name
        self._tell = tell

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the other finders' spec of the module, else None."""
        return _find(self, fullname, path, target, self._tell) if fullname == self._name else None


def tell_when_loaded(name: str, tell: "Callable[[ModuleType], None]") -> None:
    """Call *tell* with the module *name*: now if the module is loaded, else when it has been loaded."""
    module = sys.modules.get(name)
    if module is None:
        sys.meta_path.insert(0, TellingFinder(name, tell))
    else:
        tell(module)
