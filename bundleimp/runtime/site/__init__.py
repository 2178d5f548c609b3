"""Real files: units, the sites that they are placed in, and extension modules.

This room is loaded when a module first needs real files.  It imports `cache` and all that `cache` imports.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import (
        entries,
        extensions,
        filling,
        listing,
        marks,
        native,
        placing,
        planning,
        questions,
        runpaths,
        sites,
        units,
        unpacked,
    )
else:
    __getattr__ = parts_of(__name__)
