"""What goes wrong while packing."""

from ..runtime.errors import BundleError


class PackError(BundleError):
    """A source or the output is not usable; the output is as it was before."""
