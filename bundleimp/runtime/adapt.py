"""The few places where the standard library has to be told of bundles, and how that is undone.

Everything here happens at the first bundle, and nothing of it imports a module: what is not loaded yet is adapted
right after it is.  `adapt` makes

- ``linecache`` know the source of every module from a bundle, also by bare file name;
- tracebacks of uncaught exceptions show source lines on 3.11 and 3.12, whose C printer only opens files;
- the abstract base classes of ``importlib.abc`` and our classes agree on ``isinstance``;
- ``importlib.resources`` read namespace packages that have portions in bundles.
"""

import sys
from _frozen_importlib_external import NamespaceLoader as _NamespaceLoader

from .format import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Callable, Sequence
    from types import ModuleType, TracebackType
    from typing import Any, Protocol

    class _Source(Protocol):
        name: str
        path: str

    class _Loader(Protocol):
        def create_module(self, spec: "ModuleSpec") -> "ModuleType | None": ...
        def exec_module(self, module: "ModuleType") -> None: ...


class _LoadThenAct:
    """A loader that loads like another one, then acts on the module; it leaves no trace on it."""

    def __init__(self, loader: "_Loader", action: "Callable[[ModuleType], None]") -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        return self._loader.create_module(spec)

    def exec_module(self, module: "ModuleType") -> None:
        spec = module.__spec__
        assert spec is not None  # noqa: S101 (for the type checker: the import system has just made it)
        spec.loader = module.__loader__ = self._loader  # type: ignore[assignment]
        self._loader.exec_module(module)
        self._action(module)


class AfterImport:
    """Meta path finder that finds nothing of its own: it has given modules adapted right after they are loaded."""

    def __init__(self, actions: "dict[str, Callable[[ModuleType], None]]") -> None:
        self._actions = {}
        for name, action in actions.items():
            module = sys.modules.get(name)
            if module is None or getattr(module.__spec__, "_initializing", False):
                self._actions[name] = action
            else:
                action(module)

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders give for a module that is to be adapted, else None."""
        if fullname not in self._actions:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _LoadThenAct(spec.loader, self._actions.pop(fullname))  # type: ignore[arg-type, assignment]
                return spec
        return None


class _SourceLines:
    """Hands the loaders of source modules to ``linecache``: at once, or when that is loaded."""

    def __init__(self) -> None:
        self._waiting: list[_Source] = []

    def note(self, loader: "_Source") -> None:
        self._waiting.append(loader)
        self.hand_over(sys.modules.get("linecache"))

    def hand_over(self, linecache: "Any") -> None:
        if not hasattr(linecache, "lazycache"):  # not there yet, or somebody's own module of that name
            return
        waiting, self._waiting = self._waiting, []
        for loader in waiting:
            linecache.cache.pop(loader.path, None)
            linecache.lazycache(loader.path, {"__name__": loader.name, "__loader__": loader})


_source_lines = _SourceLines()
note_source = _source_lines.note


def _comes_from_bundle(error: "BaseException | None") -> bool:
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            if SUFFIX in trace.tb_frame.f_code.co_filename:
                return True
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and SUFFIX in (error.filename or ""):
            return True
        error = error.__cause__ or error.__context__
    return False


class _ExceptHook:
    """``sys.excepthook`` for 3.11 and 3.12: the same text, printed by the module that finds source lines."""

    def __init__(self) -> None:
        self.original = sys.excepthook

    def __call__(self, kind: "type[BaseException]", error: "BaseException", trace: "TracebackType | None") -> None:
        if _comes_from_bundle(error):
            import traceback  # noqa: PLC0415 (the program has ended; nothing of it is imported any more)

            traceback.print_exception(kind, error, trace)
        else:
            self.original(kind, error, trace)


class _ThreadExceptHook:
    """``threading.excepthook`` for 3.11 and 3.12, on the same terms."""

    def __init__(self, threading: "Any") -> None:
        self.original = threading.excepthook

    def __call__(self, args: "Any") -> None:
        if sys.stderr is not None and args.exc_type is not SystemExit and _comes_from_bundle(args.exc_value):
            import traceback  # noqa: PLC0415 (only when a thread has died)

            name = args.thread.name if args.thread is not None else None
            sys.stderr.write(f"Exception in thread {name}:\n")
            traceback.print_exception(args.exc_type, args.exc_value, args.exc_traceback)
        else:
            self.original(args)


def _adapt_threading(threading: "Any") -> None:
    if hasattr(threading, "excepthook"):
        threading.excepthook = _ThreadExceptHook(threading)


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


def adapt(register: "Callable[[ModuleType], None]") -> None:
    """Adapt the standard library; nothing happens where that was done before.

    Arguments:
        register: called with ``importlib.abc`` once that is loaded.

    """
    if NamespaceLoader.get_resource_reader is _namespace_reader:
        return
    NamespaceLoader.get_resource_reader = _namespace_reader
    actions = {"importlib.abc": register, "linecache": _source_lines.hand_over}
    if sys.version_info < (3, 13):
        sys.excepthook = _ExceptHook()
        actions["threading"] = _adapt_threading
    sys.meta_path.insert(0, AfterImport(actions))


def restore() -> None:
    """Undo what `adapt` did, as far as nobody else has put something of their own on top."""
    NamespaceLoader.get_resource_reader = _original_reader
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AfterImport)]
    if isinstance(sys.excepthook, _ExceptHook):
        sys.excepthook = sys.excepthook.original
    threading: Any = sys.modules.get("threading")
    if isinstance(getattr(threading, "excepthook", None), _ThreadExceptHook):
        threading.excepthook = threading.excepthook.original
