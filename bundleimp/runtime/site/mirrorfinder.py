"""The path entry finder of mirrors.  This module is loaded with the first path entry that is a mirror."""

import os
from _frozen_importlib_external import ExtensionFileLoader

from .. import bundles, cache, content, faults, finder
from . import extensions, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from typing import Any

    from ..archive import Archive
    from ..format import Directory
    from ..plain.zipdirectory import ListedDirectory


class MirrorFinder(finder.BundleFinder):
    """Path entry finder for one directory of a mirror.  The files are in the mirror; the code comes from the bundle."""

    __slots__ = ("_archive", "_files", "_other")

    def __init__(self, path: str, root: str) -> None:
        """Make a finder for *path*: the mirror *root*, or a directory in it."""
        self._archive = archive = bundles.mirrored[root]
        self._files = next(unit.files for unit in units.units_of(archive) if archive.mirrors.get(unit.digest) == root)
        location = bundles.Location(bundle=archive.path, inner=bundles.inner_name(path[len(root) :]), status=None)
        # Modules of another unit may have no mirror: a finder for the bundle's own directory finds them.
        found = bundles.open_bundle(archive.path), location
        self._other = finder.BundleFinder(path, found)
        super().__init__(path, found)
        self.path = path
        self._folder = path.rstrip(os.sep) + os.sep

    def _current(self) -> "finder.View | None":
        # A mirror does not change, but the bundle may.  Modules are then found in the new version, as in a directory.
        # If a bundle must not be used, its mirror must not be used, either.
        if isinstance(self._bundle.fault, faults.kinds.BundleSignatureError):
            return None
        return super()._current() or finder.look_at(self._archive, self._inner)

    def _spec(
        self,
        suffix: str,
        fullname: str,
        filename: str,
        archive: "Archive",
        directory: "Directory | ListedDirectory",
        package: str = "",
    ) -> "ModuleSpec":
        mirrored_here = archive is self._archive and directory.prefix + filename in self._files
        make_spec = super()._spec if mirrored_here else self._other._spec  # noqa: SLF001 (of our own class)
        return make_spec(suffix, fullname, filename, archive, directory, package)

    def _locate(self, spec: "ModuleSpec", archive: "Archive", member: str, *, own: bool) -> None:  # noqa: ARG002
        """Leave the location of *spec* unchanged: it is a real path already."""
        loader: Any = spec.loader
        if isinstance(loader, extensions.BundleExtensionLoader) and cache.folder.allows_code(loader.path):
            spec.loader = ExtensionFileLoader(spec.name, loader.path)

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*: absolute and under the mirror, or relative to the bundle.

        Raises:
            OSError: the bundle has no such file.
            BundleFormatError: the bundle is damaged.

        """
        return content.files.read_at(self._archive, path)
