"""The end of a program that cannot be started as the user has asked."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def refuse(message: str, status: int = 2) -> "NoReturn":
    """Print *message* with the program's name, and end the program.

    Raises:
        SystemExit: always.

    """
    if sys.stderr is not None:
        sys.stderr.write(f"{os.path.basename(sys.argv[0])}: {message}\n")
    raise SystemExit(status)
