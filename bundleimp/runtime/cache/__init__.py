"""The user's cache: the cache folder, its entries and their locks, and cached bytecode.

This package is loaded with the first source that has no embedded bytecode, and with the first use of the cache.  It
imports the modules of `runtime`, `faults`, `content` and `plain`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import code, entries, folder, loader, loading
else:
    __getattr__ = parts_of(__name__)
