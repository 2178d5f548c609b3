"""Methods that read a file of a bundle as `pathlib.Path` reads a file on disk.

This module is loaded when a program requests a resource or a distribution, but not during an import.
"""

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any


def decoded(data: bytes, encoding: "str | None", errors: "str | None") -> str:
    """Return the text of a file with the bytes *data*, as `open` decodes it."""
    if encoding != "utf-8" or b"\r" in data:
        return io.TextIOWrapper(io.BytesIO(data), encoding, errors).read()
    return data.decode(encoding, errors or "strict")


class Readable:
    """Base class of file names.  It implements the other reading methods with ``read_bytes``."""

    __slots__ = ()

    def read_bytes(self) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: there is no such file.
            BundleFormatError: the file is damaged.

        """
        raise NotImplementedError

    def read_text(self, encoding: "str | None" = None, errors: "str | None" = None) -> str:
        """Return the file's text.  *encoding* and *errors* are those of `open`."""
        return decoded(self.read_bytes(), encoding, errors)

    def open(self, mode: str = "r", *args: "Any", **kwargs: "Any") -> "IO[Any]":
        """Open the file for reading.  Further arguments are those of `io.TextIOWrapper`.

        Raises:
            ValueError: *mode* is neither "r" nor "rb".
            OSError: there is no such file.

        """
        if mode not in {"r", "rt", "rb"}:
            message = f"a bundle is read only: mode {mode!r}"
            raise ValueError(message)
        stream = io.BytesIO(self.read_bytes())
        return stream if "b" in mode else io.TextIOWrapper(stream, *args, **kwargs)
