"""What goes wrong while packing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    import os


class PackError(BundleError):
    """A source or the output is not usable; the output is as it was before."""


def unreadable(error: OSError, file: str | os.PathLike[str] | None = None) -> PackError:
    """Return the error to raise where a file of the user's cannot be read.

    Arguments:
        error: what the platform said.
        file: the file; default: the one that *error* names.

    """
    return PackError(f"cannot be read: {error.strerror}", file=str(error.filename if file is None else file))


@dataclass(frozen=True)
class PackWarning:
    """Something that the packed bundle does without.

    Attributes:
        member: the member it is about, or a file that gives none.
        message: what is wrong.

    """

    member: str
    message: str
