"""URLs as path entries: ``https://host/app.pybundle#sha256=…``.

The bundle is fetched when the path hook claims the entry, and never while a module is looked for.  From then on, the
entry is an alias for the file in the cache.
"""

import sys
from _thread import get_ident

from .. import Record, bundles, cache, finder, this
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
        return _missing(url)
    _busy.add(busy)
    try:
        pin = cache.fetched.pin_of(url) if bundles.OpenBundle.signers is None else ""
        path = cache.fetched.path_of(pin)
        if path is None:
            from .. import faults  # noqa: PLC0415 (loaded when first needed)

            path = str(faults.warning.unlocked(_fetched, url))  # it imports, and waits for a network
        opened = bundles.open_bundle(path)
        if opened.fault is not None:
            raise opened.fault  # noqa: TRY301 (as what fetches does)
    except Exception as error:
        from .. import faults  # noqa: PLC0415 (as above)

        if not isinstance(error, faults.kinds.BundleError | ImportError):
            raise
        faults.warning.warn(str(error))
        return _missing(url, error)
    finally:
        _busy.discard(busy)
    bundles.aliases[url] = path
    return finder.BundleFinder(path, (opened, bundles.Location(bundle=path, inner="", status=None)))


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


def _missing(url: str, fault: "Exception | None" = None) -> "Any":
    """Return a path entry finder for a *url* whose bundle is not there: it is being fetched, or there is a *fault*."""

    def find_spec(fullname: str, target: object = None) -> "Any":  # noqa: ARG001 (PEP 451)
        if fault is None:
            return None
        from .. import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.reasons.find_elsewhere(fullname, fault)

    def invalidate_caches() -> None:
        sys.path_importer_cache.pop(url, None)  # so the path hook is asked again

    return Record(find_spec=find_spec, invalidate_caches=invalidate_caches)
