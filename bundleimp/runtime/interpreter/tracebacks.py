"""Print exceptions that involve bundles with source lines, instead of the interpreter's own printers.

The interpreter's printers are written in C and only open files.  This concerns uncaught exceptions on 3.11 and 3.12,
exceptions in threads on these versions, and exceptions that cannot be raised up to 3.14.  An exception may occur at any
moment.  Modules needed here may still be loading, or may already be gone because the interpreter is ending.  If this
module raises an exception, the original printer prints the exception to report.
"""

import sys
from _frozen_importlib_external import PathFinder

from .. import bundles
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any


def _traceback() -> "Any":
    """Return the standard library's ``traceback``.

    Raises:
        ImportError: a bundle has its own module of that name, or imports are no longer possible.

    """
    module: Any = sys.modules.get("traceback")
    spec = PathFinder.find_spec("traceback") if module is None else getattr(module, "__spec__", None)
    if spec is None or _may_be_in_bundle(spec.origin or "") or sys.meta_path is None:
        message = "there is no traceback of the standard library"
        raise ImportError(message)
    if module is None:
        import traceback as module  # noqa: PLC0415 (the exception has already occurred)
    return module


def _may_be_in_bundle(path: str) -> bool:
    """Return whether *path* looks like a path in a bundle, without loading `content.naming`."""
    return bundle_format.SUFFIX in path or path.startswith(bundles.programs)


def _limit() -> "Any":
    """Return the number of frames to show, as ``traceback`` counts them.  The C printer counts from the end."""
    limit = getattr(sys, "tracebacklimit", None)
    if isinstance(limit, int):
        limit = -limit if limit > 0 else 0
    return limit


def _of_exception(error: BaseException, trace: "TracebackType | None") -> str:
    """Return the output of ``sys.excepthook``."""
    return "".join(_traceback().format_exception(type(error), error, trace, limit=_limit()))


def _of_thread(args: "Any") -> str:
    """Return the output of ``threading.excepthook``."""
    name = args.thread.name if args.thread is not None else None
    return f"Exception in thread {name}:\n{_of_exception(args.exc_value, args.exc_traceback)}"


def _of_unraisable(unraisable: "Any") -> str:
    """Return the output of ``sys.unraisablehook``."""
    stack = _traceback().extract_tb(unraisable.exc_traceback, _limit())
    if sys.version_info >= (3, 13):  # from 3.13 on, the original shows no columns here
        for frame in stack:
            frame.colno = None
    lines = stack.format()
    head = unraisable.err_msg or "Exception ignored in"
    if unraisable.object is not None:
        head = f"{head}: {_safely(repr, unraisable.object, 'object repr()')}"
    else:
        head = f"{head}:"
    kind = unraisable.exc_type
    module = getattr(kind, "__module__", None)
    if not isinstance(module, str):
        module = "<unknown>"
    elif module in {"builtins", "__main__"}:
        module = ""
    else:
        module += "."
    tail = f"{module}{kind.__qualname__}: {_safely(str, unraisable.exc_value, 'exception str()')}\n"
    return "".join([head, "\n", *(["Traceback (most recent call last):\n"] if lines else []), *lines, tail])


def _safely(write: "Callable[[Any], str]", value: object, what: str) -> str:
    try:
        return write(value)
    except Exception:  # noqa: BLE001 (an object being finalised may be in any state)
        return f"<{what} failed>"


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
            if _may_be_in_bundle(trace.tb_frame.f_code.co_filename):
                return True
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and _may_be_in_bundle(error.filename or ""):
            return True
        waiting += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    return False


def has_printed(printer: str, *arguments: "Any") -> bool:
    """Print the report that *printer* was called for, if it involves a bundle.  Return whether it was printed.

    Arguments:
        printer: "excepthook" or "unraisablehook", of ``sys``, or "threading".
        arguments: the arguments of the printer.

    """
    text = ""
    if sys.stderr is None:
        return False
    if printer == "excepthook":
        _, error, trace = arguments
        if _comes_from_bundle(error):
            text = _of_exception(error, trace if trace is not None else error.__traceback__)
    elif printer == "unraisablehook":
        if _comes_from_bundle(arguments[0].exc_value):
            text = _of_unraisable(arguments[0])
    elif arguments[0].exc_type is not SystemExit and _comes_from_bundle(arguments[0].exc_value):
        text = _of_thread(arguments[0])
    if text:
        sys.stderr.write(text)
    return bool(text)


class _ThreadPrinter:
    """Replacement for ``threading.excepthook``, which is written in C on 3.11 and 3.12."""

    def __init__(self, original: "Any") -> None:
        self.original = original

    def __call__(self, args: "Any") -> None:
        try:
            done = has_printed("threading", args)
        except Exception:  # noqa: BLE001 (the exception that is to be printed matters more)
            done = False
        if not done:
            self.original(args)


def tell(threading: "Any") -> None:
    """Make the module *threading* print exceptions from bundles with source lines.

    If the program has its own hook, that stays.
    """
    original = getattr(threading, "__excepthook__", None)
    if original is not None and not isinstance(original, _ThreadPrinter):
        printer = _ThreadPrinter(original)
        if threading.excepthook is original:
            threading.excepthook = printer
        threading.__excepthook__ = printer


def forget(module: "Any") -> None:
    """Restore the printers of *module*, `threading` or `sys`, unless another program has replaced ours."""
    for name in ("excepthook", "unraisablehook", "__excepthook__", "__unraisablehook__"):
        printer: Any = getattr(module, name, None)
        if hasattr(printer, "original"):
            setattr(module, name, printer.original)
