"""The peers that make programs, pex and shiv: installed by pip into an environment of their own, where that can be."""

from __future__ import annotations

import contextlib
import subprocess
import venv
from typing import TYPE_CHECKING

from .measure import RunError, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def environment_with_pip(folder: Path) -> Path:
    """Make a virtual environment with pip in *folder*, and return the folder of its commands.

    Raises:
        RunError: there is no pip to put into it.

    """
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError as error:
        message = f"making an environment with pip: exit status {error.returncode}"
        raise RunError(message) from error
    return folder / "bin"


def install(commands: Path) -> None:
    """Install pex and shiv beside the pip in the folder *commands*.

    Raises:
        RunError: they cannot be had.

    """
    prepare("installing the peers", commands / "pip", "install", "--quiet", "pex", "shiv")


@contextlib.contextmanager
def noted(notes: list[str], lack: str) -> Iterator[None]:
    """Where the body cannot prepare what is compared with, note the *lack* and go on.

    Nothing is measured in the body: that a measurement fails must not be passed over.
    """
    try:
        yield
    except RunError as error:
        # What pip says in the end names no folder of this machine.
        *_, last = str(error).rstrip().splitlines()
        notes.append(f"{lack}: {last}")
