"""Zips without an index: their central directory, and bytecode in the same archive as its source.

This package is loaded with the first plain zip, and with the first source that has no embedded bytecode.  It imports
the modules of `runtime`, `faults` and `content`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import bytecode, listing, sourceless, special, stubs, zipdirectory
else:
    __getattr__ = parts_of(__name__)
