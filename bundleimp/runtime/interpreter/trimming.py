"""Hide the frames of ours when an uncaught exception of a program is printed.

Between the interpreter and the program's own code are frames of ``runpy``, of the ``__main__`` of the bundle, and of
the runtime.  An installed program has none of them.  The exception itself passes through them, because a debugger or a
profiler may be waiting for it.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

_OWN = __name__.removesuffix("interpreter.trimming")


def call(function: "Callable[..., Any]", *arguments: object) -> "Any":
    """Return what *function* returns.  If it raises an exception that nobody catches, the traceback begins there."""
    try:
        return function(*arguments)
    except SystemExit:
        raise
    except BaseException as error:
        _trim_when_printed(error)
        raise


def _trim_when_printed(error: BaseException) -> None:
    """Replace ``sys.excepthook``, for this *error* alone, by one that shortens the traceback first."""
    printer = sys.excepthook

    def print_trimmed(kind: type[BaseException], value: BaseException, trace: "TracebackType | None") -> None:
        sys.excepthook = printer
        if value is error:
            trace = _trimmed(trace)
            value.__traceback__ = sys.last_traceback = trace
        printer(kind, value, trace)

    sys.excepthook = print_trimmed


def _trimmed(trace: "TracebackType | None") -> "TracebackType | None":
    """Return *trace* from the first frame behind `call` that is neither ours nor of ``runpy``."""
    while trace is not None and trace.tb_frame.f_code is not call.__code__:
        trace = trace.tb_next
    while trace is not None and _is_on_the_way(trace.tb_frame.f_globals.get("__name__")):
        trace = trace.tb_next
    return trace


def _is_on_the_way(module: object) -> bool:
    return isinstance(module, str) and (module == "runpy" or module.startswith(_OWN))
