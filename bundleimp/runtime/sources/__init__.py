"""The origin of bundles: signatures and signers.

This package is loaded only if bundles must be signed.  It imports the modules of `runtime`, `faults` and `content`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import requiring, signatures
else:
    __getattr__ = parts_of(__name__)
