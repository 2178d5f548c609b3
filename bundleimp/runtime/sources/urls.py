"""URLs as path entries: ``https://host/app.pybundle#sha256=…``.

The bundle is fetched when the path hook claims the entry, and never while a module is looked for.  From then on, the
entry is an alias for the file in the cache.
"""

import _imp
import sys
from _thread import get_ident

from .. import bundles, cache, faults, finder, this
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..faults.kinds import BundleError


# The URLs that are being fetched, each with the thread that does so.
_busy: "set[tuple[str, int]]" = set()


def is_url(path: str) -> bool:
    """Return whether *path* looks like the URL of a bundle."""
    scheme, colon, rest = path.partition("://")
    return bool(colon) and scheme.replace("+", "").isalnum() and bundle_format.SUFFIX in rest


def finder_for(url: str) -> "Any":
    """Return the finder for the path entry *url*.

    If the bundle cannot be fetched, one `BundleWarning` says why, and the finder finds nothing.  The URL is asked for
    again after `importlib.invalidate_caches`.
    """
    busy = url, get_ident()
    if busy in _busy:  # what fetches the bundle imports a module, and that is looked for here, too
        return _Missing(url)
    _busy.add(busy)
    try:
        pin = cache.fetched.pin_of(url) if bundles.OpenBundle.signers is None else ""
        path = cache.fetched.path_of(pin) or _unlocked(_fetched, url)
        found = finder.BundleFinder(path)
    except (faults.kinds.BundleError, ImportError) as error:
        faults.warning.warn(str(error))
        return _Missing(url, error)
    finally:
        _busy.discard(busy)
    bundles.aliases[url] = path
    return found


def _fetched(url: str) -> str:
    """Return the local path of the bundle at *url*.

    Raises:
        BundleError: it is not pinned, or cannot be fetched.
        ImportError: this runtime is the embedded one of a program, which fetches nothing.

    """
    package = this.__name__.rpartition(".")[0]
    try:
        entry = __import__(f"{package}.fetching.entry", fromlist=["resolve"])
    except ModuleNotFoundError as error:
        if not str(error.name).startswith(package):
            raise
        shown = url.partition("://")[0]
        message = f"a path entry is a URL ({shown}://…), which needs bundleimp to be installed"
        raise ImportError(message) from None
    return str(entry.resolve(url))


def _unlocked(function: "Callable[[str], str]", url: str) -> str:
    """Return the result of *function*, called without the import lock: it imports, and it waits for a network."""
    held = 0
    try:
        try:
            while True:
                _imp.release_lock()
                held += 1
        except RuntimeError:  # this thread does not hold the lock any more
            pass
        return function(url)
    finally:
        for _ in range(held):
            _imp.acquire_lock()


class _Missing:
    """Path entry finder for a URL whose bundle is not there: because of a *fault*, or because it is being fetched."""

    def __init__(self, url: str, fault: "BundleError | ImportError | None" = None) -> None:
        self._url = url
        self._fault = fault

    def find_spec(self, fullname: str, target: object = None) -> "Any":  # noqa: ARG002 (PEP 451)
        """Return None, or the spec that others find; see `interpreter.reasons`."""
        if self._fault is None:
            return None
        from .. import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.reasons.find_elsewhere(fullname, self._fault)

    def invalidate_caches(self) -> None:
        """Make the path hook ask for the URL again."""
        sys.path_importer_cache.pop(self._url, None)
