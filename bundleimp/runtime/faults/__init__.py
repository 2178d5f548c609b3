"""Exceptions and warnings.

This package is loaded with the first fault.  It imports only `format` from the other modules.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import kinds, likeness, numbers, opening, warning
else:
    __getattr__ = parts_of(__name__)
