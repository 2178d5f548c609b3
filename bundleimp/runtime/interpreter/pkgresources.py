"""Make ``pkg_resources`` find the distributions and resources of bundles, through its public registries."""

import sys

from .. import data, finder, loaders, plain, site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def tell(pkg_resources: "Any") -> None:
    """Register our finder and loaders with *pkg_resources*, for its searches in path entries and packages."""

    def find(_importer: object, entry: str, only: bool = False) -> "Any":  # noqa: ARG001 (of a protocol)
        return data.pkgresources.find_distributions(pkg_resources, entry)

    def provide(module: "Any") -> "Any":
        return data.pkgresources.provider(pkg_resources, module)

    pkg_resources.register_finder(finder.BundleFinder, find)
    pkg_resources.register_namespace_handler(finder.BundleFinder, pkg_resources.file_ns_handler)
    special = (plain.sourceless.SourcelessBundleLoader, site.extensions.BundleExtensionLoader)
    for loader in (loaders.BundleLoader, *special):
        pkg_resources.register_loader_type(loader, provide)
    if pkg_resources.__spec__._initializing:
        data.pkgresources.complete(pkg_resources, sys.path)


def forget(pkg_resources: "Any") -> None:
    """Do nothing: `pkg_resources` calls us only for modules and path entries in bundles."""
