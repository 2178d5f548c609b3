"""Trace events, their receivers, and the timing of loads.

This module is loaded when tracing is on.  Without receivers, the global `TRACING` of every part is False, and no part
calls this module.
"""

import _frozen_importlib as bootstrap
import _thread
import sys
import time

from .. import TRACING, faults, loaded, this

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Self

# The line of each kind of event.
_LINES = {
    "claimed": "claimed path entry {path}",
    "declined": "declined path entry {path}: {reason}",
    "opened": "{path}: opened",
    "refused": "{path}: refused: {reason}",
    "signed": "{path}: signed by {name}",
    "found": "{name}: found {path}",
    "portion": "{name}: found portion {path}",
    "missing": "{name}: not in {path}",
    "load": "{name}: loading {path}",
    "loaded": "{name}: loaded in {duration:.6f} seconds",
    "failed": "{name}: failed after {duration:.6f} seconds: {reason}",
    "read": "{path}: read {member}, {size} bytes",
    "cache-hit": "cache: read {path}",
    "cache-miss": "cache: nothing at {path}",
    "cache-refused": "cache: refused {path}: {reason}",
    "cache-wrote": "cache: wrote {path}",
    "cache-failed": "cache: {reason}",
    "placed": "{name}: real files in {path}",
    "unpacked": "{name}: unpacked in {path}",
}


class TraceEvent:
    """One event of an import from a bundle.  ``str`` gives the line that BUNDLEIMP_TRACE=1 prints.

    Events cannot be changed.  An attribute that the kind does not name is None.

    Attributes:
        kind: what happened:

            ``claimed``: the path hook returned a finder for the path entry *path*.
            ``declined``: the path hook left *path*, which looks like one in a bundle, to the next hook (*reason*).
            ``opened``: a version of the bundle *path* is in use now (*size*).
            ``refused``: the file *path* is not used as a bundle (*reason*, *member*).
            ``signed``: the allowed signer *name* has signed the bundle *path*.
            ``found``: the module *name* is at *path*.
            ``portion``: *path* is a portion of the namespace package *name*.
            ``missing``: the path entry *path* has no module *name*.
            ``load``: the load of the module *name* at *path* begins.
            ``loaded``: the module *name* at *path* was loaded (*duration*).
            ``failed``: its load ended with an exception (*duration*, *reason*).
            ``read``: *member* of the bundle *path* was read (*size*).
            ``cache-hit``: the bytecode of *member* was read from the cache file *path* (*size*).
            ``cache-miss``: the cache has no file *path* for *member*.
            ``cache-refused``: the cache file *path* of *member* is not used (*reason*).
            ``cache-wrote``: the cache file or folder *path* was written (*size*, if it is a file).
            ``cache-failed``: the cache could not be written (*reason*).
            ``placed``: the real files of the unit *name* are in the site *path* (*duration*).
            ``unpacked``: all files of the bundle *name* are in the folder *path*.
        time: seconds of ``time.perf_counter``.
        name: name of a module, unit or signer.
        path: path of a path entry, module, bundle, or cache file.
        member: name of a member of the bundle; ``bytecode of NAME`` for the embedded bytecode of the member NAME.
        size: size in bytes.
        reason: why something was refused or failed.
        duration: seconds that a load or the placing of real files took.

    """

    __slots__ = ("duration", "kind", "member", "name", "path", "reason", "size", "time")

    duration: "float | None"
    kind: str
    member: "str | None"
    name: "str | None"
    path: "str | None"
    reason: "str | None"
    size: "int | None"
    time: float

    def __init__(
        self,
        kind: str,
        time: float,
        *,
        name: "str | None" = None,
        path: "str | None" = None,
        member: "str | None" = None,
        size: "int | None" = None,
        reason: "str | None" = None,
        duration: "float | None" = None,
    ) -> None:
        values = (duration, kind, member, name, path, reason, size, time)
        for attribute, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, attribute, value)

    def __setattr__(self, name: str, value: object) -> None:
        message = f"{name!r} of a trace event cannot be changed"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        message = f"{name!r} of a trace event cannot be deleted"
        raise AttributeError(message)

    def __reduce__(self) -> "tuple[Any, ...]":
        return _made, (self.kind, self.time, self._details())

    def __repr__(self) -> str:
        details = "".join(f", {name}={value!r}" for name, value in self._details().items())
        return f"TraceEvent({self.kind!r}, {self.time!r}{details})"

    def __str__(self) -> str:
        return faults.kinds.printable(
            _LINES[self.kind].format(**{name: getattr(self, name) for name in self.__slots__})
        )

    def _details(self) -> "dict[str, Any]":
        values = {name: getattr(self, name) for name in self.__slots__ if name not in {"kind", "time"}}
        return {name: value for name, value in values.items() if value is not None}


def _made(kind: str, time: float, details: "dict[str, Any]") -> TraceEvent:
    """Return the copy of an event (`TraceEvent.__reduce__`)."""
    return TraceEvent(kind, time, **details)


