"""The content of a member, read from the file and checked."""

from .. import faults
from .. import format as bundle_format
from . import decompression, localheader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundlefile import BundleFile
    from .member import Member


def data_offset(file: "BundleFile", member: "Member") -> int:
    """Return the offset of the data of *member* in the *file*.

    Raises:
        BundleFormatError: the local header of the member is damaged.

    """
    if member.header is None:
        return member.offset
    header = file.read(member.offset, localheader.HEADER_SIZE + len(member.header))
    return member.offset + localheader.data_offset(header, member)


def read(file: "BundleFile", member: "Member") -> bytes:
    """Return the content of *member*, checked against its size and CRC-32.

    Raises:
        BundleFormatError: the member is damaged or refused.

    """
    if file.mapping is not None:
        return file.value(member.name)  # type: ignore[attr-defined, no-any-return] # it is a `StoreFile`
    if member.refusal is not None:
        message = f"is not read: it {member.refusal}"
        raise faults.kinds.BundleFormatError(message, member=member.name, offset=member.offset)
    offset = member.offset
    try:
        offset = data_offset(file, member)
        data = decompression.decompress(member.method, file.read(offset, member.packed_size), member.size)
    except faults.kinds.BundleFormatError as error:
        error.member = member.name
        raise
    except ValueError as error:
        raise faults.kinds.BundleFormatError(str(error), member=member.name, offset=offset) from None
    if len(data) != member.size or decompression.crc32(data) != member.crc:
        raise faults.kinds.BundleFormatError(bundle_format.DAMAGED, member=member.name, offset=offset)
    return data
