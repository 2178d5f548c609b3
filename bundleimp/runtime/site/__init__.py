"""Real files: units, mirrors of them in the cache, and extension modules.

Loaded when a module first needs real files.  Imports `cache` and all that is below it.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import extensions, located, mirrorfinder, mirrors, native, units
else:
    __getattr__ = parts_of(__name__)
