"""Trace imports from bundles."""

from .. import hook
from . import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .events import Trace, TraceEvent


def trace(callback: "Callable[[TraceEvent], object]") -> "Trace":
    """Call *callback* with an event for each step of imports from bundles, until the returned object is closed.

    There may be several callbacks at once.  A callback is called in the thread that does the work, so perhaps in
    several threads at once.  It may import modules, but does not receive the events of these imports.  If it raises an
    exception, the import continues.  A `BundleWarning` names the exception, and the callback is not called again.
    Without callbacks, imports cost what they cost before.

    Arguments:
        callback: a function with one argument, a `TraceEvent`.

    Returns:
        An object with a method ``close()``, which ends the trace.  As a context manager, it closes itself.

    Raises:
        TypeError: *callback* cannot be called.

    """
    found = events.Trace(callback)
    found.open()
    # Finders that answer for bundles without the runtime report nothing.
    hook.forget_path_entries(ours=False)
    return found
