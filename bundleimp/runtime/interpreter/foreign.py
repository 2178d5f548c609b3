"""The error for extension modules that a bundle has for other Pythons or platforms only.

This module is loaded when a finder is asked for a module that it does not have, and there is such a file.
"""

import sys

from .. import content, faults, site
from . import reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec

    from ..archive import Archive
    from ..format import Directory
    from ..plain.zipdirectory import ListedDirectory

# The bundles of which the user was told here, by the key of the archive.
_told: "set[str]" = set()


def find_missing(fullname: str, archive: "Archive", directory: "Directory | ListedDirectory") -> "ModuleSpec | None":
    """Return the spec of a module that a finder lacks, or has as a namespace package only, from another path entry.

    Return None if the bundle has no such extension module for other Pythons, or if the module is only looked for.

    Arguments:
        fullname: the module's name.
        archive: the finder's bundle.
        directory: the finder's directory in it.

    Raises:
        ImportError: the module is being imported, and no path entry has it.

    """
    tail = fullname.rpartition(".")[2]
    files = [name for name in directory.names if name.startswith(f"{tail}.") and name.endswith((".so", ".pyd"))]
    names = [name for name in files if site.planning.is_extension(name)]
    caller = sys._getframe(2)  # noqa: SLF001 (no other function tells an import from a look)
    if not names or not reasons.is_import(caller):
        return None
    spec = reasons.look_elsewhere(fullname)
    if spec is not None and spec.loader is not None:  # and no namespace package, made of a folder of stubs
        return spec
    path = archive.path
    purposes = dict.fromkeys(str(content.purposes.Purpose(name)) for name in sorted(names))
    message = (
        f"{path}: {directory.prefix}{min(names)} is for {' or '.join(purposes)}, and this is {content.purposes.here()};"
        f" use such a Python, or pack with --python {sys.executable}"
    )
    if archive.key not in _told and not isinstance(archive.fault, faults.kinds.BundleFitError):
        _told.add(archive.key)
        faults.warning.warn(message)
    # For `from package import name`, the import system replaces a ModuleNotFoundError by an error without a reason.
    kind = ImportError if reasons.is_from_list(caller) else ModuleNotFoundError
    raise kind(message, name=fullname, path=path)
