"""The runtime inside a bundle (``pack --standalone``).  It has another package name, and is stored in one piece.

Only the ``__main__`` of such a bundle loads this module.  It is the first module of the embedded runtime, and makes the
others importable.

The piece starts with a hash of the rest (8 bytes, the interpreter's own kind of hash).  Then follow, for each part, the
size of its name (u16), the size of its content (u32), the name, and the content: a pyc image or source.  A name is a
path below the runtime's folder: "hook.py", "site/__init__.py".  This module is the first part.
"""

import _imp
import marshal
import os
import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any

_HASH = 8
_PYC_HEADER = 16
# Hash-based and unchecked (PEP 552).  No source can have these bytes at this position.
_PYC_FLAGS = b"\1\0\0\0"
FIRST = "interpreter/embedded.py"
PACKAGE = __name__.removesuffix(".interpreter.embedded")


def digest(data: bytes) -> bytes:
    """Return the hash that precedes *data* in a piece.  `decode` takes both."""
    return _imp.source_hash(0, data)


def encode(parts: "dict[str, bytes]") -> bytes:
    """Return *parts*, which maps names to contents, as one piece."""
    pieces = []
    for name, content in sorted(parts.items(), key=lambda item: (item[0] != FIRST, item[0])):
        pieces += [len(name).to_bytes(2, "little"), len(content).to_bytes(4, "little"), name.encode(), content]
    data = b"".join(pieces)
    return digest(data) + data


def decode(data: bytes) -> "dict[str, bytes]":
    """Return the parts in *data*: contents by name.

    Raises:
        ValueError: the data is damaged.

    """
    if digest(data[_HASH:]) != data[:_HASH]:
        message = "does not match its checksum"
        raise ValueError(message)
    parts = {}
    position = _HASH
    while position < len(data):
        start = position + 6
        middle = start + int.from_bytes(data[position : position + 2], "little")
        position = middle + int.from_bytes(data[position + 2 : start], "little")
        parts[data[start:middle].decode()] = data[middle:position]
    return parts


class EmbeddedRuntime:
    """Loader (PEP 451) of the runtime's parts, for the runtime itself (see `runtime`).

    It is also a meta path finder, for the package and for parts that are imported by their full name.  It is the last
    finder, and finds no other module.
    """

    __slots__ = ("_path", "parts")

    def __init__(self, path: str, data: bytes) -> None:
        """Make a loader of the parts in *data*, from the bundle at *path*."""
        self._path = path
        self.parts = decode(data)

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002 (the protocol's)
        target: "ModuleType | None" = None,  # noqa: ARG002 (the protocol has it)
    ) -> "ModuleSpec | None":
        """Return the spec of a part of the runtime, else None."""
        name = self._name(fullname)
        if name is None:
            return None
        package = sys.modules.get(PACKAGE)
        loader: Any = self if package is None else package.part_loader
        is_package = name.endswith("__init__.py")
        spec = ModuleSpec(fullname, loader, origin=self._filename(name), is_package=is_package)
        spec._set_fileattr = True  # type: ignore[attr-defined] # as spec_from_file_location does
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(self._filename(name))]
        return spec

    def _name(self, fullname: str) -> "str | None":
        """Return the file name of the part *fullname*, or None if there is no such part."""
        below = fullname[len(PACKAGE) :].replace(".", "/") if fullname.startswith(PACKAGE) else "?"
        for name in (f"{below}.py"[1:], f"{below}/__init__.py"[1:]):
            if name in self.parts:
                return name
        return None

    def _filename(self, name: str) -> str:
        return os.path.join(self._path, "BUNDLE-INFO", "runtime", *name.split("/"))

    def create_module(self, spec: "ModuleSpec") -> None:
        """Return None: the part is an ordinary module."""

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 (what a loader does)

    def read_code(self, fullname: str, path: str) -> "CodeType":  # noqa: ARG002 (of the runtime's protocol)
        """Return the code object of a part, as `get_code` does."""
        return self.get_code(fullname)

    def get_code(self, fullname: str) -> "CodeType":
        """Return the code object of a part.

        Raises:
            FileNotFoundError: there is no such part.

        """
        name = self._name(fullname)
        if name is None:
            raise FileNotFoundError(fullname)
        content, filename = self.parts[name], self._filename(name)
        if content[4:8] != _PYC_FLAGS:
            return compile(content, filename, "exec", dont_inherit=True)
        code: CodeType = marshal.loads(memoryview(content)[_PYC_HEADER:])  # noqa: S302 (it is code, and will be run)
        _imp._fix_co_filename(code, filename)  # type: ignore[attr-defined] # noqa: SLF001 (as other loaders do)
        return code

    def get_source(self, fullname: str) -> "str | None":
        """Return the part's source, or None if it cannot be read (PEP 302)."""
        from zipimport import zipimporter  # noqa: PLC0415 (for tracebacks only)

        try:
            data = zipimporter(self._path).get_data("BUNDLE-INFO/runtime.source")
            return decode(data)[self._name(fullname) or ""].decode()
        except (ImportError, OSError, ValueError, KeyError):
            return None


def runtime(path: str, data: bytes, version: str) -> "ModuleType":
    """Return the module `program` of the installed runtime if that is active and newer, else of the embedded one.

    The runtime of another program may be active, because that has started this process.  It is used unless it is older.

    Arguments:
        path: the bundle.
        data: the runtime in the bundle.
        version: the version of that runtime.

    """
    global PACKAGE  # noqa: PLW0603 (the name of the runtime that this module provides)
    at_work = any(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks)
    installed = sys.modules.get("bundleimp")
    if at_work and _release(getattr(installed, "__version__", "")) > _release(version):
        newer = "bundleimp.runtime.interpreter.program"
        __import__(newer)
        return sys.modules[newer]
    active = sys.modules.get(PACKAGE)
    if active is not None and _release(getattr(active, "__version__", "")) < _release(version):
        # It is of the program that started this process.  Modules that it has loaded go on with it.
        active.interpreter.removing.uninstall()
        PACKAGE = "_".join([PACKAGE, *map(str, _release(version))])
    if PACKAGE not in sys.modules:
        _provide(path, data, version)
    # Remove the hooks of the installed runtime.  The new hook makes the import system ask its path hooks again.
    other = sys.modules.get("bundleimp.runtime")
    if other is not None:
        other.interpreter.removing.uninstall()
    return sys.modules[PACKAGE].interpreter.program  # type: ignore[no-any-return]


def _release(version: str) -> "list[int]":
    return [int(part) for part in version.split(".") if part.isdigit()]


def _provide(path: str, data: bytes, version: str) -> None:
    """Load the package of the embedded runtime, which loads its parts."""
    loader = EmbeddedRuntime(path, data)
    spec: Any = loader.find_spec(PACKAGE)
    package: Any = type(sys)(PACKAGE)
    names = {"__spec__": spec, "__loader__": loader, "__package__": PACKAGE, "__file__": spec.origin}
    package.__dict__.update(names, __path__=spec.submodule_search_locations, __version__=version, this=package)
    sys.modules[PACKAGE] = package
    exec(loader.get_code(PACKAGE), package.__dict__)  # noqa: S102 (what a loader does)
    sys.meta_path.append(loader)
