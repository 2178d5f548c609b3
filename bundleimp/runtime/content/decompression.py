"""Checksums of zip members (CRC-32), and decompression."""

import sys

from . import standard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STORED = 0
DEFLATED = 8
ZSTANDARD = 93
# No deflate stream grows by more than this factor (zlib's "Maximum Compression Factor").
_DEFLATE_MOST = 1032

_zlib = standard.standard_module("zlib")
crc32: "Callable[[bytes], int]" = _zlib.crc32


def decompress(method: int, data: bytes, size: int) -> bytes:
    """Return *data* decompressed.  Never return more than *size* + 1 bytes, whatever the data claims.

    Arguments:
        method: the zip compression method (APPNOTE 4.4.5): 0, 8 or 93.
        data: the member's compressed bytes.
        size: the announced size in bytes.

    Raises:
        ValueError: the data is broken, or the method is unknown or not in this Python's standard library.

    """
    if method == STORED:
        return data
    if method == DEFLATED:
        if size > len(data) * _DEFLATE_MOST:
            message = f"cannot have the {size} bytes that it announces"
            raise ValueError(message)
        decompressor = _zlib.decompressobj(-15)
        try:
            return decompressor.decompress(data, size + 1)  # type: ignore[no-any-return]
        except _zlib.error as error:
            message = f"cannot be decompressed: {error}"
            raise ValueError(message) from None
    if method == ZSTANDARD:
        try:
            zstd = standard.standard_module("_zstd")
        except ImportError:
            message = "is compressed with zstd, which needs Python 3.14 or newer"
            raise ValueError(message) from None
        try:
            return zstd.ZstdDecompressor().decompress(data, min(size + 1, sys.maxsize))  # type: ignore[no-any-return]
        except zstd.ZstdError as error:
            message = f"cannot be decompressed: {error}"
            raise ValueError(message) from None
    message = f"is compressed with method {method}, which is not supported"
    raise ValueError(message)
