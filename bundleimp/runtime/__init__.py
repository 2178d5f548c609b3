"""The runtime: the code that a process loads to import from bundles, and the loader of its parts.

Every import of indexed, embedded code goes through the modules in this folder.  They are loaded together, at the first
such import.  Each folder below is a *room*, a subpackage whose modules are loaded one by one, when they are first
needed.

A *part* is a module or a room.  This module loads the parts from its own folder, under the interpreter's import lock.
It does not use ``sys.meta_path``, ``sys.path_hooks`` or ``sys.path``, because a program may have emptied or replaced
them.  It does not use a module lock, either.  The import system calls a finder while it holds its import lock.  If the
finder waited for a module lock then, it could wait forever, because the owner of that lock may be waiting for the
import lock.

Parts import each other by ``from . import part``, which first asks the package for the name (PEP 562), and so this
module.  ``from .part import name`` would ask the import system.

The modules of this folder do not import `os`, but the modules that `os` consists of.  They live as long as the import
system.  If they still refer to `os` when the interpreter ends, the interpreter takes a quarter of a million
instructions to clear it.
"""

import sys
from _frozen_importlib import ModuleSpec, _ImportLockContext  # type: ignore[attr-defined]
from _frozen_importlib_external import SourceFileLoader, path_sep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *


ROOMS = frozenset({"cache", "content", "data", "faults", "interpreter", "plain", "site", "sources"})
_FOLDER: str = __path__[0]


