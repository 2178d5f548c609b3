"""The path entry finder of mirrors.  Loaded with the first path entry that is one."""

import os
from _frozen_importlib_external import ExtensionFileLoader

from .. import bundles, cache, content, faults, finder
from . import extensions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from typing import Any

    from ..archive import Archive
    from ..format import Directory
    from ..plain.zipdirectory import ListedDirectory


class MirrorFinder(finder.BundleFinder):
    """Path entry finder for one directory of a mirror: the files are there, and the code comes from the bundle."""

    __slots__ = ("_archive", "_files", "_other")

    def __init__(self, path: str, root: str) -> None:
        """Make a finder for *path*, which is the mirror *root* or a directory in it."""
        self._archive = archive = bundles.mirrored[root]
        self._files = next(unit.files for unit in archive.units if archive.mirrors.get(unit.digest) == root)
        location = bundles.Location(bundle=archive.path, inner=bundles.inner_name(path[len(root) :]), status=None)
        # What belongs to another unit may have no mirror.
        self._other = finder.BundleFinder.at(bundles.open_bundle(archive.path), location)
        self._settle(self._other._bundle, location)  # noqa: SLF001 (of our own class)
        self.path = path
        self._folder = path.rstrip(os.sep) + os.sep

    def _current(self) -> "finder.View | None":
        # A mirror does not change, but the bundle may: what is found then is the new version's, as in a directory.
        # One that must not be used takes its mirror with it.
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
        """Leave the location of *spec*: it is real."""
        loader: Any = spec.loader
        if isinstance(loader, extensions.BundleExtensionLoader) and cache.folder.allows_code(loader.path):
            spec.loader = ExtensionFileLoader(spec.name, loader.path)

    def get_data(self, path: str) -> bytes:
        """Return the bytes of the file at *path*: absolute and under the mirror, or relative to the bundle.

        Raises:
            OSError: there is no such file in the bundle.
            BundleFormatError: it is damaged.

        """
        return content.files.read_at(self._archive, path)
