"""What an archive has besides embedded code: members and their contents, and checks whether its file was replaced.

This package is loaded with the first member that is read (source or data), with the first check, and with the first
plain zip.  It imports the modules of `runtime`, and `faults`.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import (
        decompression,
        files,
        head,
        images,
        limits,
        localheader,
        member,
        naming,
        opening,
        positioned,
        purposes,
        reading,
        refreshing,
        reopening,
        standard,
        status,
        targets,
    )
else:
    __getattr__ = parts_of(__name__)
