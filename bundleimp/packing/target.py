"""The file that `pack` will write: its path, and whether it can stand there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..runtime.format import SUFFIX
from .errors import PackError
from .reading import has_bundle_name, is_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .options import PathLike


def target_path(output: PathLike, sources: Sequence[Path], *, is_program: bool) -> Path:
    """Return the real path of *output*, checked: `pack` can write a bundle there.

    Arguments:
        output: the path that the user gave.
        sources: the sources whose files become members; the bundle must not be one of them.
        is_program: whether a program is packed, which may have any name.

    Raises:
        PackError: *output* is a directory or a device, is one of *sources*, has no directory to stand in, or has
            another suffix.  Or a program would replace a file that is no bundle.

    """
    target = Path(os.path.realpath(output))
    _check_place(target)
    for path in sources:
        if Path(os.path.realpath(path)) == target:  # `Path.resolve` raises where links go in circles
            message = f"the bundle would replace its source {path}; write it somewhere else"
            raise PackError(message, file=str(target))
    if has_bundle_name(output):
        return target
    if not is_program:
        message = (
            f"the name of a bundle must end in {SUFFIX}; to make a program of any name, give -e NAME or --standalone"
        )
        raise PackError(message, file=str(output))
    if target.exists() and not is_bundle(str(target)):
        message = f"exists and is no bundle: remove it, or give the program another name, such as one in {SUFFIX}"
        raise PackError(message, file=str(output))
    return target


def _check_place(target: Path) -> None:
    if target.is_dir():
        message = "is a directory; name the file to write"
        raise PackError(message, file=str(target))
    if target.exists() and not target.is_file():
        message = "is neither a file nor a directory, and would be replaced; name the file to write"
        raise PackError(message, file=str(target))
    if not target.parent.is_dir():
        message = f"cannot be written: there is no directory {target.parent}"
        raise PackError(message, file=str(target))
