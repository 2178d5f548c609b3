"""Path entry finder of a bundle until a module of it is first imported.

It answers from the list of top-level names, without loading the runtime.

Every start of Python looks for ``sitecustomize`` along the path, and every program for modules of the standard library.
Python's own `zipimport` has read the zip's directory by then, before any hook could exist, and so knows where the
bundle lists its top-level names: a hash of what follows (8 bytes, the interpreter's own kind), and the names in UTF-8,
a NUL before and behind each.
"""

import _imp
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any
    from zipimport import zipimporter

TOP_LEVEL = "BUNDLE-INFO/top-level"
_HASH = 8


def encode_top_level(members: "Iterable[str]") -> bytes:
    """Return the list of the names that *members* give to modules, packages and namespaces at the top level."""
    names = {member.partition("/")[0].partition(".")[0] for member in members}
    data = "\0".join(["", *sorted(names), ""]).encode("utf-8", "surrogateescape")
    return _imp.source_hash(0, data) + data


class WaitingFinder:
    """Path entry finder in the place of a `BundleFinder`, which takes over when a module may be there."""

    def __init__(self, path: str, importer: "zipimporter") -> None:
        """Make a finder for the path entry *path*, a bundle that is also known to `zipimport` as *importer*."""
        self.path = path
        self._importer = importer
        self._names: bytes | None = None

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of module *fullname*, or None where this path entry has no such module (PEP 451)."""
        if self._lacks(fullname.rpartition(".")[2]):
            return None
        try:
            finder = self._take_over()
        except ImportError:  # the file is gone
            return None
        spec: ModuleSpec | None = finder.find_spec(fullname, target)
        return spec

    def _lacks(self, name: str) -> bool:
        """Return whether the bundle certainly has no module *name*."""
        names = self._names
        if names is None:
            names = self._names = self._read_names()
        if not names or f"\0{name}\0".encode("utf-8", "surrogateescape") in names:
            return False
        return self._importer.find_spec(name) is None  # else another tool has put it there

    def _read_names(self) -> bytes:
        """Return the list of names; empty where there is none, as in a plain zip, or it is damaged."""
        try:
            data = self._importer.get_data(TOP_LEVEL)
        except Exception:  # noqa: BLE001 (damaged data is whatever zlib and zipimport raise; the runtime says it better)
            return b""
        names = data[_HASH:]
        return names if _imp.source_hash(0, names) == data[:_HASH] else b""

    def __getattr__(self, name: str) -> "Any":
        try:
            finder = self._take_over()
        except ImportError:
            raise AttributeError(name) from None
        return getattr(finder, name)

    def _take_over(self) -> "Any":
        hook = sys.modules[__package__]._installed()  # noqa: SLF001 (of our own package)
        finder = sys.path_importer_cache[self.path] = hook.path_hook(self.path)
        return finder
