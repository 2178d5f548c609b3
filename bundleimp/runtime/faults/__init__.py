"""What is raised and said when something is wrong.

Loaded with the first fault.  Imports `errors` and the modules below it.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import kinds, numbers, opening, warning
else:
    __getattr__ = parts_of(__name__)
