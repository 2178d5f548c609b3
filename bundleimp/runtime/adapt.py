"""The few places where the standard library has to be told of bundles, and how that is undone.

Everything here happens when the path hook is installed, and nothing of it imports a module: what is not loaded yet is
adapted right after it is.  `adapt` makes

- ``linecache`` know the source of every module from a bundle, also by bare file name;
- tracebacks show source lines where they are printed in C, which only opens files: those of uncaught exceptions on
  3.11 and 3.12, and of exceptions that cannot be raised until 3.14;
- the abstract base classes of ``importlib.abc`` and our classes agree on ``isinstance``;
- ``importlib.resources`` read namespace packages that have portions in bundles;
- ``importlib.metadata`` and its backport find the distributions of bundles.
"""

import sys
from _frozen_importlib_external import NamespaceLoader as _NamespaceLoader

from .bundles import open_source, refresh_all
from .format import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Callable, Sequence
    from types import ModuleType, TracebackType
    from typing import Any, Protocol

    class _Loader(Protocol):
        def exec_module(self, module: "ModuleType") -> None: ...


class _LoadThenAct:
    """A loader that is another one in all things, but acts on the module when that is loaded."""

    def __init__(self, loader: "_Loader", action: "Callable[[ModuleType], None]") -> None:
        self._loader = loader
        self._action = action

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def exec_module(self, module: "ModuleType") -> None:
        spec = module.__spec__
        assert spec is not None  # noqa: S101 (for the type checker: the import system has just made it)
        spec.loader = module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)
        self._action(module)


def _is_initializing(module: "ModuleType") -> bool:
    return getattr(getattr(module, "__spec__", None), "_initializing", False)


class _AfterImport:
    """Meta path finder that finds nothing of its own: it has given modules adapted right after they are loaded."""

    def __init__(self, actions: "dict[str, Callable[[ModuleType], None]]", *, claims_bundles: bool = False) -> None:
        self._actions = actions
        self._late: set[str] = set()
        self.claims_bundles = claims_bundles  # as of the path hook

    def act(self) -> None:
        """Adapt what is loaded; what is on its way in has its turn later.

        This finder is at work already: another thread may be about to load one of these modules.
        """
        for name, action in list(self._actions.items()):
            module = sys.modules.get(name)
            if module is not None and _is_initializing(module):
                self._late.add(name)
            elif module is not None:
                action(module)
                self._actions.pop(name, None)

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders give for a module that is to be adapted, else None."""
        if self._late:
            self.find_distributions()
        action = self._actions.get(fullname)
        if action is None:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None) if finder is not self else None
            spec: ModuleSpec | None = find_spec(fullname, path, target) if find_spec is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _LoadThenAct(spec.loader, action)  # type: ignore[arg-type, assignment]
                return spec
        return None

    def find_distributions(self, context: object = None) -> "tuple[()]":  # noqa: ARG002 (of a protocol)
        """Find nothing (``importlib.metadata``), but adapt what was on its way in when all else was adapted."""
        for name in list(self._late):
            module = sys.modules.get(name)
            if module is not None and not _is_initializing(module):
                self._actions[name](module)
                self._late.discard(name)
        return ()

    def invalidate_caches(self) -> None:
        """Look at all bundles again (`importlib.invalidate_caches`).

        The import system does not ask the finders of relative path entries, it forgets them.
        """
        linecache = sys.modules.get("linecache")
        for bundle in refresh_all():
            for table in (getattr(linecache, "cache", {}), sys.path_importer_cache if bundle.is_gone else {}):
                for path in [path for path in list(table) if isinstance(path, str) and path.startswith(bundle.path)]:
                    table.pop(path, None)


def _comes_from_bundle(error: "BaseException | None") -> bool:
    seen = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            if SUFFIX in trace.tb_frame.f_code.co_filename:
                return True
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and SUFFIX in (error.filename or ""):
            return True
        waiting += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    return False


def _has_written(error: "BaseException | None", function: str, *arguments: "Any") -> bool:
    """Write what a *function* of `printing` makes of an *error* that comes from a bundle; return whether that was done.

    If not, the original printer has to do it.
    """
    text = ""
    if sys.stderr is not None and _comes_from_bundle(error):
        try:
            from . import printing  # noqa: PLC0415 (loaded when first needed)

            text = getattr(printing, function)(*arguments)
        except Exception:  # noqa: BLE001, S110 (the exception that is to be printed matters more)
            pass
    if text:
        sys.stderr.write(text)
    return bool(text)


class _Hook:
    """Something of the standard library's that does what it did before, unless a bundle has to do with it."""

    def __init__(self, original: "Any") -> None:
        self.original = original


