"""Path entries that are URLs: ``https://host/app.pybundle#sha256=HEX``.

A path entry is claimed at every start, so one that is in the cache is found without the rest of this package.
"""

from __future__ import annotations

import os

from ..runtime.sources import urls
from ..runtime.sources.requiring import ALLOWED_SIGNERS
from . import store
from .errors import BundleFetchError


def resolve(entry: str, *, allowed_signers: str | os.PathLike[str] | None = None) -> str:
    """Return the local path of the bundle that the URL *entry* gives, and fetch the bundle if it is not in the cache.

    A pinned bundle in the cache needs no network.  Its digest is computed again if its size or its time has changed.

    Arguments:
        entry: the URL.  It is pinned, or the bundle is signed.
        allowed_signers: path of a file that says who may have signed the bundle.  Default: the file that
            BUNDLEIMP_ALLOWED_SIGNERS names, if it is set.

    Raises:
        BundleFetchError: the URL is not pinned and nothing has to be signed; or as for `fetch`.
        BundleSignatureError: the bundle is not signed by one of *allowed_signers*.

    """
    signed = allowed_signers is not None or bool(os.environ.get(ALLOWED_SIGNERS))
    pin = urls.pin_of(entry) if not signed else ""
    path = store.find(pin, whole=False) if pin else None
    if path is not None:
        return path
    from . import addresses, fetch  # noqa: PLC0415 (not needed for what is in the cache)

    address = addresses.parse(entry)
    if address.pin is None and not signed:
        message = (
            f"is not pinned, so nothing is fetched: `bundleimp fetch '{address.shown}'` prints the URL with its pin"
        )
        raise BundleFetchError(message, file=address.shown)
    return fetch.obtain(fetch.Wanted((entry,), allowed_signers=allowed_signers)).path
