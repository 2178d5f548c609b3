"""The origin of bundles: signatures and signers, bytes in memory, and stores.

This package is loaded only if bundles must be signed or are mounted.  It imports `site` and all that
`site` imports.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import memory, mounts, requiring, signatures, stores, urls
else:
    __getattr__ = parts_of(__name__)
