"""Say why a module is missing, if it may be in a bundle that cannot be used.

This module is loaded when a finder is first asked for a module of such a bundle.
"""

import sys
import zipimport
from _frozen_importlib_external import PathFinder

from .. import bundles, content, faults

_MAIN = "__main__"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Sequence
    from types import FrameType


def find_elsewhere(fullname: str, fault: Exception) -> "ModuleSpec | None":
    """Return the spec of a module that is being imported, from the path entries and finders that have no fault.

    Return None if the module is only looked for, or is a namespace package.  If the bundle has files for other Pythons
    only, warn of it once; but a program's ``__main__``, which is the same for all, ends with one line.

    Arguments:
        fullname: the module's name.
        fault: why the bundle cannot be used in which the module may be.

    Raises:
        ModuleNotFoundError: the module is being imported, and is missing.

    """
    misfit = fault if isinstance(fault, faults.kinds.BundleTargetError) else None
    if misfit is not None and fullname == _MAIN and bundles.OpenBundle.signers is None:
        spec = zipimport.zipimporter(str(misfit.path)).find_spec(fullname)
        misfit.warned = spec is not None  # by the program: `program.prepare` does not go on
        return spec
    if not is_import(sys._getframe(2)):  # noqa: SLF001 (no other function tells an import from a look)
        return None
    if misfit is not None and not misfit.warned and not _is_program(str(misfit.path)):
        misfit.warned = True
        faults.warning.warn(str(fault))
    faulty = [entry for entry in _entries(fullname) if _is_faulty(entry)]
    spec = look_elsewhere(fullname, faulty)
    if spec is not None:
        return spec if spec.loader is not None else None
    message = f"No module named {fullname!r}, unless it is in a bundle that cannot be used: {fault}"
    raise ModuleNotFoundError(message, name=fullname, path=getattr(fault, "path", None))


def _entries(fullname: str) -> "Sequence[str]":
    """Return the path entries on which module *fullname* is looked for."""
    package = sys.modules.get(fullname.rpartition(".")[0])
    return sys.path if package is None else package.__path__


def look_elsewhere(fullname: str, without: "Sequence[str]" = ()) -> "ModuleSpec | None":
    """Return the spec of module *fullname* from the path entries that are not in *without*, or from a later finder."""
    spec = PathFinder.find_spec(fullname, [entry for entry in _entries(fullname) if entry not in without])
    if spec is not None:
        return spec
    path = _entries(fullname) if fullname.rpartition(".")[0] in sys.modules else None
    finders = list(sys.meta_path)
    for finder in finders[finders.index(PathFinder) + 1 :] if PathFinder in finders else ():
        if hasattr(finder, "find_spec"):
            spec = finder.find_spec(fullname, path, None)
        if spec is not None:
            return spec
    return None


def is_import(caller: "FrameType | None") -> bool:
    """Return whether the import system itself asks, for an import, and no other finder or function does.

    Arguments:
        caller: the frame that has called our finder.

    """
    while caller is not None and caller.f_globals.get("__name__", "").endswith(".waiting"):  # which stands in for it
        caller = caller.f_back
    while caller is not None and caller.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
        if caller.f_code.co_name == "_find_and_load_unlocked":
            return True
        caller = caller.f_back
    return False


def is_from_list(caller: "FrameType | None") -> bool:
    """Return whether the import that asks, according to `is_import`, is that of a name in ``from package import``."""
    while caller is not None and caller.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
        if caller.f_code.co_name == "_handle_fromlist":
            return True
        caller = caller.f_back
    return False


def _is_program(path: str) -> bool:
    """Return whether the interpreter has been started with the bundle at *path*, and has not yet found its program."""
    return sys.path[:1] == [path] and not hasattr(sys.modules.get(_MAIN), "__file__")


def _is_faulty(entry: object) -> bool:
    """Return whether a path entry is in a bundle that cannot be used."""
    location = content.naming.locate(entry) if isinstance(entry, str) else None
    bundle = bundles.in_use.get(location.bundle) if location is not None else None
    return bundle is not None and bundle.fault is not None and bundle.archive is None
