"""Running a command for its standard error, to which Python prints what it imports."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def errors_of(words: Sequence[str], file: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command without input; return its exit status, and what it wrote to standard error.

    Arguments:
        words: the command and its arguments.
        file: a file to write the output to.  A pipe would be open for as long as anything that the command has started.
        environment: the environment of the command; None for that of this process.

    Raises:
        OSError: the command cannot be started.
        ValueError: an argument has a null character.

    """
    with open(file, "w+b") as errors:
        status = subprocess.run(  # noqa: S603 (the user gave this command)
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=False,
        ).returncode
        errors.seek(0)
        return status, errors.read().decode("utf-8", "replace")
