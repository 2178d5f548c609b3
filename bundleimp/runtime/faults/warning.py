"""How a `BundleWarning` is issued."""

import _imp
import _warnings
import sys

from . import kinds

_OURS = __name__.partition(".")[0]


def warn(message: str) -> None:
    """Issue a `BundleWarning` that names the line of the program which led to it.

    ``warnings`` is not imported: it may itself be on its way in from a bundle.
    """
    level = 1
    frame = sys._getframe().f_back  # noqa: SLF001 (documented in sys)
    while frame is not None:
        # What belongs to the import system is not counted in a stack level.
        if not ("importlib" in frame.f_code.co_filename and "_bootstrap" in frame.f_code.co_filename):
            level += 1
            if not str(frame.f_globals.get("__name__")).startswith(_OURS):
                break
        frame = frame.f_back
    # `warnings` imports what it prints with.  A finder has the import lock, and who imports that may wait for it.
    held = 0
    try:
        while True:
            _imp.release_lock()
            held += 1
    except RuntimeError:  # it is not ours any more
        pass
    try:
        _warnings.warn(message, kinds.BundleWarning, level)
    finally:
        for _ in range(held):
            _imp.acquire_lock()
