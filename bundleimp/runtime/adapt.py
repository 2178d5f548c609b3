"""The few places where the standard library has to be told of bundles, and how that is undone.

Everything here happens when the path hook is installed, and nothing of it imports a module: what is not loaded yet is
adapted right after it is.  `adapt` makes

- ``linecache`` know the source of every module from a bundle, also by bare file name;
- tracebacks show source lines where they are printed in C, which only opens files: those of uncaught exceptions on
  3.11 and 3.12, and of exceptions that cannot be raised on any version;
- the abstract base classes of ``importlib.abc`` and our classes agree on ``isinstance``;
- ``importlib.resources`` read namespace packages that have portions in bundles;
- ``importlib.metadata`` and its backport find the distributions of bundles.
"""

import sys
from _frozen_importlib_external import NamespaceLoader as _NamespaceLoader
from _frozen_importlib_external import PathFinder

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


def _is_initializing(module: "ModuleType | None") -> bool:
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


def _can_print() -> bool:
    """Return whether ``traceback`` is the standard library's: a bundle may hold one of its own, which is not asked.

    It may also hold what that one imports, which then may be anything.
    """
    module = sys.modules.get("traceback")
    spec = PathFinder.find_spec("traceback") if module is None else getattr(module, "__spec__", None)
    if spec is None or SUFFIX in (spec.origin or ""):
        return False
    try:
        import traceback  # noqa: F401, PLC0415 (what is being reported has happened; nothing is on its way in any more)
    except Exception:  # noqa: BLE001 (the exception that is to be printed matters more)
        return False
    return True


def _limit() -> "Any":
    """Return how many frames are shown, as ``traceback`` counts them: the C printer counts from the end."""
    limit = getattr(sys, "tracebacklimit", None)
    if isinstance(limit, int):
        limit = -limit if limit > 0 else 0
    return limit


def _formatted(error: BaseException, trace: "TracebackType | None") -> str:
    """Return what the interpreter's own printer prints of an exception, by the module that finds source lines."""
    import traceback  # noqa: PLC0415 (loaded by `_can_print`)

    return "".join(traceback.format_exception(type(error), error, trace, limit=_limit()))


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
        if sys.stderr is not None and _comes_from_bundle(error) and _can_print():
            sys.stderr.write(_formatted(error, trace if trace is not None else error.__traceback__))
        else:
            self.original(kind, error, trace)


def _safely(write: "Callable[[Any], str]", value: object, what: str) -> str:
    try:
        return write(value)
    except Exception:  # noqa: BLE001 (what is finalised may be in any state)
        return f"<{what} failed>"


class _UnraisableHook(_Hook):
    """``sys.unraisablehook``, whose C printer opens files on every version."""

    def __call__(self, unraisable: "Any") -> None:
        text = self._text(unraisable) if sys.stderr is not None and _comes_from_bundle(unraisable.exc_value) else ""
        if text:
            sys.stderr.write(text)
        else:
            self.original(unraisable)

    @staticmethod
    def _text(unraisable: "Any") -> str:
        """Return what is to be printed; "" where that takes what cannot be imported now.

        Objects are finalised at any moment: while `traceback` is on its way in, also from here, and when nothing is
        imported any more, because the interpreter ends.
        """
        if sys.meta_path is None or _is_initializing(sys.modules.get("traceback")) or not _can_print():
            return ""
        try:
            import traceback  # noqa: PLC0415 (as above)

            stack = traceback.extract_tb(unraisable.exc_traceback, _limit())
            if sys.version_info >= (3, 13):  # which shows no columns here
                for frame in stack:
                    frame.colno = None
            lines = stack.format()
        except Exception:  # noqa: BLE001 (some of the modules that `traceback` needs are on their way in)
            return ""
        head = unraisable.err_msg or "Exception ignored in"
        if unraisable.object is not None:
            head = f"{head}: {_safely(repr, unraisable.object, 'object repr()')}"
        else:
            head = f"{head}:"
        kind = unraisable.exc_type
        module = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
        tail = f"{module}{kind.__qualname__}: {_safely(str, unraisable.exc_value, 'exception str()')}\n"
        return "".join([head, "\n", *(["Traceback (most recent call last):\n"] if lines else []), *lines, tail])


class _ThreadHook(_Hook):
    """``threading.excepthook`` on 3.11 and 3.12."""

    def __call__(self, args: "Any") -> None:
        ours = sys.stderr is not None and args.exc_type is not SystemExit and _comes_from_bundle(args.exc_value)
        if ours and _can_print():
            name = args.thread.name if args.thread is not None else None
            sys.stderr.write(f"Exception in thread {name}:\n{_formatted(args.exc_value, args.exc_traceback)}")
        else:
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
