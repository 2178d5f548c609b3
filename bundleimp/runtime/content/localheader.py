"""The local header of a zip member: takes bytes, returns values.  Written after APPNOTE.TXT 6.3 (4.3.7)."""

from .. import faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .member import Member

HEADER_SIGNATURE = b"PK\x03\x04"
HEADER_SIZE = 30
_DATA_DESCRIPTOR = 0x8
_IN_ZIP64 = 0xFFFFFFFF


def data_offset(header: bytes, member: "Member") -> int:
    """Return the distance from the start of the local *header* of *member* to its data.

    A checksum cannot protect an entry whose size and checksum are both damaged.  So the two copies of these facts are
    compared.

    Raises:
        BundleFormatError: the header is damaged, or contradicts the central directory.

    """
    raw = member.header or b""
    name_size = bundle_format.number(header, 26, 28)
    if header[:4] != HEADER_SIGNATURE or name_size != len(raw) or header[HEADER_SIZE : HEADER_SIZE + name_size] != raw:
        message = "the local header is damaged or is that of another member"
        raise faults.kinds.BundleFormatError(message, member=member.name, offset=member.offset)
    packed_size, size = bundle_format.number(header, 18, 22), bundle_format.number(header, 22, 26)
    # A data descriptor or the zip64 field may contain these values instead of the header itself.
    silent = bundle_format.number(header, 6, 8) & _DATA_DESCRIPTOR or _IN_ZIP64 in {packed_size, size}
    same_data = (bundle_format.number(header, 14, 18), packed_size, size) == (
        member.crc,
        member.packed_size,
        member.size,
    )
    if bundle_format.number(header, 8, 10) != member.method or not (silent or same_data):
        message = "the local header and the central directory disagree"
        raise faults.kinds.BundleFormatError(message, member=member.name, offset=member.offset)
    return HEADER_SIZE + name_size + bundle_format.number(header, 28, 30)