class PartLoader:
    """Loader of the parts (PEP 451), and path entry finder of our folders.  Each part is loaded only once.

    The import system uses this loader if a part is imported by its full name.
    """

    claims_bundles = True  # as the path hook does

    def __init__(self, fullname: str = "", path: str = "") -> None:
        """Make the loader of the part *fullname*, whose source is at *path*, or a finder for the folder *path*."""
        self.name = fullname
        self.path = path

    def __getattr__(self, name: str) -> "Any":
        if name[:2] == "__":  # `copy` asks for them before there is a name
            raise AttributeError(name)
        if not self.name:
            from . import interpreter  # noqa: PLC0415 (loaded when first needed)

            return interpreter.parts.attribute_of_finder(self.path, name, ROOMS)
        inner = SourceFileLoader(self.name, self.path) if _is_in_folder else _own_loader
        return getattr(inner, name)

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":  # noqa: ARG002
        """Return the spec of the part *fullname*, or None if there is none.

        The import system holds its import lock during this call.  The part may need other modules first, so it is not
        loaded yet.
        """
        module = _parts.get(fullname)
        if module is not None:
            return module.__spec__
        spec = _spec(fullname)
        try:
            _code(fullname, spec.origin)  # type: ignore[arg-type]
        except FileNotFoundError:
            return None
        except OSError:
            pass  # `create_module` raises the error
        return spec

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Load and return the part."""
        if spec.name == __name__:
            return _this
        room, _, name = spec.name.rpartition(".")
        return _parts.get(spec.name) or getattr(_parts.get(room) or _this, name)

    def exec_module(self, module: "ModuleType") -> None:
        """Do nothing: `create_module` has executed the part."""


def environ(name: str) -> str:
    """Return the value of the environment variable *name*, or ""."""
    import os  # noqa: PLC0415 (not above: see there)

    return os.environ.get(name, "")


TRACING = environ("BUNDLEIMP_TRACE") not in {"", "0"}


def trace(message: str) -> None:
    """Write one line to standard error.  Callers test `TRACING` first."""
    if sys.stderr is not None:
        sys.stderr.write(f"bundleimp: {message}\n")


def fault(message: str, **where: "Any") -> "BundleFormatError":
    """Return the error for a broken bundle.  *where* has the arguments of `faults.kinds.BundleFormatError`."""
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    return faults.kinds.BundleFormatError(message, **where)


# This module.  It is missing in ``sys.modules`` for a moment if a program imports it by its name.
_this: "ModuleType" = globals().get("this") or sys.modules[__name__]
# The loaded parts by name.  A program may remove modules from ``sys.modules``.
_parts: "dict[str, ModuleType]" = {}
# The builtins of parts from Python 3.15 on.  They make the parts' imports eager, even if the program makes all imports
# lazy (PEP 810).
_eager: "dict[str, Any] | None" = None
if sys.version_info >= (3, 15):
    _eager = dict(sys.modules["builtins"].__dict__)
    _eager["__lazy_import__"] = _eager["__import__"]
# The parts that are being loaded, by name.
_attempts: "dict[str, Any]" = {}


def part(fullname: str) -> "ModuleType":
    """Return the part *fullname*.  Load it if it is not loaded yet.

    Raises:
        ImportError: this thread is already loading the part, and an audit hook (PEP 578) for that load needs it.
        AttributeError: there is no such part.

    """
    with _ImportLockContext():
        module = _parts.get(fullname)
        if module is None:
            attempt = _attempts.get(fullname)
            if attempt is not None and attempt.gi_running:
                message = f"{fullname} is still being loaded"
                raise ImportError(message, name=fullname)
            # A generator knows whether it is running.  A flag would stay set after an interrupt at the wrong moment.
            attempt = _attempts[fullname] = _load(fullname)
            module = next(attempt)
            _attempts.pop(fullname, None)
    return module


def _spec(fullname: str) -> ModuleSpec:
    """Return the spec of the part *fullname*, which need not exist."""
    room, _, name = fullname.rpartition(".")
    folder = _FOLDER + fullname[len(__name__) :].replace(".", path_sep)
    is_room = room == __name__ and name in ROOMS
    path = f"{folder}{path_sep}__init__.py" if is_room else f"{folder}.py"
    loader: Any = PartLoader(fullname, path)
    spec = ModuleSpec(fullname, loader, origin=path, is_package=is_room)
    spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
    if is_room:
        spec.submodule_search_locations = [folder]
    return spec


def _load(fullname: str) -> "Generator[ModuleType]":
    """Load the part *fullname*, and yield it."""
    room, _, name = fullname.rpartition(".")
    spec = _spec(fullname)
    path: Any = spec.origin
    try:
        code = _code(fullname, path)
    except FileNotFoundError:
        message = f"module {room!r} has no attribute {name!r}"
        raise AttributeError(message) from None
    except OSError as error:  # for example, too many files are open
        message = f"{path}: this part of bundleimp cannot be read: {error.strerror}"
        raise ImportError(message, name=fullname, path=path) from error
    module = type(sys)(fullname)
    namespace: dict[str, Any] = module.__dict__
    namespace |= {"__spec__": spec, "__loader__": spec.loader, "__file__": path, "__package__": spec.parent}
    if _eager is not None:
        namespace["__builtins__"] = _eager
    if spec.submodule_search_locations is not None:
        namespace["__path__"] = spec.submodule_search_locations
        _keep_folder(spec.submodule_search_locations[0])
    exec(code, namespace)  # noqa: S102 (what a loader does)
    # Publish the module only now, because other threads read these dictionaries without a lock.
    _parts[fullname] = sys.modules[fullname] = module
    setattr(_parts.get(room) or _this, name, module)
    yield module


def is_own_folder(path: str) -> bool:
    """Return whether *path* is the folder of the runtime or of a room."""
    return path.startswith(_FOLDER) and (path == _FOLDER or path[len(_FOLDER) + 1 :] in ROOMS)


def _keep_folder(path: str) -> None:
    """Make the import system use this module's loader for parts in *path* that are imported by full name."""
    if _is_in_folder:
        sys.path_importer_cache[path] = PartLoader("", path)


def parts_of(room: str, needs: "dict[str, tuple[str, ...]] | None" = None) -> "Callable[[str], ModuleType]":
    """Return ``__getattr__`` for the package *room*.  Its parts are attributes, loaded when they are first read.

    Arguments:
        room: the package's name.
        needs: the standard library modules that each part needs.  They are imported first, without the import lock,
            because another thread may be importing one of them and need that lock.

    """

    def get_part(name: str) -> "ModuleType":
        if name[:1] == "_":
            message = f"module {room!r} has no attribute {name!r}"
            raise AttributeError(message)
        for module in (needs or {}).get(name, ()):
            __import__(module)
        return part(f"{room}.{name}")

    return get_part


# The source of the parts' code: files in folders, the embedded piece of a standalone program, or an archive.
_own_loader: "Any" = __spec__.loader
_is_in_folder = isinstance(_own_loader, SourceFileLoader)
_code: "Callable[[str, str], CodeType]"
if hasattr(_own_loader, "parts"):
    _code = _own_loader.read_code
else:
    _code = sys.modules[__package__.rpartition(".")[0]]._load("waiting").read_code  # noqa: SLF001 (of our own package)


__getattr__ = parts_of(__name__)
own_spec: ModuleSpec = __spec__
__spec__.loader = PartLoader(__name__, f"{_FOLDER}{path_sep}__init__.py")  # type: ignore[assignment]
_keep_folder(_FOLDER)
