"""Programs: bundles whose names need not end in the suffix.

Every other bundle is known by its name.  `admit` makes the import system treat a file without the suffix as a bundle.
"""

from _frozen_importlib_external import path_separators

from .. import bundlefile, bundles, this
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..annotations import Location


def admit(path: str) -> None:
    """Make the import system import from the bundle at the absolute *path*, whatever its name is."""
    if not path.endswith(bundle_format.SUFFIXES) and path not in bundles.programs:
        bundles.programs += (path,)
        this.interpreter.programs.install()


def may_hold(path: str) -> bool:
    """Return whether *path* looks like a path to a bundle or in one.  The disk is not read."""
    return bundle_format.SUFFIX in path or path.startswith(bundles.programs)


def locate(path: str) -> "Location | None":
    """Split *path* after its first part that is a bundle, or return None if it has none."""
    return locate_in_program(path) or (bundles.locate(path) if bundle_format.SUFFIX in path else None)


def locate_in_program(path: str) -> "Location | None":
    """Split *path* after the part that is an admitted program, or return None if it has none."""
    for program in bundles.programs:
        rest = path[len(program) :]
        if path.startswith(program) and (not rest or rest[0] in path_separators):
            status = bundlefile.status_of(program) if program not in bundles.in_use else None
            return bundles.Location(bundle=program, inner=bundles.inner_name(rest), status=status)
    return None
