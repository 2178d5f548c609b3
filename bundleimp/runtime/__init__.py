"""The runtime: what a process loads to import from bundles, and the loader of its parts.

The modules in this folder are what every import of indexed, embedded code goes through; they are loaded together, at
the first such import.  Each folder below is a room: its parts are loaded one by one, when something first needs them.

A *part* (a module or a room) is loaded by this module, from its own folder, under the interpreter's import lock: not
by ``sys.meta_path``, ``sys.path_hooks`` or ``sys.path``, which a program may have emptied or replaced, and without a
module lock.  The import system calls a finder with its import lock held.  A finder that waited there for a module
lock could wait for ever, because the owner of that lock may be waiting for the import lock.

Parts name each other by ``from . import part``: that asks the package for the name first (PEP 562), and so this module.
``from .part import name`` would ask the import system.

The modules of this folder do not refer to `os`, but to what it is made of: they live as long as the import system,
and the interpreter takes a quarter of a million instructions at its end to clear `os` where it is referred to by
then.
"""

import _warnings
import sys
from _frozen_importlib import ModuleSpec, _ImportLockContext  # type: ignore[attr-defined]
from _frozen_importlib_external import PathFinder, SourceFileLoader, path_sep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *


ROOMS = frozenset({"cache", "content", "data", "faults", "interpreter", "plain", "site", "sources"})
_FOLDER: str = __path__[0]


