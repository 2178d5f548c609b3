"""Modules that `load_module` loads: under a name of their own in ``sys.modules``, with checks of what they import.

A module that imports itself absolutely would get another version, or none.  So its source is looked at before it runs.
"""

from __future__ import annotations

import ast
import copyreg
import pickle
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from .runtime.interpreter import reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType

_NEVER = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__"})
# The top-level name of the modules below each package that `load_module` has made, by the name of the package.
_watched: dict[str, str] = {}


def watch(root: str, top: str) -> None:
    """Look at all modules that are imported below the package *root*.

    Arguments:
        root: the name of the package.
        top: the top-level name that these modules have when they are installed.

    """
    _watched[root] = top
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
        sys.meta_path.append(_LastFinder)


def forget(root: str) -> None:
    """Undo `watch` for the package *root*."""
    _watched.pop(root, None)


class _Finder:
    """Meta path finder for modules below the packages of `load_module`."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: Sequence[str] | None = None,
        target: object = None,  # noqa: ARG004
    ) -> ModuleSpec | None:
        """Return the spec of a module below such a package, whose loader checks the code, else None."""
        root, _, name = fullname.partition(".")
        if root not in _watched or path is None:
            return None
        refuse_pickling(root)
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            _check_code(spec.loader, name, _watched[root])
        return spec


class _LastFinder:
    """Meta path finder behind all others: it says why a module that was loaded by `load_module` is missing."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG004
        """Raise ModuleNotFoundError for an absolute import of such a module."""
        if path is None and fullname in _watched.values() and reasons.is_import(sys._getframe(1)):  # noqa: SLF001
            message = f"No module named {fullname!r}: bundleimp.load_module has loaded it under another name"
            raise ModuleNotFoundError(message, name=fullname)


def _check_code(loader: Any, name: str, top: str) -> None:
    """Make *loader* check the code of its module before it runs.

    Arguments:
        loader: the loader.
        name: the name that the module has when it is installed.
        top: the first part of that.

    """
    get_code = loader.get_code

    def checked(fullname: str) -> CodeType | None:
        code: CodeType | None = get_code(fullname)
        source = loader.get_source(fullname) if code is not None else None
        found = min(_absolute_imports(source or "", top), key=lambda each: each[1], default=None)
        if found is not None:
            imported, line = found
            message = (
                f"{loader.path}, line {line}: imports {imported} absolutely, but {top} was loaded by "
                "bundleimp.load_module, and may be loaded from several sources: use a relative import"
            )
            raise ImportError(message, name=name, path=loader.path)
        return code

    loader.get_code = checked


def refuse_pickling(root: str) -> None:
    """Make `pickle` refuse the objects of all classes in the modules below the package *root* that are loaded."""
    for name, module in list(sys.modules.items()):
        if name.startswith(root + "."):
            for kind in list(vars(module).values()):
                if isinstance(kind, type) and kind.__module__ == name:
                    copyreg.dispatch_table.setdefault(kind, _refuse)


def _refuse(each: object) -> Any:
    if sys._getframe(1).f_globals.get("__name__") == "copy":  # noqa: SLF001 (it asks `copyreg`, too)
        return each.__reduce_ex__(4)
    message = (
        f"{type(each).__qualname__!r} is of a module that bundleimp.load_module has loaded, "
        "which has a name in this process only"
    )
    raise pickle.PicklingError(message)


def _absolute_imports(source: str, top: str) -> Iterator[tuple[str, int]]:
    """Yield the name and the line of each absolute import of *top*, or of a module below it, in *source*.

    What stands below ``if TYPE_CHECKING`` or ``if __name__ == "__main__"`` is left out: it does not run.
    """
    try:
        waiting: list[ast.AST] = [ast.parse(source)]
    except (SyntaxError, ValueError, RecursionError):  # the import says so
        return
    while waiting:
        node = waiting.pop()
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        for name in names:
            if name.partition(".")[0] == top:
                yield name, node.lineno  # type: ignore[attr-defined] # of an import
        if isinstance(node, ast.If) and _NEVER.intersection(ast.unparse(node.test).replace("'", '"').split()):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
