"""Path entry finder that an interpreter uses for a bundle until a module of the bundle is first imported.

Every start of Python looks for ``sitecustomize`` along the path, and every program looks for modules of the standard
library.  `waiting_finder` answers "no" from the list of top-level names, without loading the runtime.  Python's own
`zipimport` has read the zip's directory before any hook could exist.  So it knows the position of the bundle's list of
top-level names.  This list is a hash of the rest (8 bytes, the interpreter's own kind of hash), and the names in UTF-8,
with a NUL before and after each.

This module also loads the runtime.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import _imp
import _io
import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Generator
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from types import CodeType, ModuleType
    from typing import Any
    from zipimport import zipimporter
else:
    SourceFileLoader = external.SourceFileLoader
    os = external._os  # `os` itself would live as long as this module: see `runtime`

_PACKAGE = __name__.rpartition(".")[0]
TOP_LEVEL = "BUNDLE-INFO/top-level"
HASH_SIZE = 8
SUFFIXES = (".pybundle", ".pybundle.zip", ".pybundle.egg", ".pybundle.jar", ".pybundle.pyz")  # `format.SUFFIXES`
_package: "Any" = sys.modules[_PACKAGE]
# The importers that `zipimport` made for path entries before any hook existed, by absolute path.
_known_zips: "dict[str, Any]" = {}
# The generator that loads the runtime.
_attempt: "Any" = None


def read_code(fullname: str, path: str) -> "CodeType":
    """Return the code object of our module *fullname* at *path*, as `SourceFileLoader` returns it.

    If up-to-date bytecode exists, this function reads it in a third of the time.
    """
    own = _package.__spec__.loader
    if not isinstance(own, SourceFileLoader):  # the package is in an archive
        try:
            return compile(own.get_data(path), path, "exec", dont_inherit=True)
        except OSError:
            raise FileNotFoundError(path) from None
    folder, _, name = path.rpartition(external.path_sep)
    level = f".opt-{sys.flags.optimize}" if sys.flags.optimize else ""
    try:
        with _io.open_code(f"{folder}/__pycache__/{name[:-3]}.{sys.implementation.cache_tag}{level}.pyc") as stream:
            data = stream.read()
        status = os.stat(path)
        source = (status.st_size & 0xFFFFFFFF) << 32 | int(status.st_mtime) & 0xFFFFFFFF
        if data[:16] == external.MAGIC_NUMBER + bytes(4) + source.to_bytes(8, "little") and sys.pycache_prefix is None:
            code: CodeType = marshal.loads(memoryview(data)[16:])  # noqa: S302 (it is our own)
            _imp._fix_co_filename(code, path)  # type: ignore[attr-defined] # noqa: SLF001 (as other loaders do)
            return code
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return SourceFileLoader(fullname, path).get_code(fullname)  # type: ignore[return-value]


def load_runtime() -> "Any":
    """Return our package `runtime`, loaded as that loads its parts.

    Raises:
        ImportError: this thread is loading the package, and an audit hook (PEP 578) for one of its files imports
            something.

    """
    global _attempt  # noqa: PLW0603 (each attempt is another generator)
    fullname = f"{_PACKAGE}.runtime"
    with bootstrap._ImportLockContext():  # type: ignore[attr-defined]
        # It is missing in ``sys.modules`` for a moment if a program imports it by its name.
        module = _package.__dict__.get("runtime") or sys.modules.get(fullname)
        if module is None:
            if _attempt is not None and _attempt.gi_running:
                message = f"{fullname} is still being loaded"
                raise ImportError(message, name=fullname)
            attempt = _attempt = _load(fullname)
            module = next(attempt)
            _attempt = None
    return module


def _load(fullname: str) -> "Generator[ModuleType]":
    if "runtime" in _package.__dict__:  # what interrupted this thread since `load_runtime` looked has loaded it
        yield _package.runtime
    folder = f"{_package.__path__[0]}{external.path_sep}runtime"
    path = f"{folder}{external.path_sep}__init__.py"
    code = read_code(fullname, path)
    own = _package.__spec__.loader  # of an archive, if the package is in one
    loader = SourceFileLoader(fullname, path) if isinstance(own, SourceFileLoader) else own
    spec = bootstrap.ModuleSpec(fullname, loader, origin=path, is_package=True)
    spec._set_fileattr = True  # type: ignore[attr-defined] # as spec_from_file_location does
    spec._initializing = False  # type: ignore[attr-defined] # else each import of the module raises AttributeError once
    spec.submodule_search_locations = [folder]
    module: Any = type(sys)(fullname)
    names = {"__spec__": spec, "__loader__": spec.loader, "__file__": path, "__package__": fullname}
    module.__dict__.update(names, __path__=spec.submodule_search_locations, this=module)
    exec(code, module.__dict__)  # noqa: S102 (what a loader does)
    sys.modules[fullname] = _package.runtime = module
    yield module


def install_hooks() -> "Any":
    """Install the runtime's hooks, and return its module `hook`.  Raises ImportError like `load_runtime`."""
    hook = load_runtime().hook
    hook.install()
    return hook