class PartLoader:
    """Loader of the parts (PEP 451), and path entry finder of our folders: a part is loaded once, whoever asks for it.

    The import system uses it where a part is imported by its full name.
    """

    claims_bundles = True  # as of the path hook

    def __init__(self, fullname: str = "", path: str = "") -> None:
        """Make the loader of the part *fullname*, whose source is at *path*; or a finder for the folder *path*."""
        self.name = fullname
        self.path = path

    def __getattr__(self, name: str) -> "Any":
        if not self.name:
            from . import interpreter  # noqa: PLC0415 (loaded when first needed)

            return interpreter.parts.attribute_of_finder(self.path, name, ROOMS)
        inner = SourceFileLoader(self.name, self.path) if _is_in_folder else _own_loader
        return getattr(inner, name)

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":  # noqa: ARG002
        """Return the spec of the part *fullname*, or None where there is none."""
        try:
            return part(fullname).__spec__
        except AttributeError:
            return None

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Return the part, which is loaded then."""
        return sys.modules.get(spec.name) or part(spec.name)

    def exec_module(self, module: "ModuleType") -> None:
        """Do nothing: `create_module` has executed the part."""


def environ(name: str) -> str:
    """Return the value of the environment variable *name*, or ""."""
    import os  # noqa: PLC0415 (not above: see there)

    return os.environ.get(name, "")


TRACING = environ("BUNDLEIMP_TRACE") not in {"", "0"}


def trace(message: str) -> None:
    """Write one line to standard error; callers test `TRACING` first."""
    if sys.stderr is not None:
        sys.stderr.write(f"bundleimp: {message}\n")


def fault(message: str, **where: "Any") -> "BundleFormatError":
    """Return the error of a broken bundle; *where* as of `faults.kinds.BundleFormatError`, which is loaded for it."""
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    return faults.kinds.BundleFormatError(message, **where)


# The parts that are loaded, by name.  A program may take modules out of ``sys.modules``.
_parts: "dict[str, ModuleType]" = {}
# Those that are being loaded.
_attempts: "dict[str, Any]" = {}


def part(fullname: str) -> "ModuleType":
    """Return the part *fullname*, loaded where that was not done before.

    Raises:
        ImportError: this thread is loading it: an audit hook (PEP 578) that is told of that needs it.
        AttributeError: there is no such part.

    """
    with _ImportLockContext():
        module = _parts.get(fullname)
        if module is None:
            attempt = _attempts.get(fullname)
            if attempt is not None and attempt.gi_running:
                message = f"{fullname} is still being loaded"
                raise ImportError(message, name=fullname)
            # A generator knows whether it runs.  A flag would stay set where an interrupt comes at the wrong moment.
            attempt = _attempts[fullname] = _load(fullname)
            module = next(attempt)
            _attempts.pop(fullname, None)
    return module


def _load(fullname: str) -> "Generator[ModuleType]":
    """Load the part *fullname*, and yield it."""
    room, _, name = fullname.rpartition(".")
    folder = _FOLDER + fullname[len(__name__) :].replace(".", path_sep)
    is_room = room == __name__ and name in ROOMS
    path = f"{folder}{path_sep}__init__.py" if is_room else f"{folder}.py"
    try:
        code = _code(fullname, path)
    except FileNotFoundError:
        message = f"module {room!r} has no attribute {name!r}"
        raise AttributeError(message) from None
    except OSError as error:  # too many files are open, say
        message = f"{path}: this part of bundleimp cannot be read: {error.strerror}"
        _warnings.warn(message, RuntimeWarning, 2)
        raise ImportError(message, name=fullname, path=path) from error
    loader: Any = PartLoader(fullname, path)
    spec = ModuleSpec(fullname, loader, origin=path, is_package=is_room)
    spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
    module = type(sys)(fullname)
    namespace: dict[str, Any] = module.__dict__
    namespace |= {"__spec__": spec, "__loader__": loader, "__file__": path, "__package__": spec.parent}
    if is_room:
        _keep_folder(folder)
        spec.submodule_search_locations = namespace["__path__"] = [folder]
    exec(code, namespace)  # noqa: S102 (what a loader does)
    # Only now: other threads take what they find there without a lock.
    _parts[fullname] = sys.modules[fullname] = module
    setattr(_parts.get(room) or sys.modules[__name__], name, module)
    yield module


def is_own_folder(path: str) -> bool:
    """Return whether *path* is the folder of the runtime or of a room."""
    return path.startswith(_FOLDER) and (path == _FOLDER or path[len(_FOLDER) + 1 :] in ROOMS)


def _keep_folder(path: str) -> None:
    """Have the import system load by this module, too, where a part in the folder *path* is imported by its name."""
    if _is_in_folder:
        sys.path_importer_cache[path] = PartLoader("", path)


def parts_of(room: str, needs: "dict[str, tuple[str, ...]] | None" = None) -> "Callable[[str], ModuleType]":
    """Return ``__getattr__`` for the package *room*: its parts are its attributes, loaded when first asked for.

    Arguments:
        room: the package's name.
        needs: what a part needs of the standard library.  That is imported first, without the import lock: another
            thread may be importing it, and then needs that lock.

    """

    def get_part(name: str) -> "ModuleType":
        if name[:1] == "_":
            message = f"module {room!r} has no attribute {name!r}"
            raise AttributeError(message)
        for module in (needs or {}).get(name, ()):
            __import__(module)
        return part(f"{room}.{name}")

    return get_part


# Where the code of the parts comes from: files in folders, the piece in a standalone program, or an archive.
_own_loader: "Any" = __spec__.loader
_is_in_folder = isinstance(_own_loader, SourceFileLoader)
_code: "Callable[[str, str], CodeType]"
if _is_in_folder:
    _code = sys.modules[__package__.rpartition(".")[0]]._load("waiting").read_code  # noqa: SLF001 (of our own package)
elif hasattr(_own_loader, "parts"):
    _code = _own_loader.read_code
else:

    def _code(fullname: str, path: str) -> "CodeType":
        spec = PathFinder.find_spec(fullname, [path.rpartition(path_sep)[0]])
        if spec is None:
            raise FileNotFoundError(path)
        return spec.loader.get_code(fullname)  # type: ignore[no-any-return, union-attr]


__getattr__ = parts_of(__name__)
__spec__.loader = PartLoader(__name__, f"{_FOLDER}{path_sep}__init__.py")  # type: ignore[assignment]
_keep_folder(_FOLDER)
