"""What an interpreter loads when a bundle is on its path, until a module of the bundle is imported.

Every start of Python looks for ``sitecustomize`` along the path, and every program for modules of the standard library.
`WaitingFinder` answers "no" from the list of top-level names, without loading the runtime.  Python's own `zipimport` has
read the zip's directory by then, before any hook could exist, and so knows where the bundle lists its top-level names: a
hash of what follows (8 bytes, the interpreter's own kind), and the names in UTF-8, a NUL before and behind each.

It also loads the runtime and the public names, for the package.
"""

import _imp
import marshal
import os
import sys
from _frozen_importlib import ModuleSpec, _ImportLockContext  # type: ignore[attr-defined]
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from _io import open_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from types import CodeType, ModuleType
    from typing import Any
    from zipimport import zipimporter

TOP_LEVEL = "BUNDLE-INFO/top-level"
HASH_SIZE = 8
_HOMES = {
    "Bundle": "inspection.bundle",
    "BundleError": "runtime.errors",
    "BundleFinder": "runtime.finder",
    "BundleLoader": "runtime.loaders",
    "BundleWarning": "runtime.faults.kinds",
    "PackReport": "packing.pack",
    "install": "runtime.hook",
    "open_bundle": "inspection.bundle",
    "pack": "packing.pack",
    "uninstall": "runtime.hook",
}
_package: "Any" = sys.modules[__package__]
# What `zipimport` made of the path entries that it was asked for before there was any hook, by absolute path.
_known_zips: "dict[str, Any]" = {}
# What loads the runtime, while it does.
_attempts: "list[Generator[ModuleType]]" = []


def read_code(fullname: str, path: str) -> "CodeType":
    """Return the code object of our module *fullname* at *path*, as `SourceFileLoader` gives it.

    Bytecode that is there and up to date is read in a third of the time.
    """
    folder, _, name = path.rpartition(os.sep)
    level = f".opt-{sys.flags.optimize}" if sys.flags.optimize else ""
    try:
        with open_code(f"{folder}/__pycache__/{name[:-3]}.{sys.implementation.cache_tag}{level}.pyc") as stream:
            data = stream.read()
        status = os.stat(path)
        source = int(status.st_mtime).to_bytes(8, "little")[:4] + status.st_size.to_bytes(8, "little")[:4]
        if data[:16] == MAGIC_NUMBER + bytes(4) + source and sys.pycache_prefix is None:
            code: CodeType = marshal.loads(memoryview(data)[16:])  # noqa: S302 (it is our own)
            _imp._fix_co_filename(code, path)  # type: ignore[attr-defined] # noqa: SLF001 (as other loaders do)
            return code
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return SourceFileLoader(fullname, path).get_code(fullname)  # type: ignore[return-value]


def runtime() -> "Any":
    """Return the package `runtime`, loaded as that loads its parts.

    Raises:
        ImportError: this thread is loading it: an audit hook (PEP 578) imports something while a file of it is opened.

    """
    name = f"{__package__}.runtime"
    with _ImportLockContext():
        if name not in sys.modules:
            if _attempts and _attempts[0].gi_running:
                message = f"{name} is still being loaded"
                raise ImportError(message, name=name)
            _attempts[:] = [_load_runtime(name)]
            next(_attempts[0])
    return sys.modules[name]


def _load_runtime(fullname: str) -> "Generator[ModuleType]":
    folder = os.path.join(_package.__path__[0], "runtime")
    path = os.path.join(folder, "__init__.py")
    try:
        code = read_code(fullname, path)
    except OSError:  # we are in an archive
        __import__(fullname)
    else:
        loader = SourceFileLoader(fullname, path)
        spec = ModuleSpec(fullname, loader, origin=path, is_package=True)
        spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
        spec.submodule_search_locations = [folder]
        module = type(sys)(fullname)
        module.__dict__.update(__spec__=spec, __loader__=loader, __file__=path, __package__=fullname, __path__=[folder])
        exec(code, module.__dict__)  # noqa: S102 (what a loader does)
        sys.modules[fullname] = _package.runtime = module
    yield sys.modules[fullname]


def attribute(name: str) -> object:
    """Return the attribute *name* of the package (PEP 562): a public name, or the runtime.

    Raises:
        AttributeError: there is none.

    """
    if name == "runtime":
        return runtime()
    if name == "__all__":
        return sorted(_HOMES)
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__package__!r} has no attribute {name!r}"
        raise AttributeError(message)
    room, *parts = home.split(".")
    value = runtime() if room == "runtime" else __import__(f"{__package__}.{home}", fromlist=[name])
    for part in parts if room == "runtime" else ():
        value = getattr(value, part)
    value = getattr(value, name)
    setattr(_package, name, value)
    return value


def names() -> "list[str]":
    """Return what the package shows of itself."""
    return ["__version__", *sorted(_HOMES)]


def installed() -> "Any":
    """Install the runtime's hooks, and return its module `hook`; ImportError as of `runtime`."""
    hook = runtime().hook
    hook.install()
    return hook


def forget_known() -> None:
    """Make the import system ask for the bundles on the path again, and keep what `zipimport` knows of them."""
    for path in list(sys.path_importer_cache):
        if ".pybundle" in path:
            importer: Any = sys.path_importer_cache.pop(path)
            if path.endswith(".pybundle") and hasattr(importer, "get_data"):
                _known_zips[os.path.abspath(path)] = importer


def path_hook(path: str) -> object:
    """Return a finder for the path entry *path*, which may be a bundle; errors as of `runtime.hook.path_hook`."""
    importer = _known_zips.pop(path, None)  # another thread may ask, too
    if importer is not None:
        return WaitingFinder(path, importer)
    try:
        hook = installed()
    except ImportError:

        class NothingYet:  # forgotten when the runtime is there
            find_spec = staticmethod(lambda _name, _target=None: None)

        return NothingYet
    return hook.path_hook(path)


def find_spec(name: str, path: "Any", target: "Any") -> "ModuleSpec | None":
    """Return the spec of the runtime, or of ``pkg_resources`` where a bundle is on the path; as of a meta path finder."""
    if name != "pkg_resources":
        return runtime().__spec__  # type: ignore[no-any-return]
    if not any(".pybundle" in str(entry) for entry in sys.path):
        return None
    installed()
    return sys.meta_path[0].find_spec(name, path, target)


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
        names = data[HASH_SIZE:]
        return names if _imp.source_hash(0, names) == data[:HASH_SIZE] else b""

    def __getattr__(self, name: str) -> "Any":
        try:
            finder = self._take_over()
        except ImportError:
            raise AttributeError(name) from None
        return getattr(finder, name)

    def _take_over(self) -> "Any":
        finder = sys.path_importer_cache[self.path] = installed().path_hook(self.path)
        return finder


READY = True
