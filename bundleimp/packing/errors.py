"""What goes wrong while packing."""

from dataclasses import dataclass

from ..runtime.errors import BundleError


class PackError(BundleError):
    """A source or the output is not usable; the output is as it was before."""


@dataclass(frozen=True)
class PackWarning:
    """Something that the packed bundle does without.

    Attributes:
        member: the member it is about, or a file that gives none.
        message: what is wrong.

    """

    member: str
    message: str
