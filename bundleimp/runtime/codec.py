"""Checksums and decompression, with the standard library's own compiled modules.

``zlib`` is often an extension module, found over ``sys.path`` like any other.  A bundle may hold a ``zlib.py``,
and an import made while a path hook runs can recurse into that hook; so it is loaded from where the interpreter
keeps its own extension modules, and ``sys.modules`` is left alone.
"""

import os
import sys
from _frozen_importlib import BuiltinImporter, ModuleSpec
from _frozen_importlib_external import EXTENSION_SUFFIXES, ExtensionFileLoader, PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

STORED = 0
DEFLATED = 8
ZSTANDARD = 93
# No deflate stream grows by more than this factor (zlib's "Maximum Compression Factor").
_DEFLATE_MOST = 1032


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
    # An unusual layout: search like an import statement, but never inside a file.
    return PathFinder.find_spec(name, [entry for entry in sys.path if os.path.isdir(entry)])


def standard_module(name: str) -> "ModuleType":
    """Return the standard library's compiled module *name*.

    Raises:
        ImportError: this interpreter was built without it.

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


_zlib = standard_module("zlib")
crc32: "Callable[[bytes], int]" = _zlib.crc32


def decompress(method: int, data: bytes, size: int) -> bytes:
    """Return *data* decompressed; never more than *size* + 1 bytes, whatever the data claims.

    Arguments:
        method: the zip compression method (APPNOTE 4.4.5): 0, 8 or 93.
        data: the member's compressed bytes.
        size: the announced size in bytes.

    Raises:
        ValueError: the data is broken, or the method is unknown or not in this Python's standard library.

    """
    if method == STORED:
        return data
    if method == DEFLATED:
        if size > len(data) * _DEFLATE_MOST:
            message = f"cannot have the {size} bytes that it announces"
            raise ValueError(message)
        decompressor = _zlib.decompressobj(-15)
        try:
            return decompressor.decompress(data, size + 1)  # type: ignore[no-any-return]
        except _zlib.error as error:
            message = f"cannot be decompressed: {error}"
            raise ValueError(message) from None
    if method == ZSTANDARD:
        try:
            zstd = standard_module("_zstd")
        except ImportError:
            message = "is compressed with zstd, which needs Python 3.14 or newer"
            raise ValueError(message) from None
        try:
            return zstd.ZstdDecompressor().decompress(data, min(size + 1, sys.maxsize))  # type: ignore[no-any-return]
        except zstd.ZstdError as error:
            message = f"cannot be decompressed: {error}"
            raise ValueError(message) from None
    message = f"is compressed with method {method}, which is not supported"
    raise ValueError(message)