class _UpdateCache(_Hook):
    """``linecache.updatecache``: what opens files for it also reads them in bundles."""

    def __init__(self, linecache: "Any") -> None:
        super().__init__(linecache.updatecache)
        self._cache = linecache.cache

    def __call__(self, filename: str, module_globals: "dict[str, Any] | None" = None) -> list[str]:
        source = self._source(filename, module_globals or {}) if SUFFIX in filename else None
        if source is None:
            return self.original(filename, module_globals)  # type: ignore[no-any-return]
        # Not `splitlines`, which linecache uses itself: a form feed is the end of a line there, but not in a file.
        lines = [line + "\n" for line in source.split("\n")]
        if lines[-1] == "\n" and (len(lines) > 1 or sys.version_info < (3, 13)):
            lines.pop()
        # No modification time: such an entry is not held against a file on disk.
        self._cache[filename] = (len(source), None, lines, filename)
        return lines

    def _source(self, filename: str, module_globals: "dict[str, Any]") -> "str | None":
        """Return the source, from the version of the bundle that the module came from where that is known."""
        loader = module_globals.get("__loader__")
        lazy = self._cache.get(filename, ())
        try:
            if len(lazy) == 1:
                return lazy[0]()  # type: ignore[no-any-return]
            # linecache trusts the globals of any module with any file name.
            if getattr(loader, "path", None) == filename:
                return loader.get_source(loader.name)  # type: ignore[no-any-return, union-attr]
        except (ImportError, OSError, AttributeError):
            pass
        return open_source(filename)


def _adapt_linecache(linecache: "Any") -> None:
    updatecache = getattr(linecache, "updatecache", None)  # else somebody's own module of that name
    if updatecache is not None and not isinstance(updatecache, _UpdateCache):
        linecache.updatecache = _UpdateCache(linecache)


def _replace(module: "Any", name: str, kind: type[_Hook]) -> None:
    """Put a hook of ours, of *kind*, in the place of the original, and of the hook in use where that is the original.

    A program's own hook stays: it may have been there before the first import from a bundle.
    """
    usual = f"__{name}__"
    original = getattr(module, usual)
    if not isinstance(original, _Hook):
        hook = kind(original)
        if getattr(module, name) is original:
            setattr(module, name, hook)
        setattr(module, usual, hook)


