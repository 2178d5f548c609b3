"""The runtime: what a process loads to import from bundles, and the loader of its parts.

The modules in this folder are what every import of indexed, embedded code goes through; they are loaded together, at the
first such import.  Each folder below is a room: its parts are loaded one by one, when something first needs them.

A *part* (a module or a room) is loaded by this module, from its own folder, under the interpreter's import lock: not by
``sys.meta_path``, ``sys.path_hooks`` or ``sys.path``, which a program may have emptied or replaced, and without a module
lock.  The import system calls a finder with its import lock held.  A finder that waited there for a module lock could
wait for ever, because the owner of that lock may be waiting for the import lock.

Parts name each other by ``from . import part``: that asks the package for the name first (PEP 562), and so this module.
``from .part import name`` would ask the import system.
"""

import os
import sys
from _frozen_importlib import ModuleSpec, _ImportLockContext  # type: ignore[attr-defined]
from _frozen_importlib_external import FileFinder, FileLoader, PathFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, ModuleType
    from typing import Any

    class _Loader:
        def get_code(self, fullname: str) -> "CodeType": ...


ROOMS = frozenset({"cache", "content", "data", "faults", "interpreter", "plain", "site", "sources"})
# The parts that are being loaded, by name.
_attempts: "dict[str, Iterator[ModuleType]]" = {}


class PartLoader:
    """Loader of a part (PEP 451): what another loader is, but that a part is loaded once, whoever asks for it.

    The import system uses it where a part is imported by its full name.
    """

    def __init__(self, inner: "Any") -> None:
        """Make a loader of what the loader *inner* has the code of."""
        self.inner = inner

    def __getattr__(self, name: str) -> "Any":
        return getattr(self.inner, name)

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """Return the part, which is loaded then."""
        return part(spec.name)

    def exec_module(self, module: "ModuleType") -> None:
        """Do nothing: `create_module` has executed the part."""


class _PartFinder(FileFinder):
    """Path entry finder of a folder of ours."""

    def find_spec(self, fullname: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        spec = super().find_spec(fullname, target)
        if spec is not None and spec.loader is not None:
            spec.loader = PartLoader(spec.loader)
        return spec


def part(fullname: str) -> "ModuleType":
    """Return the part *fullname*, loaded where that was not done before.

    Raises:
        ImportError: this thread is loading it: an audit hook (PEP 578) that is told of that needs it.
        AttributeError: there is no such part.

    """
    with _ImportLockContext():
        module = sys.modules.get(fullname)
        if module is None:
            attempt: Any = _attempts.get(fullname)
            if attempt is not None and attempt.gi_running:
                message = f"{fullname} is still being loaded"
                raise ImportError(message, name=fullname)
            # A generator knows whether it runs.  A flag would stay set where an interrupt comes at the wrong moment.
            attempt = _attempts[fullname] = _load(fullname)
            module = next(attempt)
            _attempts.pop(fullname, None)
    return module  # type: ignore[no-any-return]


def _load(fullname: str) -> "Iterator[ModuleType]":
    """Load the part *fullname*, and yield it."""
    room, _, name = fullname.rpartition(".")
    folder = sys.modules[room].__path__[0] + os.sep + name
    is_room = room == __name__ and name in ROOMS
    path = folder + os.sep + "__init__.py" if is_room else folder + ".py"
    module = type(sys)(fullname)
    try:
        inner = _inner(fullname, path)
        code = inner.get_code(fullname)
    except FileNotFoundError:
        message = f"module {room!r} has no attribute {name!r}"
        raise AttributeError(message) from None
    spec = ModuleSpec(fullname, PartLoader(inner), origin=path, is_package=is_room)  # type: ignore[arg-type]
    spec._set_fileattr = True  # type: ignore[attr-defined] # noqa: SLF001 (as spec_from_file_location does)
    namespace: dict[str, Any] = module.__dict__
    namespace |= {"__spec__": spec, "__loader__": spec.loader, "__file__": path, "__package__": spec.parent}
    if is_room:
        _keep_folder(folder)
        spec.submodule_search_locations = namespace["__path__"] = [folder]
    exec(code, namespace)  # noqa: S102 (what a loader does)
    # Only now: other threads take what they find there without a lock.
    sys.modules[fullname] = module
    setattr(sys.modules[room], name, module)
    yield module


def _inner(fullname: str, path: str) -> "_Loader":
    """Return the loader that has the code of the part *fullname*, whose source is at *path*."""
    own: Any = _own_loader()
    if isinstance(own, FileLoader):
        return SourceFileLoader(fullname, path)
    if hasattr(own, "parts"):  # the embedded runtime's
        return own  # type: ignore[no-any-return]
    spec = PathFinder.find_spec(fullname, sys.modules[fullname.rpartition(".")[0]].__path__)  # we are in an archive
    if spec is None:
        raise FileNotFoundError
    return spec.loader  # type: ignore[return-value]


def _own_loader() -> object:
    return __spec__.loader.inner  # type: ignore[union-attr]


def is_own_folder(path: str) -> bool:
    """Return whether *path* is the folder of the runtime or of a room."""
    return path.startswith(__path__[0]) and (path == __path__[0] or path[len(__path__[0]) + 1 :] in ROOMS)


def folder_finder(path: str) -> FileFinder:
    """Return a path entry finder for the folder *path*, which is one of ours."""
    return _PartFinder(path, (SourceFileLoader, [".py"]))


def _keep_folder(path: str) -> None:
    """Have the import system load by this module, too, where a part in the folder *path* is imported by its name."""
    if isinstance(_own_loader(), FileLoader):
        sys.path_importer_cache[path] = folder_finder(path)


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


__getattr__ = parts_of(__name__)
if not isinstance(__spec__.loader, PartLoader):
    __spec__.loader = PartLoader(__spec__.loader)  # type: ignore[assignment]
_keep_folder(__path__[0])
