"""Distributions and resources of bundles for ``pkg_resources``, as far as its public registries allow.

This module is loaded when ``pkg_resources`` calls it.  `setuptools` 82 and later no longer have ``pkg_resources``.
"""

import os
import pathlib

from .. import bundles, faults
from . import metadata, resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def _at(path: str) -> "metadata.BundledPath | pathlib.Path":
    """Return a `pathlib`-like path for *path*, which may be in a bundle or in its site."""
    return metadata.BundledPath(path) if bundles.locate_site(path) is None else pathlib.Path(path)


def provider(pkg_resources: "Any", module: object) -> "Any":
    """Return an ``IResourceProvider`` for the resources of *module*.

    If *module* is None, the caller sets the folder that the provider reads.
    """

    class BundleProvider(pkg_resources.NullProvider):  # type: ignore[misc]
        def _has(self, path: str) -> bool:
            return _at(path).exists()

        def _isdir(self, path: str) -> bool:
            return _at(path).is_dir()

        def _listdir(self, path: str) -> list[str]:
            return [child.name for child in _at(path).iterdir()]

        def _get(self, path: str) -> bytes:
            return _at(path).read_bytes()

        def get_resource_filename(self, _manager: object, resource_name: str) -> str:
            path = self._fn(self.module_path, resource_name)
            if bundles.locate_site(path) is not None:
                return str(path)
            location = bundles.locate(path)
            archive = bundles.open_bundle(location.bundle).archive if location is not None else None
            real = None
            if location is not None and archive is not None and metadata.BundledPath(path).exists():
                real = resources.BundlePath(archive, location.inner).real_path()
            if real is None:
                raise FileNotFoundError(
                    faults.numbers.ENOENT, "No such file in the bundle, or no cache to put it into", path
                )
            return str(real)

    return BundleProvider(module)


def find_distributions(pkg_resources: "Any", entry: str) -> "Iterator[Any]":
    """Yield the distributions in the path entry *entry* whose metadata is in a folder."""
    root = metadata.BundledPath(entry)
    for path in root.iterdir() if root.is_dir() else ():
        if path.suffix.lower() in {".dist-info", ".egg-info"} and path.is_dir():
            info = provider(pkg_resources, None)
            info.module_path, info.egg_info = entry, os.fspath(path)
            yield pkg_resources.Distribution.from_location(entry, path.name, info)


def complete(pkg_resources: "Any", entries: "list[str]") -> None:
    """Add the distributions in bundles to the working set, which was made before bundles could be searched.

    Arguments:
        pkg_resources: the module.
        entries: ``sys.path``.  If two of its entries have the same distribution, the first one counts.

    """
    working_set = pkg_resources.working_set
    for place, entry in enumerate(entries):
        if bundles.locate(entry) is not None:
            for distribution in pkg_resources.find_distributions(entry, only=True):
                known = working_set.by_key.get(distribution.key)
                first = known is None or known.location not in entries[: place + 1]
                working_set.add(distribution, entry, insert=False, replace=first)
