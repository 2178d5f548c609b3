"""What a path entry that is a bundle answers while only the interpreter's own start asks.

Every start of Python looks for ``sitecustomize`` and ``usercustomize`` along the path, and most children of a program
import little else.  Python's own `zipimport` has read the zip by then, before any hook could exist, and knows whether
the two are there: `pack` keeps them where it sees them in either layout.  So nothing of the runtime is loaded for that.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any
    from zipimport import zipimporter

ASKED_AT_START = ("sitecustomize", "usercustomize")


class WaitingFinder:
    """Path entry finder in the place of a `BundleFinder`, which takes over at the first question of another kind."""

    def __init__(self, path: str, importer: "zipimporter") -> None:
        """Make a finder for the path entry *path*, a bundle that is also known to `zipimport` as *importer*."""
        self.path = path
        self._importer = importer

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of module *fullname*, or None where the bundle has no such module (PEP 451)."""
        if fullname in ASKED_AT_START and self._importer.find_spec(fullname) is None:
            return None
        try:
            finder = self._take_over()
        except ImportError:  # the file is gone
            return None
        spec: ModuleSpec | None = finder.find_spec(fullname, target)
        return spec

    def __getattr__(self, name: str) -> "Any":
        try:
            finder = self._take_over()
        except ImportError:
            raise AttributeError(name) from None
        return getattr(finder, name)

    def _take_over(self) -> "Any":
        from .runtime import hook  # noqa: PLC0415 (loaded when first needed)

        hook.install()
        finder = sys.path_importer_cache[self.path] = hook.path_hook(self.path)
        return finder
