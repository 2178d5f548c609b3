"""Distributions and resources of bundles for ``pkg_resources``, as far as its public registries allow.

This module is loaded when ``pkg_resources`` calls it.  `setuptools` 82 and later no longer have ``pkg_resources``.
"""

from .. import bundles, content, faults
from . import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def provider(pkg_resources: "Any", module: object) -> "Any":
    """Return an ``IResourceProvider`` for the resources of *module*.

    If *module* is None, the caller sets the folder that the provider reads.
    """

    class BundleProvider(pkg_resources.NullProvider):  # type: ignore[misc]
        def _has(self, path: str) -> bool:
            return paths.path_at(path).exists()

        def _isdir(self, path: str) -> bool:
            return paths.path_at(path).is_dir()

        def _listdir(self, path: str) -> list[str]:
            return [child.name for child in paths.path_at(path).iterdir()]

        def _get(self, path: str) -> bytes:
            return paths.path_at(path).read_bytes()

        def get_resource_filename(self, _manager: object, resource_name: str) -> str:
            path = self._fn(self.module_path, resource_name)
            if bundles.locate_site(path) is not None:
                return str(path)
            resource = paths.path_at(path)
            real = resource.real_path() if isinstance(resource, paths.BundlePath) and resource.exists() else None
            if real is None:
                raise FileNotFoundError(
                    faults.numbers.ENOENT, "No such file in the bundle, or no cache to put it into", path
                )
            return str(real)

    return BundleProvider(module)


def _of_file(pkg_resources: "Any", path: "Any") -> "Any":
    """Return an ``IMetadataProvider`` for the metadata file at *path*."""

    class BundledMetadata(pkg_resources.FileMetadata):  # type: ignore[misc]
        def has_metadata(self, name: str) -> bool:
            return name == "PKG-INFO"

        def get_metadata(self, name: str) -> str:
            if name != "PKG-INFO":
                message = "No metadata except PKG-INFO is available"
                raise KeyError(message)
            return path.read_text("utf-8", "replace")  # type: ignore[no-any-return]

    return BundledMetadata(path)


def find_distributions(pkg_resources: "Any", entry: str) -> "Iterator[Any]":
    """Yield the distributions in the path entry *entry*: those with a metadata folder or file."""
    root = paths.portion_at(entry)
    for path in root.iterdir() if root.is_dir() else ():
        if path.suffix.lower() in paths.METADATA:
            if path.is_dir():
                info = provider(pkg_resources, None)
                info.module_path, info.egg_info = entry, str(path)
            else:
                info = _of_file(pkg_resources, path)
            yield pkg_resources.Distribution.from_location(entry, path.name, info)


def complete(pkg_resources: "Any", entries: "list[str]") -> None:
    """Add the distributions in bundles to the working set, which was made before bundles could be searched.

    Arguments:
        pkg_resources: the module.
        entries: ``sys.path``.  If two of its entries have the same distribution, the first one counts.

    """
    working_set = pkg_resources.working_set
    for place, entry in enumerate(entries):
        if content.naming.locate(entry) is not None or bundles.locate_site(entry) is not None:
            for distribution in pkg_resources.find_distributions(entry, only=True):
                known = working_set.by_key.get(distribution.key)
                first = known is None or known.location not in entries[: place + 1]
                working_set.add(distribution, entry, insert=False, replace=first)
