"""The user's cache: its folder, its entries and their locks, and the bytecode in it.

Loaded when something is first looked up or written there.  Imports the modules of `runtime`, and `faults`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import code, entries, folder
else:
    __getattr__ = parts_of(__name__)
