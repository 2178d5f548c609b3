"""The directories of an archive without an index, read from its central directory."""

from .. import content, faults
from .. import format as bundle_format
from . import stubs, zipdirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..format import EndRecord


def list_members(archive: "Archive", end: "EndRecord", directory: bytes) -> None:
    """Set the directories of *archive*.  If a nested bundle's index is out of date, add those of the inner zip.

    Arguments:
        archive: the archive.
        end: the end record of the archive.
        directory: the central directory of the archive.

    Raises:
        BundleVersionError: the format of the archive is newer.
        BundleFormatError: the archive is damaged.

    """
    faults.opening.check_version(end.comment)
    listing = zipdirectory.members(directory, end, archive.file.read)
    payload = listing.members.get(bundle_format.PAYLOAD)
    archive.fault = listing.fault
    members = {name: member for name, member in listing.members.items() if not stubs.is_stub(member)}
    if payload is not None:
        if payload.refusal is not None or payload.method or payload.packed_size != payload.size:
            message = payload.refusal or "must be stored uncompressed"
            raise faults.kinds.BundleFormatError(message, member=payload.name, offset=payload.offset)
        start = content.reading.data_offset(archive.file, payload)
        end = archive.find_end(start, start + payload.size)
        directory = archive.near(end.directory_offset, end.directory_size)
        listing = zipdirectory.members(directory, end, archive.file.read)
        archive.fault = archive.fault or listing.fault
        members = listing.members | members
    if any(name.startswith(content.targets.FOLDER) for name in members):
        archive.fault = archive.fault or content.targets.index_lost()
    if archive.fault is not None:
        archive.fault.file = archive.fault.path = archive.path
    own = [member for name, member in members.items() if not name.startswith(bundle_format.INFO)]
    archive.directories |= zipdirectory.list_directories(own)
