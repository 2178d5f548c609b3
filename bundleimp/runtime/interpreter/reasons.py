"""Say why a module is missing, if it may be in a bundle that cannot be used.

This module is loaded when a finder is first asked for a module of such a bundle.
"""

import sys
from _frozen_importlib import _module_locks  # type: ignore[attr-defined]
from _frozen_importlib_external import PathFinder
from _thread import get_ident

from .. import bundles
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..faults.kinds import BundleFormatError

# The modules that are looked for now, each with the thread that does so.
_wanted: "set[tuple[str, int]]" = set()


def is_being_imported(name: str) -> bool:
    """Return whether a thread is importing the module *name*, and not only looking for it.

    An importing thread holds the module's lock from the moment when it asks the finders.
    """
    reference = _module_locks.get(name)
    return reference is not None and getattr(reference(), "owner", None) is not None


def check(fullname: str, fault: "BundleFormatError") -> None:
    """Raise an error if the module is being imported, and no finder has it.

    Arguments:
        fullname: the module's name.
        fault: why the bundle cannot be used in which the module may be.

    Raises:
        ModuleNotFoundError: the module is missing.

    """
    wanted = fullname, get_ident()
    if wanted in _wanted or not is_being_imported(fullname):
        return
    _wanted.add(wanted)
    try:
        found = _is_found(fullname)
    finally:
        _wanted.discard(wanted)
    if not found:
        message = f"No module named {fullname!r}, unless it is in a bundle that cannot be used: {fault}"
        raise ModuleNotFoundError(message, name=fullname, path=fault.path)


def _is_found(fullname: str) -> bool:
    """Return whether a finder has the module, apart from those of bundles that cannot be used."""
    package = sys.modules.get(fullname.rpartition(".")[0])
    path = package.__path__ if package is not None else None
    sound = [entry for entry in (sys.path if path is None else path) if not _is_faulty(entry)]
    for finder in list(sys.meta_path):
        if hasattr(finder, "find_spec") and not hasattr(finder, "claims_bundles"):  # none of ours
            spec = finder.find_spec(fullname, sound if finder is PathFinder else path, None)
            if spec is not None:
                return True
    return False


def _is_faulty(entry: object) -> bool:
    """Return whether a path entry is in a bundle that cannot be used."""
    location = bundles.locate(entry) if isinstance(entry, str) and bundle_format.SUFFIX in entry else None
    bundle = bundles.in_use.get(location.bundle) if location is not None else None
    return bundle is not None and bundle.fault is not None and bundle.archive is None
