"""Issue a `BundleWarning`."""

import _imp
import _warnings
import sys

from . import kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Modules that import, or look for distributions, for others.
_NOT_THE_CAUSE = sys.stdlib_module_names | {__name__.partition(".")[0], "importlib_metadata"}


def warn(message: str) -> None:
    """Issue a `BundleWarning` that names the line of the program that caused it.

    ``warnings`` is not imported here, because it may itself be in the middle of an import from a bundle.
    """
    level = 2  # this function and `unlocked`
    frame = sys._getframe().f_back  # noqa: SLF001 (documented in sys)
    while frame is not None:
        # Frames of the import system do not count as stack levels.
        if not ("importlib" in frame.f_code.co_filename and "_bootstrap" in frame.f_code.co_filename):
            level += 1
            if str(frame.f_globals.get("__name__")).partition(".")[0] not in _NOT_THE_CAUSE:
                break
        frame = frame.f_back
    else:
        level += 1  # at the start of the interpreter: no line of a program is the cause
    # `warnings` imports modules to print a warning.
    unlocked(_warnings.warn, kinds.printable(message), kinds.BundleWarning, level)


def unlocked(function: "Callable[..., object]", *arguments: object) -> object:
    """Return the result of *function*, which may import modules, called without the import lock.

    A finder holds that lock, and a thread that is importing one of these modules may be waiting for it.
    """
    held = 0
    try:
        try:
            while True:
                _imp.release_lock()
                held += 1
        except RuntimeError:  # this thread does not hold the lock any more
            pass
        return function(*arguments)
    finally:
        for _ in range(held):
            _imp.acquire_lock()