class Trace:
    """A callback that receives events until `close`, also at the end of a ``with`` statement."""

    __slots__ = ("_callback", "_threads")

    def __init__(self, callback: "Any") -> None:
        if not callable(callback):
            message = f"the callback must be callable, not {type(callback).__name__}"
            raise TypeError(message)
        self._callback: Callable[[TraceEvent], object] = callback
        # The threads that are in the callback now.
        self._threads: set[int] = set()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def open(self) -> None:
        """Begin to receive events."""
        _change((self,), ())

    def close(self) -> None:
        """Receive no more events.  A second call does nothing."""
        _change((), (self,))

    def receive(self, event: TraceEvent) -> None:
        """Call the callback with *event*.  If the callback raises an exception, issue a warning and close.

        The callback does not receive the events of its own imports.
        """
        thread = _thread.get_ident()
        if thread in self._threads or self not in receivers:
            return
        self._threads.add(thread)
        try:
            self._callback(event)
        except Exception as error:  # noqa: BLE001 (the import must not fail)
            self.close()
            name = getattr(self._callback, "__qualname__", type(self._callback).__name__)
            _complain(f"the trace callback {name} is not called any more: it raised {_described(error)}")
        finally:
            self._threads.discard(thread)


# Who receives events.  The tuple is replaced in one assignment, because threads iterate over it.
receivers: "tuple[Trace, ...]" = ()


def _change(added: "tuple[Trace, ...]", removed: "tuple[Trace, ...]") -> None:
    """Change the receivers.  Set `TRACING` in all parts: those that are loaded later import it from the runtime."""
    global receivers  # noqa: PLW0603 (it is what is changed)
    with bootstrap._ImportLockContext():  # type: ignore[attr-defined] # under which parts are loaded
        receivers = (*(known for known in receivers if known not in (*added, *removed)), *added)
        modules: list[ModuleType] = [this, *loaded.values()]
        for module in modules:
            if "TRACING" in module.__dict__:
                module.TRACING = bool(receivers)  # type: ignore[attr-defined]


def _complain(message: str) -> None:
    try:
        faults.warning.warn(message)
    except faults.kinds.BundleWarning as warning:  # warnings are errors
        if sys.stderr is not None:
            sys.stderr.write(f"bundleimp: {warning}\n")


def _described(error: BaseException) -> str:
    kind = type(error).__name__
    try:
        return f"{kind}: {error}"
    except Exception:  # noqa: BLE001 (its text is the program's)
        return kind


def emit(kind: str, *, loader: "Any" = None, **fields: "Any") -> None:
    """Make an event, and give it to all receivers.

    Arguments:
        kind: the kind of the event.
        loader: the loader of a module that was found; its load is timed.
        fields: the other attributes of the `TraceEvent`.

    """
    if loader is not None:
        _Load(loader)
    if receivers:
        faults.warning.unlocked(_deliver, TraceEvent(kind, time.perf_counter(), **fields))


def _deliver(event: TraceEvent) -> None:
    for receiver in receivers:
        receiver.receive(event)


class _Load:
    """The next load of a module by its loader.

    Two attributes of the loader hide its methods until they are called.  So the loader keeps its class, and the loader
    of an ordinary import is as without tracing once the module is executed.
    """

    __slots__ = ("_begun", "_loader")

    def __init__(self, loader: "Any") -> None:
        self._loader = loader
        self._begun: float | None = None
        loader.create_module = self.create_module
        loader.exec_module = self.exec_module

    def create_module(self, spec: "Any") -> "ModuleType | None":
        """Create the module with the loader.  The load begins here, because this may place or link real files."""
        loader = self._loader
        loader.__dict__.pop("create_module", None)
        if spec.loader is not loader:  # a loader of the program, which may execute the module much later
            return loader.create_module(spec)  # type: ignore[no-any-return]
        self._begin()
        try:
            module: ModuleType | None = loader.create_module(spec)
        except BaseException as error:
            self._end(error)
            raise
        if spec.loader is not loader:  # an extension module in a site gets the usual loader
            loader.__dict__.pop("exec_module", None)
            self._loader = spec.loader
            spec.loader.exec_module = self.exec_module
        return module

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module with the loader, and end the load."""
        for name in ("create_module", "exec_module"):
            self._loader.__dict__.pop(name, None)
        if self._begun is None:
            self._begin()
        try:
            self._loader.exec_module(module)
        except BaseException as error:
            self._end(error)
            raise
        self._end()

    def _begin(self) -> None:
        self._begun = time.perf_counter()
        self._emit("load")

    def _end(self, error: "BaseException | None" = None) -> None:
        duration = time.perf_counter() - (self._begun or 0)
        if error is None:
            self._emit("loaded", duration=duration)
        else:
            self._emit("failed", duration=duration, reason=_described(error))

    def _emit(self, kind: str, **fields: "Any") -> None:
        # Reading the attribute `path` would place the module.
        emit(kind, name=self._loader.name, path=self._loader.__dict__["path"], **fields)


# Tracebacks and warnings leave out frames of the import system, and so these.
for _method in (_Load.create_module, _Load.exec_module):
    _method.__code__ = _method.__code__.replace(co_filename=bootstrap._load_unlocked.__code__.co_filename)  # type: ignore[attr-defined] # noqa: SLF001


def _print(event: TraceEvent) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"bundleimp: {event}\n")


if TRACING:  # as BUNDLEIMP_TRACE asks for
    Trace(_print).open()
