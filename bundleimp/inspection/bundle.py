"""`open_bundle` and `Bundle`: a bundle opened for inspection.  The public door of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reader import BundleReader
from .verify import verify

if TYPE_CHECKING:
    import os
    from typing import BinaryIO

    from .finding import Finding


class Bundle(BundleReader):
    """A bundle, or any zip, opened for inspection.

    Attributes:
        path: its path.
        size: its size in bytes.
        layout: "flat" or "nested".

    """

    def verify(self) -> list[Finding]:
        """Return everything that is wrong with the file; an empty list if it is sound.

        Every checksum is computed.  Names, sizes, offsets and local headers are compared with the central directory.
        The index is encoded again from the members and compared.
        """
        return verify(self)


def open_bundle(source: str | os.PathLike[str] | bytes | BinaryIO) -> Bundle:
    """Open a bundle (or a plain zip, or a wheel) for inspection.  Nothing is imported from it.

    Arguments:
        source: its path, its bytes, or a binary file object, which is read to its end.

    Raises:
        BundleError: the file is missing, unreadable, no zip archive, damaged, or of a newer format.
        TypeError: the source is of none of these types.

    """
    return Bundle(source)
