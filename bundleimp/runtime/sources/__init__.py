"""Where a bundle comes from: who signed it.

Loaded where bundles have to be signed.  Imports the modules of `runtime`, and `faults`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import requiring, signatures
else:
    __getattr__ = parts_of(__name__)
