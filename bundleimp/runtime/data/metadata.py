"""The distributions of a bundle, for ``importlib.metadata`` and its backport (``importlib_metadata``).

Both libraries search one path entry after the other for distributions.  `adapt` redirects that search to this module
for path entries in bundles.  The libraries themselves interpret the paths that the search returns.  This module is
loaded at the first such search, so it may import the modules that the libraries import.
"""

import sys

from .. import bundles, content, site
from . import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..archive import Archive


def _normalized(name: str) -> str:
    """Return the name of a distribution as lookups compare it (PEP 503, with underscores)."""
    name = name.lower().replace("-", "_").replace(".", "_")
    while "__" in name:
        name = name.replace("__", "_")
    return name


class _Lookup:
    """The metadata folders (or files, in old formats) of the distributions in one directory of a bundle, by name.

    ``key`` is the key of the bundle's version.
    """

    __slots__ = ("_eggs", "_infos", "key")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self.key = archive.key
        # Two distributions with one name are rare.  They share a string, separated by a slash.
        self._infos: dict[str, str] = {}
        self._eggs: dict[str, str] = {}
        directory = archive.directory(inner)
        egg = inner.rpartition("/")[2].lower()
        for child in directory.names if directory is not None else ():
            file_name = child.removesuffix("/")
            low = file_name.lower()
            if low.endswith(paths.METADATA):
                table, name = self._infos, _normalized(low.rpartition(".")[0].partition("-")[0])
            elif low == "egg-info" and egg.endswith(".egg"):
                table, name = self._eggs, egg.rpartition(".")[0].partition("-")[0]
            else:
                continue
            table[name] = f"{table[name]}/{file_name}" if name in table else file_name

    def search(self, prepared: "Any") -> "Iterator[str]":
        """Yield the metadata file names of the distribution that *prepared* names, or of all if it names none."""
        tables = (self._infos, prepared.normalized), (self._eggs, prepared.legacy_normalized)
        for table, name in tables:
            for file_names in table.values() if not prepared else (table[name],) if name in table else ():
                yield from file_names.split("/")


def search(fast_path: "Any", prepared: "Any") -> "Iterable[paths.BundlePath] | None":
    """Return the metadata paths of distributions in one path entry, or None if the entry is not in a bundle.

    A damaged bundle has no distributions, and causes one `BundleWarning`.

    Arguments:
        fast_path: the ``FastPath`` of the path entry.  The results of the search are stored in it.
        prepared: a ``Prepared`` with the name of a distribution, or without a name to request all.

    Raises:
        BundleFormatError: the bundle's index is damaged.

    """
    return _found(str(fast_path.root), vars(fast_path), prepared)


def _found(path: str, known: "dict[str, Any]", prepared: "Any") -> "Iterable[paths.BundlePath] | None":
    """Do as `search` for the path entry *path*.  *known* keeps the results."""
    site_folder = site.sites.at(path) if bundles.may_be_in_site(path) else None
    if site_folder is not None:
        owner = bundles.sites[site_folder]
        if owner is None or (path in sys.path and owner.path in map(bundles.absolute, sys.path)):
            return ()  # the bundle's own entry gives the same distributions
        path = owner.path + bundles.absolute(path)[len(site_folder) :]
    location = content.naming.locate(path)
    if location is None:
        return None
    bundle = bundles.open_bundle(location.bundle)
    bundle.report()
    archive = bundle.archive
    if archive is None:
        return ()
    lookup: _Lookup | None = known.get("bundle_lookup")
    if lookup is None or lookup.key != archive.key:
        lookup = known["bundle_lookup"] = _Lookup(archive, location.inner)
    prefix = f"{location.inner}/" if location.inner else ""
    return (paths.DistributionPath(archive, prefix + name) for name in lookup.search(prepared))


class _Prepared:
    """The name that is looked for, as the libraries prepare it.  Without a name, all distributions are."""

    def __init__(self, name: "str | None") -> None:
        self._name = name
        self.normalized = _normalized(name or "")
        self.legacy_normalized = (name or "").lower().replace("-", "_")

    def __bool__(self) -> bool:
        return bool(self._name)


def distributions(library: "Any", context: "Any") -> "Iterator[Any]":
    """Yield the distributions in bundles for a *library* that has no ``FastPath`` to redirect.

    Arguments:
        library: ``importlib.metadata`` or ``importlib_metadata``.
        context: its ``DistributionFinder.Context``.

    Raises:
        BundleFormatError: a bundle's index is damaged.

    """
    for entry in context.path:
        if content.naming.may_hold(str(entry)):
            for path in _found(str(entry), {}, _Prepared(context.name)) or ():
                yield library.PathDistribution(path)
