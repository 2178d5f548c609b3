"""What loaders of modules without source have in common."""

from _frozen_importlib_external import _LoaderBasics

from .. import content, loaders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SpecialLoader(_LoaderBasics):
    """A loader that is a `BundleLoader` in all things but source.  Its attributes are the same."""

    name: str
    path: str
    _directory: "Any"
    _filename: str

    __init__ = loaders.BundleLoader.__init__
    __repr__ = loaders.BundleLoader.__repr__
    __eq__ = loaders.BundleLoader.__eq__
    __hash__ = loaders.BundleLoader.__hash__
    get_filename = loaders.BundleLoader.get_filename
    create_module = loaders.BundleLoader.create_module
    get_resource_reader = loaders.BundleLoader.get_resource_reader

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path* (PEP 302): absolute and under the bundle or a mirror, or relative.

        Raises:
            OSError: there is no such file in the bundle.
            BundleFormatError: it is damaged.

        """
        return content.files.read_for(self, path)

    def get_source(self, fullname: str) -> None:
        """Return None: there is no source (PEP 302)."""
        self.get_filename(fullname)
