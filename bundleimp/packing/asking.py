"""Ask an interpreter that the user names, and say what it answers if it does not start."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Sequence

NEEDED = "CPython 3.11 or newer is needed"


def ask(executable: str, options: Sequence[str], question: str) -> Any:
    """Return the JSON that *question*, the source of a program, prints; {} if it prints none.

    Raises:
        PackError: the interpreter cannot be started.

    """
    try:
        asked = subprocess.run(  # noqa: S603 (the user named this interpreter)
            [executable, *options, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        message = f"this interpreter cannot be started: {error.strerror}"
        raise PackError(message, file=executable) from None
    try:
        return json.loads(asked.stdout)
    except ValueError:
        return {}


def unfit(executable: str, purpose: str) -> PackError:
    """Return the error that an interpreter cannot do what *purpose* says.  It cites what the interpreter says."""
    try:
        tried = subprocess.run([executable, "-c", ""], capture_output=True, check=False)  # noqa: S603 (as above)
        lines = tried.stderr.decode("utf-8", "replace").splitlines() if tried.returncode else []
    except OSError:
        lines = []
    said = next((line.strip() for line in lines if line.strip()), "")
    message = f"cannot {purpose} with this interpreter" + (f": {said}" if said else f"; {NEEDED}")
    return PackError(message, file=executable)
