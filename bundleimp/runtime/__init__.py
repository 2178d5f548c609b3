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

The modules of this folder use `posix` (`nt` on Windows) instead of `os`.  They live as long as the import system.  If
they still refer to `os` when the interpreter ends, the interpreter takes a quarter of a million instructions to clear
it.  They import other modules as a whole.  For ``from module import name``, the interpreter would
look for the module's ``__path__`` in vain, which takes 6,000 instructions.
"""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *


# The class of records: `types.SimpleNamespace`.  Making a class would take 70,000 instructions in each process that
# imports from a bundle.
Record: "Any" = type(sys.implementation)
ROOMS = frozenset({"cache", "content", "data", "faults", "interpreter", "plain", "site", "sources"})
_FOLDER: str = __path__[0]


def environ(name: str) -> str:
    """Return the value of the environment variable *name*, or ""."""
    import os  # noqa: PLC0415 (the module's docstring says why)

    return os.environ.get(name, "")


TRACING = environ("BUNDLEIMP_TRACE") not in {"", "0"}


def trace(kind: str, **fields: "Any") -> None:
    """Report an event.  Callers test `TRACING` first.  *fields* has the arguments of `interpreter.events.emit`."""
    this.interpreter.events.emit(kind, **fields)


def fault(message: str, **where: "Any") -> "BundleFormatError":
    """Return the error for a broken bundle.  *where* has the arguments of `faults.kinds.BundleFormatError`."""
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    return faults.kinds.BundleFormatError(message, **where)


# This module.  It is missing in ``sys.modules`` for a moment if a program imports it by its name.
this: "ModuleType" = globals().get("this") or sys.modules[__name__]
# The loaded parts by name.  A program may remove modules from ``sys.modules``.
loaded: "dict[str, ModuleType]" = {}
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
    with bootstrap._ImportLockContext():  # type: ignore[attr-defined]
        module = loaded.get(fullname)
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


def spec_of(fullname: str) -> "ModuleSpec":
    """Return the spec of the part *fullname*, which need not exist, or of this package."""
    room, _, name = fullname.rpartition(".")
    folder = _FOLDER + fullname[len(__name__) :].replace(".", external.path_sep)
    is_package = folder == _FOLDER or (room == __name__ and name in ROOMS)
    path = f"{folder}{external.path_sep}__init__.py" if is_package else f"{folder}.py"
    spec = bootstrap.ModuleSpec(fullname, part_loader, origin=path, is_package=is_package)
    spec._set_fileattr = True  # type: ignore[attr-defined] # as spec_from_file_location does
    spec._initializing = False  # type: ignore[attr-defined] # else each import of the module raises AttributeError once
    if is_package:
        spec.submodule_search_locations = [folder]
    return spec


def _load(fullname: str) -> "Generator[ModuleType]":
    """Load the part *fullname*, and yield it."""
    room, _, name = fullname.rpartition(".")
    spec = spec_of(fullname)
    path: Any = spec.origin
    try:
        file: Any = loaded.get(f"{__name__}.bundlefile")
        code = file.retried(read_code, fullname, path) if file is not None else read_code(fullname, path)
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
        _keep_folder(namespace["__path__"][0])
    # A program may have removed them, and the part imports from them.
    sys.modules.setdefault(__name__, this)
    sys.modules.setdefault(room, loaded.get(room, this))
    exec(code, namespace)  # noqa: S102 (what a loader does)
    # Publish the module only now, because other threads read these dictionaries without a lock.
    loaded[fullname] = sys.modules[fullname] = module
    setattr(loaded.get(room) or this, name, module)
    yield module


def _stand_in(kind: str, *arguments: str) -> "Any":
    """Return an object with the attributes of an `interpreter.parts.PartLoader` or `PartFinder`.

    That is made when an attribute is read.  The object is a module with a ``__getattr__`` (PEP 562): making a
    class would take 100,000 instructions in every process that imports from a bundle.
    """
    stand_in = type(sys)(kind)
    stand_in.__getattr__ = lambda name: getattr(getattr(this.interpreter.parts, kind)(*arguments), name)  # type: ignore[method-assign]
    return stand_in


def _keep_folder(path: str) -> None:
    """Make the import system find parts in *path* that are imported by their full names."""
    if not hasattr(own_loader, "read_code"):  # which is a finder itself
        sys.path_importer_cache[path] = _stand_in("PartFinder", path)


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


# The loader of this package: of files in a folder, of an archive, or of the embedded piece of a standalone program.
own_loader: "Any" = __spec__.loader
read_code: "Callable[[str, str], CodeType]"
if hasattr(own_loader, "read_code"):
    read_code = own_loader.read_code
else:
    read_code = sys.modules[__package__.rpartition(".")[0]]._load("waiting").read_code  # noqa: SLF001 (of our own package)


part_loader = __loader__ = __spec__.loader = _stand_in("PartLoader")
__getattr__ = parts_of(__name__)
_keep_folder(_FOLDER)
