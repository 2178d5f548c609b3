"""URLs as path entries: ``https://host/app.pybundle#sha256=…``.

The bundle is fetched when the path hook claims the entry, and never while a module is looked for.  From then on, the
entry is an alias for the file in the cache.  The name of its entry there is the SHA-256 of the file.  A note beside the
file has the status that it had when its digest was computed.
"""

import os
import sys
from _thread import get_ident

from .. import TRACING, Record, bundlefile, bundles, cache, finder, this, trace
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


FOLDER = "fetched"
CHECKED = "checked"
_PIN = "#sha256="
_DIGEST_SIZE = 64
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
        return _missing(url, owner=busy)
    _busy.add(busy)
    try:
        pin = pin_of(url) if bundles.OpenBundle.signers is None else ""
        path = path_of(pin)
        if path is None:
            from .. import faults  # noqa: PLC0415 (loaded when first needed)

            path = str(faults.warning.unlocked(_fetched, url))  # it imports, and waits for a network
        opened = bundles.open_bundle(path, bundlefile.status_of(path))
        if opened.fault is not None:
            raise opened.fault  # noqa: TRY301 (as what fetches does)
    except Exception as error:
        from .. import faults  # noqa: PLC0415 (as above)

        if not isinstance(error, faults.kinds.BundleError | ImportError):
            raise
        faults.warning.warn(str(error))
        # Without the URL itself, which may have a password.
        shown = getattr(error, "file", None) or f"{url.partition('://')[0]}://…"
        if TRACING:
            trace("refused", path=shown, reason=getattr(error, "message", str(error)))
        return _missing(url, error)
    finally:
        _busy.discard(busy)
    bundles.aliases[url] = path
    if TRACING:
        trace("claimed", path=path)
    return finder.BundleFinder(path, (opened, bundles.Location(bundle=path, inner="", status=None)))


def note_of(status: os.stat_result) -> bytes:
    """Return the note for a file with this *status*."""
    return f"{status.st_size} {status.st_mtime_ns}\n".encode()


def pin_of(url: str) -> str:
    """Return the digest that *url* names in its fragment, in lower case; "" if it names none."""
    pin = url.rpartition(_PIN)[2].lower() if _PIN in url else ""
    return pin if len(pin) == _DIGEST_SIZE and not pin.strip("0123456789abcdef") else ""


def path_of(pin: str) -> "str | None":
    """Return the path of the file with the digest *pin*, if it was checked and is as it was then; else None.

    The entry is not locked: who imports from the file keeps it open.
    """
    root = cache.folder.folder(create=False) if pin else None
    if root is None:
        return None
    entry = os.path.join(root, FOLDER, pin)
    try:
        names = [name for name in os.listdir(entry) if name.endswith(bundle_format.SUFFIX)]
        with open(os.path.join(entry, CHECKED), "rb") as stream:
            note = stream.read()
        path = os.path.join(entry, min(names, default=""))
        if note_of(os.stat(path)) != note:
            return None
    except OSError:
        return None
    return path


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


def _missing(url: str, fault: "Exception | None" = None, owner: "tuple[str, int] | None" = None) -> "Any":
    """Return a path entry finder for a *url* whose bundle is not there.

    Arguments:
        url: the path entry.
        fault: why the bundle cannot be fetched.
        owner: the element of `_busy`, if the bundle is being fetched.

    """

    def find_spec(fullname: str, target: object = None) -> "Any":
        if owner is not None:
            if owner == (url, get_ident()) and owner in _busy:
                return None
            found = sys.path_importer_cache[url] = finder_for(url)  # another thread waits until it is fetched
            return found.find_spec(fullname, target)
        from .. import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.reasons.find_elsewhere(fullname, fault) if fault is not None else None

    def invalidate_caches() -> None:
        sys.path_importer_cache.pop(url, None)  # so the path hook is asked again

    return Record(find_spec=find_spec, invalidate_caches=invalidate_caches)
