"""The user's cache: the cache folder, its entries and their locks, and cached bytecode.

This package is loaded when the runtime first reads or writes the cache.  It imports the modules of `runtime`,
`faults`, `content` and `plain`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import code, entries, folder, loader, loading
else:
    __getattr__ = parts_of(__name__)
