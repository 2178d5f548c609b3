"""The standard library's own compiled modules.

They are often extension modules, and the import system searches ``sys.path`` for them as for any other module.  A
bundle may contain a ``zlib.py``, and an import made while a path hook runs can recurse into that hook.  So this module
loads them from the interpreter's own folder of extension modules, and does not change ``sys.modules``.
"""

import os
import sys
from _frozen_importlib import BuiltinImporter, ModuleSpec
from _frozen_importlib_external import EXTENSION_SUFFIXES, ExtensionFileLoader, PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def _find_standard(name: str) -> "ModuleSpec | None":
    if name in sys.builtin_module_names:
        return BuiltinImporter.find_spec(name)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in (
        os.path.join(getattr(sys, "_stdlib_dir", None) or "", "lib-dynload"),
        os.path.join(sys.base_exec_prefix, sys.platlibdir, version, "lib-dynload"),
        os.path.join(sys.base_exec_prefix, "DLLs"),
    ):
        for suffix in EXTENSION_SUFFIXES:
            path = os.path.join(folder, name + suffix)
            if os.path.isabs(path) and os.path.isfile(path):
                return ModuleSpec(name, ExtensionFileLoader(name, path), origin=path)
    # The layout is unusual: search like an import statement, but never inside a file.
    return PathFinder.find_spec(name, [entry for entry in sys.path if os.path.isdir(entry)])


def standard_module(name: str) -> "ModuleType":
    """Return the standard library's compiled module *name*.

    Raises:
        ImportError: this interpreter was built without the module.

    """
    spec = _find_standard(name)
    if spec is None or spec.loader is None:
        message = f"this Python was built without {name!r}"
        raise ImportError(message, name=name)
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(getattr(loaded, "__spec__", None), "origin", None) == spec.origin:
        return loaded
    module = spec.loader.create_module(spec)
    if module is None:
        message = f"the standard library's {name!r} is not a compiled module"
        raise ImportError(message, name=name)
    spec.loader.exec_module(module)
    return module