class _ExceptHook(_Hook):
    """``sys.excepthook`` on 3.11 and 3.12, whose C printer only opens files."""

    def __call__(self, kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
        if not _has_written(error, "of_exception", error, trace if trace is not None else error.__traceback__):
            self.original(kind, error, trace)


class _UnraisableHook(_Hook):
    """``sys.unraisablehook`` until 3.14, whose C printer only opens files."""

    def __call__(self, unraisable: "Any") -> None:
        if not _has_written(unraisable.exc_value, "of_unraisable", unraisable):
            self.original(unraisable)


class _ThreadHook(_Hook):
    """``threading.excepthook`` on 3.11 and 3.12."""

    def __call__(self, args: "Any") -> None:
        if args.exc_type is SystemExit or not _has_written(args.exc_value, "of_thread", args):
            self.original(args)


def _adapt_threading(threading: "Any") -> None:
    if hasattr(threading, "__excepthook__"):
        _replace(threading, "excepthook", _ThreadHook)


class _Search(_Hook):
    """``FastPath.search`` of ``importlib.metadata``: every path entry goes through it, in the order of ``sys.path``."""

    def __get__(self, fast_path: "Any", kind: "type | None" = None) -> "Any":
        if fast_path is None:
            return self
        return lambda prepared: self(fast_path, prepared)

    def __call__(self, fast_path: "Any", prepared: "Any") -> "Any":
        found = None
        if SUFFIX in str(fast_path.root):
            from .metadata import search  # noqa: PLC0415 (loaded when first asked for)

            found = search(fast_path, prepared)
        return found if found is not None else self.original(fast_path, prepared)


# The second is the first's backport.
_METADATA = ("importlib.metadata", "importlib_metadata")


def _adapt_metadata(metadata: "Any") -> None:
    fast_path: Any = getattr(metadata, "FastPath", None)
    search = getattr(fast_path, "search", None)  # else a backport of another age
    if search is not None and not isinstance(search, _Search):
        fast_path.search = _Search(fast_path.search)


# Private to the import system, but nothing else stands between a namespace package and its resources.
NamespaceLoader: "Any" = _NamespaceLoader
_original_reader = NamespaceLoader.get_resource_reader


def _namespace_reader(self: "Any", module: str) -> "Any":
    """Return a resource reader for a namespace package; one that reads bundles where a portion is in one."""
    if any(SUFFIX in portion for portion in self._path):
        from .resources import NamespaceReader  # noqa: PLC0415 (loaded when first asked for)

        return NamespaceReader(self._path)
    return _original_reader(self, module)


_namespace_reader.__name__ = "get_resource_reader"


def others(hooks: "list[Any]") -> "list[Any]":
    """Return those of *hooks* that are not ours, and no stand-ins."""
    return [hook for hook in hooks if not getattr(hook, "claims_bundles", False)]


def put_first(hooks: "list[Any]", hook: "Any") -> None:
    """Put our *hook* before all other *hooks*, and in the place of a stand-in.

    That is one step: other threads go through the list meanwhile, and there must be no moment without a hook of ours.
    """
    hooks[:] = [hook, *others(hooks)]


def adapt(registrations: "dict[str, Callable[[ModuleType], None]]") -> None:
    """Adapt the standard library; nothing happens where that was done before.

    It may be interrupted, and another thread may come to it meanwhile: everything in it can be done twice.

    Arguments:
        registrations: what else to call with which module once that is loaded.

    """
    if NamespaceLoader.get_resource_reader is _namespace_reader:
        return
    actions = registrations | {"linecache": _adapt_linecache}
    actions |= dict.fromkeys(_METADATA, _adapt_metadata)
    if sys.version_info < (3, 15):
        _replace(sys, "unraisablehook", _UnraisableHook)
    if sys.version_info < (3, 13):
        _replace(sys, "excepthook", _ExceptHook)
        actions["threading"] = _adapt_threading
    finder = _AfterImport(actions, claims_bundles=True)
    put_first(sys.meta_path, finder)
    finder.act()
    NamespaceLoader.get_resource_reader = _namespace_reader


def after_import(name: str, action: "Callable[[ModuleType], None]") -> None:
    """Call *action* with the module *name* once that is loaded."""
    finder = _AfterImport({name: action})
    sys.meta_path.insert(0, finder)
    finder.act()


def restore() -> None:
    """Undo what `adapt` did, as far as nobody else has put something of their own on top."""
    NamespaceLoader.get_resource_reader = _original_reader
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _AfterImport)]
    holders: list[Any] = [sys, sys.modules.get("linecache"), sys.modules.get("threading")]
    holders += [getattr(sys.modules.get(name), "FastPath", None) for name in _METADATA]
    for holder in holders:
        for name, hook in list(vars(holder).items()) if holder is not None else ():
            if isinstance(hook, _Hook):
                setattr(holder, name, hook.original)
