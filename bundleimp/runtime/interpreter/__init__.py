"""What the standard library is told of bundles, programs, and the embedded runtime.

Each part is loaded when the module that it tells is loaded, or by a program.  May import every other room.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import (
        classes,
        distributions,
        embedded,
        lines,
        parts,
        pkgresources,
        program,
        refreshing,
        removing,
        telling,
        tracebacks,
    )
else:
    __getattr__ = parts_of(__name__, {"program": ("gc",)})
