"""Stubs: small modules in a bundle for Pythons without bundleimp, and for bundles under names that it does not claim.

There, `zipimport` reads the zip.  In the place of a module that it cannot import, it finds a stub, whose error says
what to do.  It is a ModuleNotFoundError, so code that handles a missing module works.  bundleimp ignores stubs.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..content.member import Member

CONTENT = b"""raise ModuleNotFoundError(
    "No module named %r: it is in a bundle, which needs bundleimp (pip install bundleimp), and a name that ends in "
    ".pybundle or .pybundle.zip: %s" % (__name__, __file__), name=__name__, path=__file__)
"""
CHECKSUM = 0x97952F10  # of the content


def is_stub(member: "Member") -> bool:
    """Return whether *member*, of the outer zip of a bundle, is a stub."""
    return member.crc == CHECKSUM and member.size == len(CONTENT)
