"""The head of an index, for those who need it after the archive was opened (`Archive` itself does not keep it)."""

from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..annotations import Head
    from ..archive import Archive


def head_of(archive: "Archive") -> "Head | None":
    """Return the head of the index, or None if the *archive* has none.  Its code tags have the order of the columns.

    Raises:
        BundleFormatError: it is damaged.

    """
    locator = bundle_format.decode_locator(archive.find_end(0, archive.file.size).comment)
    if locator is None or not archive.indexed:
        return None
    end = locator.index_offset + locator.index_size
    return bundle_format.decode_head(archive.near(end - locator.head_size, locator.head_size))