def forget_known() -> None:
    """Make the import system ask its path hooks again for bundles, and keep the importers that `zipimport` made.

    If bundles are to be unpacked, replace their entries of ``sys.path`` by folders with real files.
    """
    import os  # noqa: PLC0415 (not above: see `runtime`)

    # Then a `BundleFinder`, which reports what is missing, answers from the start.
    variable = "BUNDLEIMP_TRACE" if sys.platform == "win32" else b"BUNDLEIMP_TRACE"
    is_traced = variable in external._os.environ  # type: ignore[attr-defined]
    for path in list(sys.path_importer_cache):
        if ".pybundle" in path:
            importer: Any = sys.path_importer_cache.pop(path)
            if path.endswith(SUFFIXES) and hasattr(importer, "get_data") and not is_traced:
                _known_zips[os.path.abspath(path)] = importer
    if os.environ.get("BUNDLEIMP_UNPACK", "") not in {"", "0"}:
        install_hooks()
        load_runtime().site.unpacked.replace_entries(sys.path)


def path_hook(path: str) -> object:
    """Return a finder for the path entry *path*, which may be a bundle.

    Raises:
        ImportError: *path* is for the next hook.
        OSError: a part of the runtime cannot be loaded now.

    """
    importer = _known_zips.pop(path, None)  # another thread may ask for it, too
    if importer is not None:
        return waiting_finder(path, importer)
    try:
        hook = load_runtime().hook
    except ImportError as error:
        if not str(error).endswith("is still being loaded"):
            raise OSError(str(error)) from error
        # This thread is loading the runtime.  This answer is deleted when its hooks are installed.
        return _package.meta_finder
    hook.install()
    return hook.path_hook(path)


def waiting_finder(path: str, importer: "zipimporter") -> "Any":
    """Return a path entry finder for *path*, a bundle that `zipimport` also knows, as *importer*.

    A `BundleFinder` takes its place when the bundle may have a wanted module, or when another attribute is read.  The
    object is a module with a ``__getattr__`` (PEP 562), because making a class would take longer than all it does.
    """
    names = top_level(importer)

    def find_spec(fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of module *fullname*, or None if this path entry has no such module (PEP 451)."""
        if lacks(importer, names, fullname.rpartition(".")[2]):
            return None
        found = take_over()
        return found.find_spec(fullname, target) if found is not None else None

    def take_over() -> "Any":
        """Put a `BundleFinder` in the place of this finder.  Return it, or None if there is no bundle any more."""
        try:
            finder = sys.path_importer_cache[path] = install_hooks().path_hook(path)
        except ImportError as error:
            # Any other error is not about the bundle: a part of the runtime cannot be loaded.
            if error.path == path or hasattr(error, "offset") or str(error).endswith("is still being loaded"):
                return None
            raise
        return finder

    def attribute(name: str) -> "Any":
        found = take_over()
        if found is None:
            raise AttributeError(name)
        return getattr(found, name)

    finder: Any = type(sys)(path)
    finder.find_spec = find_spec
    finder.__getattr__ = attribute
    return finder


def lacks(importer: "zipimporter", names: bytes, name: str) -> bool:
    """Return whether the bundle with the top-level *names* certainly has no module *name*."""
    try:
        if not names or f"\0{name}\0".encode("utf-8", "surrogateescape") in names:
            return False
    except UnicodeEncodeError:  # for no file has such a name
        return True
    return importer.find_spec(name) is None  # another tool may have added it


def top_level(importer: "zipimporter") -> bytes:
    """Return the bundle's list of top-level names.  Return b"" if it is missing, as in a plain zip, or damaged."""
    try:
        data = importer.get_data(TOP_LEVEL)
    except Exception:  # noqa: BLE001 (zlib and zipimport raise any error; the runtime reports it better)
        return b""
    names = data[HASH_SIZE:]
    return names if _imp.source_hash(0, names) == data[:HASH_SIZE] else b""


if "linecache" in sys.modules:
    _package._load("public").adapt_linecache(sys.modules["linecache"])  # noqa: SLF001 (of our own package)
for path in list(sys.path_importer_cache):
    if sys.path_importer_cache[path] is _package.meta_finder:  # it answered for this module while that was loaded
        del sys.path_importer_cache[path]
READY = True
