"""Stubs: what a nested bundle has in its outer zip for each top-level module.

Tools that list the names in a zip see the modules.  Without bundleimp, `zipimport` finds a stub, which says what is
missing.  With bundleimp, stubs are no members.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..content.member import Member

CONTENT = b"raise ImportError('this module is in a nested bundle: install bundleimp to import it')\n"
_CRC = 0xEAF21B53  # of the content


def is_stub(member: "Member") -> bool:
    """Return whether *member*, of the outer zip of a nested bundle, is a stub."""
    return member.crc == _CRC and member.size == len(CONTENT)
