"""The runtime inside a bundle (``pack --standalone``), where it goes by another name and comes in one piece.

Only the ``__main__`` of such a bundle loads this module, as the first of its runtime, to make the others importable.

The piece is a hash of what follows it (8 bytes, the interpreter's own kind), then for each module u16 size of its name,
u32 size of its content, name, and content: a pyc image or source.  This module stands first.
"""

import _imp
import marshal
import os
import sys
from _frozen_importlib import ModuleSpec, _load  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

_HASH = 8
_PYC_HEADER = 16
# Hash-based and not checked (PEP 552): no source can have these bytes in this place.
_PYC_FLAGS = b"\1\0\0\0"
PACKAGE = __name__.rpartition(".")[0]


def digest(data: bytes) -> bytes:
    """Return the hash that stands before *data*, which is what `decode` decodes without it."""
    return _imp.source_hash(0, data)


def encode(modules: "dict[str, bytes]") -> bytes:
    """Return *modules*, content by name, in one piece."""
    parts = []
    for name, content in sorted(modules.items(), key=lambda item: (item[0] != "embedded", item[0])):
        parts += [len(name).to_bytes(2, "little"), len(content).to_bytes(4, "little"), name.encode(), content]
    data = b"".join(parts)
    return digest(data) + data


def decode(data: bytes) -> "dict[str, bytes]":
    """Return the modules in *data*, content by name.

    Raises:
        ValueError: it is damaged.

    """
    if digest(data[_HASH:]) != data[:_HASH]:
        message = "does not match its checksum"
        raise ValueError(message)
    modules = {}
    position = _HASH
    while position < len(data):
        start = position + 6
        middle = start + int.from_bytes(data[position : position + 2], "little")
        position = middle + int.from_bytes(data[position + 2 : start], "little")
        modules[data[start:middle].decode()] = data[middle:position]
    return modules


class EmbeddedRuntime:
    """Meta path finder and loader (PEP 451) of the runtime's modules.

    It is asked last, and for no module but those.
    """

    __slots__ = ("_modules", "_path")

    def __init__(self, path: str, data: bytes) -> None:
        self._path = path
        self._modules = decode(data)

    def find_spec(
        self,
        fullname: str,
        path: "Sequence[str] | None" = None,  # noqa: ARG002 (the protocol's)
        target: "ModuleType | None" = None,  # noqa: ARG002 (the protocol has it)
    ) -> "ModuleSpec | None":
        """Return the spec of a module of the runtime, else None."""
        name = self._name(fullname)
        if name not in self._modules:
            return None
        spec = ModuleSpec(fullname, self, origin=self._filename(name), is_package=fullname == PACKAGE)  # type: ignore[arg-type]
        spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
        return spec

    def _name(self, fullname: str) -> str:
        if fullname == PACKAGE:
            return "__init__"
        parent, _, name = fullname.rpartition(".")
        return name if parent == PACKAGE else ""

    def _filename(self, name: str) -> str:
        return os.path.join(self._path, "BUNDLE-INFO", "runtime", f"{name}.py")

    def create_module(self, spec: "ModuleSpec") -> None:
        """Return None: the module is an ordinary one."""

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 (what a loader does)

    def get_code(self, fullname: str) -> "CodeType":
        """Return the module's code object."""
        name = self._name(fullname)
        content = self._modules[name]
        filename = self._filename(name)
        if content[4:8] != _PYC_FLAGS:
            return compile(content, filename, "exec", dont_inherit=True)
        code: CodeType = marshal.loads(memoryview(content)[_PYC_HEADER:])  # noqa: S302 (it is code, and will be run)
        _imp._fix_co_filename(code, filename)  # type: ignore[attr-defined] # noqa: SLF001 (what the standard library's loaders do)
        return code

    def get_source(self, fullname: str) -> "str | None":
        """Return the module's source, or None where it cannot be read (PEP 302)."""
        from zipimport import zipimporter  # noqa: PLC0415 (for tracebacks only)

        try:
            data = zipimporter(self._path).get_data("BUNDLE-INFO/runtime.source")
            return decode(data)[self._name(fullname)].decode()
        except (ImportError, OSError, ValueError, KeyError):
            return None


def runtime(module: "Any", path: str, data: bytes, version: str) -> "ModuleType":
    """Return the module `program` of the runtime to use: the installed one where it is at work and newer.

    Arguments:
        module: this module, which was not imported.
        path: the bundle.
        data: the runtime in it.
        version: its version.

    """
    at_work = any(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks)
    installed = getattr(sys.modules.get("bundleimp"), "__version__", "") if at_work else ""
    if _release(installed) > _release(version):
        newer = "bundleimp.runtime.program"
        __import__(newer)
        return sys.modules[newer]
    if PACKAGE not in sys.modules:
        _provide(module, path, data)
    # What is installed gives way; the new hook makes the import system ask again.
    hook = sys.modules.get("bundleimp.runtime.hook")
    if hook is not None:
        hook.uninstall()
    from . import program  # noqa: PLC0415 (importable only now)

    return program


def _release(version: str) -> "list[int]":
    return [int(part) for part in version.split(".") if part.isdigit()]


def _provide(module: "Any", path: str, data: bytes) -> None:
    """Make the embedded runtime importable."""
    loader = EmbeddedRuntime(path, data)
    sys.meta_path.append(loader)
    package = _load(loader.find_spec(PACKAGE))
    module.__spec__ = loader.find_spec(__name__)
    module.__file__, module.__loader__, module.__package__ = module.__spec__.origin, loader, PACKAGE
    sys.modules[__name__] = package.embedded = module
