"""`mount` and `load_module`: import from bytes in memory, from mappings, and from files that are not on the path."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import sys
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from typing import TYPE_CHECKING, Any

from . import selfimports
from .runtime import bundles, hook, sources
from .runtime.content import files
from .runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType, TracebackType
    from typing import BinaryIO, Self

    Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Mapping[Any, Any]

_numbers = itertools.count(1)
_NAME = re.compile(r"[\w.@+-]+")
# Where a mapping of fsspec is not over a network.
_LOCAL = {"file", "local", "memory"}


class Mount:
    """A bundle or a mapping that is a path entry until it is closed.  It is a context manager.

    Attributes:
        path: the path entry.

    """

    def __init__(self, path: str, *, first: bool, forget: bool) -> None:
        self.path = path
        self._is_first = first
        # A copy of the same bundle shares its site, so modules may have come from there.
        self._key = str(getattr(bundles.open_bundle(path).archive, "key", ""))
        self._forget = forget
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Mount {self.path}{' (closed)' if self._is_closed else ''}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def modules(self) -> list[str]:
        """Return the names of the imported modules that came from here, sorted."""
        key = self._key
        copies = [each for each in list(bundles.in_use.values()) if each.path != self.path and each.path in sys.path]
        if any(getattr(each.archive, "key", None) == key for each in copies):
            key = ""  # what came from an open copy is not ours
        return _imported_from(self.path, key)

    def close(self, *, forget: bool | None = None) -> None:
        """Take the path entry off ``sys.path``.  Closing twice does nothing.

        Arguments:
            forget: whether the modules that came from here are forgotten, so that the next import loads them anew.
                Objects of the old ones keep working.  None: what `mount` was told.

        Raises:
            BundleError: a module that came from here is still being imported, or is an extension module: those stay
                loaded until the process ends.  Then no module is forgotten.

        """
        if self._is_closed:
            return
        self._is_closed = True
        # Another mount, or the program, may have put the same path there.
        places = [number for number, entry in enumerate(sys.path) if entry == self.path]
        if places:
            del sys.path[places[0 if self._is_first else -1]]
        _take_out(self.path)
        if self.path not in sys.path and (self._forget if forget is None else forget):
            _forget(self.modules(), self.path)


def mount(
    source: Source,
    name: str | None = None,
    *,
    first: bool = False,
    forget: bool = False,
    digests: Mapping[str, str] | None = None,
    trust: str | None = None,
) -> Mount:
    """Make a bundle, or a mapping of names to contents, a path entry.

    Arguments:
        source: the path of a bundle; the bytes of one, or a binary file object; a mapping of relative paths
            (``"pkg/mod.py"``) to contents, bytes or text.  A mapping is code that the caller trusts.  `shelve`
            unpickles what others may have written.
        name: what the path entry of bytes or a mapping is called, in tracebacks and messages.  Default: a number.
        first: whether the path entry is the first on ``sys.path``, and not the last.
        forget: whether `Mount.close` forgets the modules that came from here.
        digests: the SHA-256 of each member of a mapping, in hexadecimal digits.  Others are refused.
        trust: "unverified": the mapping is over a network, and nothing checks what it gives.

    Returns:
        The mount.  Use it in a ``with`` statement, or call its ``close``.

    Raises:
        BundleError: the bundle is missing, damaged, not signed though it must be; or the mapping cannot be listed, or
            is over a network and neither *digests* nor *trust* are given.
        ValueError: the name is taken, or cannot be one.
        TypeError: the source is of none of these types.

    """
    path = _put(source, name, digests, trust)
    hook.install()
    sys.path.insert(0 if first else len(sys.path), path)
    return Mount(path, first=first, forget=forget)


def _put(  # noqa: C901 (one branch for each kind of source)
    source: Any, name: str | None, digests: Mapping[str, str] | None, trust: str | None
) -> str:
    """Put the *source* into use as `mount` describes it.  Return the path entry."""
    if trust not in {None, "unverified"}:
        message = f'trust is "unverified" or None, and not {trust!r}'
        raise ValueError(message)
    if isinstance(source, str) and "://" in source:
        from .fetching.entry import resolve  # noqa: PLC0415 (loaded when first needed)

        return str(resolve(source))
    if isinstance(source, str | os.PathLike):
        path = bundles.absolute(os.fspath(source))
        files.sound_bundle_at(path)
        return path
    while name is None:
        number = next(_numbers)
        name = None if sources.memory.path_of(f"mounted-{number}") in bundles.in_use else f"mounted-{number}"
    if not _NAME.fullmatch(name) or name.startswith("."):
        message = f"{name!r} cannot be the name of a mount: it has letters, digits, and any of ._@+-"
        raise ValueError(message)
    if isinstance(source, Mapping) or (hasattr(source, "keys") and hasattr(source, "__getitem__")):
        if digests is None and trust is None and _is_remote(source):
            message = 'is a mapping that may be over a network: give its digests, or say trust="unverified"'
            raise BundleError(message, file=name)
        return str(sources.mounts.store(name, source, digests))
    if hasattr(source, "read"):
        source = source.read()
        if isinstance(source, str):
            message = "the file must be opened in binary mode"
            raise TypeError(message)
    if not isinstance(source, bytes | bytearray | memoryview):
        message = f"a path, bytes, a binary file object or a mapping is needed, and not {type(source).__name__}"
        raise TypeError(message)
    return str(sources.mounts.bundle(name, bytes(source)))


def _take_out(path: str) -> None:
    """Take what is mounted at *path* out of use, if it is in memory."""
    if sources.memory.is_path(path):
        sources.mounts.remove(path)


def _is_remote(mapping: Any) -> bool:
    """Return whether *mapping* is one of fsspec over a network."""
    protocols = getattr(getattr(mapping, "fs", None), "protocol", ())
    return not _LOCAL.issuperset([protocols] if isinstance(protocols, str) else protocols)


def imported_from(path: str) -> list[str]:
    """Return the names of the imported modules that came from the bundle at *path* or from a copy of it, sorted."""
    return _imported_from(path, str(getattr(bundles.open_bundle(path).archive, "key", "")))


def _imported_from(path: str, key: str) -> list[str]:
    modules = [(name, module) for name, module in list(sys.modules.items()) if name != "__main__"]
    return sorted(name for name, module in modules if _is_from(module, path, key))


def _is_from(module: ModuleType | None, path: str, key: str) -> bool:
    """Return whether *module* came from the path entry *path*, or from a bundle with this *key*.

    A namespace package came from there if it has a portion there.
    """
    spec = getattr(module, "__spec__", None)
    archive = getattr(getattr(spec, "loader", None), "archive", None)
    if archive is not None:
        return bool(path == archive.path or key == archive.key)
    location = bundles.locate_site(str(getattr(spec, "origin", None)))
    owner = bundles.sites[location] if location is not None else None
    if owner is not None:
        return path == owner.path or key == owner.key
    if getattr(spec, "origin", None) is not None:
        return False
    return any(_is_below(portion, path) for portion in getattr(module, "__path__", None) or ())


def _is_below(portion: object, path: str) -> bool:
    return isinstance(portion, str) and (portion == path or portion.startswith(path + os.sep))


def lasting(names: Iterable[str]) -> list[str]:
    """Return those of the loaded modules *names* that stay loaded until the process ends: extension modules."""
    specs = [(name, getattr(sys.modules.get(name), "__spec__", None)) for name in names]
    return [name for name, spec in specs if str(getattr(spec, "origin", None)).endswith(tuple(EXTENSION_SUFFIXES))]


def _forget(names: Iterable[str], path: str) -> None:
    """Remove modules from ``sys.modules``, and from the packages above them."""
    names = list(names)
    specs = {name: getattr(sys.modules.get(name), "__spec__", None) for name in names}
    loading = [name for name in names if getattr(specs[name], "_initializing", False)]
    if loading:
        message = f"{', '.join(loading)}: still being imported; forget it later"
        raise BundleError(message, file=path)
    native = lasting(names)
    if native:
        message = f"the extension modules {', '.join(native)} stay loaded until the process ends: restart it"
        raise BundleError(message, file=path)
    for name in names:
        module = sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        parent = sys.modules.get(package)
        if parent is not None and module is not None and getattr(parent, last, None) is module:
            delattr(parent, last)


def load_module(
    source: Source, name: str, *, digests: Mapping[str, str] | None = None, trust: str | None = None
) -> ModuleType:
    """Load the module *name* from *source*, without ``sys.path``.  Each call loads it anew.

    Modules of the same name from several sources, such as two versions of a plug-in, stand side by side.  Each has its
    own submodules, by relative imports.  In ``sys.modules`` they stand below a package of their own: ``"loaded-1"``,
    ``"loaded-1.plugin"``, ``"loaded-1.plugin.part"``.  No other process knows these names, so `pickle` refuses objects
    of their classes.

    Arguments:
        source: as for `mount`.
        name: the full name of the module.  The packages above it are loaded, too.
        digests: as for `mount`.
        trust: as for `mount`.

    Raises:
        ModuleNotFoundError: the source has no such module.
        ImportError: a module of it imports itself absolutely (``import plugin.part``), which cannot be told apart from
            an import of another version.  Relative imports can.
        BundleError, ValueError, TypeError: as for `mount`.

    """
    if not all(part.isidentifier() for part in name.split(".")):
        message = f"{name!r} is not the full name of a module"
        raise ValueError(message)
    path = _put(source, None, digests, trust)
    hook.install()
    root = f"loaded-{next(_numbers)}"
    package = type(sys)(root)
    package.__path__ = [path]
    package.__spec__ = ModuleSpec(root, None, is_package=True)
    package.__spec__.submodule_search_locations = package.__path__
    selfimports.watch(root, name.partition(".")[0])
    sys.modules[root] = package
    try:
        module = importlib.import_module(f"{root}.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{root}.{name}.".startswith(f"{error.name}."):
            raise
        message = f"{path} has no module {error.name.removeprefix(root + '.')!r}"
        raise ModuleNotFoundError(message, name=name, path=path) from None
    finally:
        if f"{root}.{name}" not in sys.modules:
            for each in [each for each in sys.modules if each == root or each.startswith(root + ".")]:
                del sys.modules[each]
            selfimports.forget(root)
            _take_out(path)
    selfimports.refuse_pickling(root)
    return module
