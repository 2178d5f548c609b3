"""Compressed pyc images (``pack --compress-bytecode``).

An image in the bundle is either a pyc (PEP 552) or, compressed::

    0   4s  magic "PBz1"              6   u32  size of the image
    4   u16 zip method (8 or 93)      10       the compressed image

No pyc begins with this magic: the last two bytes of a pyc's are a line end.  The checksum in the index is that of the
compressed bytes.  This module is loaded with the first image that is not a pyc, so others cost nothing more.
"""

from _frozen_importlib_external import MAGIC_NUMBER

from .. import faults
from .. import format as bundle_format
from . import decompression

PACKED_MAGIC = b"PBz1"
HEADER_SIZE = 10
# No image is compressed to less than this part of its size, so no small file can fill the memory.
MOST = 1032


def encode(method: int, packed: bytes, size: int) -> bytes:
    """Return the bytes in the bundle of an image of *size* bytes that *method* has compressed to *packed*."""
    return PACKED_MAGIC + method.to_bytes(2, "little") + size.to_bytes(4, "little") + packed


def decode(data: bytes) -> bytes:
    """Return the pyc image in *data*, which is compressed or not.

    Raises:
        ValueError: the data is broken, or this Python cannot decompress it.

    """
    if data[:4] != PACKED_MAGIC or len(data) <= HEADER_SIZE:
        return data
    method, size = bundle_format.number(data, 4, 6), bundle_format.number(data, 6, HEADER_SIZE)
    packed = data[HEADER_SIZE:]
    if size > len(packed) * MOST:
        message = f"cannot have the {size} bytes that it announces"
        raise ValueError(message)
    image = decompression.decompress(method, packed, size)
    if len(image) != size:
        message = f"does not have the {size} bytes that it announces"
        raise ValueError(message)
    return image


def unpacked(data: bytes, entry: bytes, member: str) -> bytes:
    """Return the pyc image in *data*, for this interpreter.

    Arguments:
        data: the bytes in the bundle.
        entry: the result of `format.Directory.code_entry`.
        member: the image's name in errors.

    Raises:
        BundleFormatError: the data is damaged, or this Python cannot decompress it.

    """
    offset, message, image = bundle_format.number(entry, 0, 8), bundle_format.DAMAGED, b""
    if bundle_format.seal(data) == entry[12:]:
        try:
            image = decode(data)
        except ValueError as error:
            message = str(error)
    if image[:4] != MAGIC_NUMBER:
        raise faults.kinds.BundleFormatError(message, member=member, offset=offset)
    return image
