"""Real files: units, their mirrors in the cache, and extension modules.

This package is loaded when a module first needs real files.  It imports `cache` and all that `cache` imports.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import extensions, located, mirrorfinder, mirrors, native, units
else:
    __getattr__ = parts_of(__name__)
