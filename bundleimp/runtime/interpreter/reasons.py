"""Say why a module is missing, if it may be in a bundle that cannot be used.

This module is loaded when the first such bundle is met.  Its finder is the last on ``sys.meta_path``.
"""

import sys

from .. import Record, bundles
from .. import format as bundle_format
from . import telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Sequence
    from types import ModuleType

    from ..faults.kinds import BundleFormatError


def _find_spec(
    fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
) -> "ModuleSpec | None":
    """Return the spec that the finders after this one find, or None if the module is only looked for.

    Raises:
        ModuleNotFoundError: the module is imported, no finder has it, and a bundle on *path* cannot be used.

    """
    fault = next(filter(None, map(_fault, sys.path if path is None else path)), None)
    if fault is None or not telling.is_being_imported(fullname):
        return None
    finders = list(sys.meta_path)
    for other in finders[finders.index(finder) + 1 :] if finder in finders else ():
        spec: ModuleSpec | None = other.find_spec(fullname, path, target)
        if spec is not None:
            return spec
    message = f"No module named {fullname!r}, unless it is in a bundle that cannot be used: {fault}"
    raise ModuleNotFoundError(message, name=fullname, path=fault.path)


def _fault(entry: object) -> "BundleFormatError | None":
    """Return why the bundle of a path entry cannot be used, or None."""
    location = bundles.locate(entry) if isinstance(entry, str) and bundle_format.SUFFIX in entry else None
    bundle = bundles.in_use.get(location.bundle) if location is not None else None
    return bundle.fault if bundle is not None and bundle.archive is None else None


finder = Record(claims_bundles=True, find_spec=_find_spec)


def tell() -> None:
    """Put the finder on ``sys.meta_path``, behind all others."""
    if finder not in sys.meta_path:
        sys.meta_path.append(finder)
