"""The common base of the loaders of modules without source."""

from _frozen_importlib_external import _LoaderBasics

from .. import content, loaders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..archive import Archive
    from ..format import Directory
    from .zipdirectory import ListedDirectory


class SpecialLoader(_LoaderBasics):
    """A loader with all attributes and methods of a `BundleLoader`, except those for source."""

    name: str
    path: str
    archive: "Archive"
    directory: "Directory | ListedDirectory"
    filename: str

    __init__: "Any" = loaders.BundleLoader.__init__
    __repr__: "Any" = loaders.BundleLoader.__repr__
    __eq__: "Any" = loaders.BundleLoader.__eq__
    __hash__: "Any" = loaders.BundleLoader.__hash__
    get_filename: "Any" = loaders.BundleLoader.get_filename
    create_module: "Any" = loaders.BundleLoader.create_module
    get_resource_reader: "Any" = loaders.BundleLoader.get_resource_reader

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path* (PEP 302): absolute and under the bundle or its site, or relative.

        Raises:
            OSError: the bundle has no such file.
            BundleFormatError: the file is damaged.

        """
        return content.files.read_for(self, path)

    def get_source(self, fullname: str) -> None:
        """Return None: the module has no source (PEP 302)."""
        self.get_filename(fullname)
