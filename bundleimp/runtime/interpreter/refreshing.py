"""Support for `importlib.invalidate_caches`: check the files of all bundles again."""

import sys

from .. import bundles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundles import OpenBundle


def refresh() -> None:
    """Check the files of all bundles again.  Delete what other caches contain about replaced bundles.

    The import system does not call the finders of relative path entries; it deletes them.
    """
    linecache = sys.modules.get("linecache")
    for bundle in _refresh_all():
        for table in (getattr(linecache, "cache", {}), sys.path_importer_cache if bundle.is_gone else {}):
            for path in [path for path in list(table) if isinstance(path, str) and path.startswith(bundle.path)]:
                table.pop(path, None)


def _refresh_all() -> "list[OpenBundle]":
    """Check all files again.  Return the bundles that were replaced.  Remove bundles whose file is gone."""
    replaced = [bundle for bundle in list(bundles.in_use.values()) if bundle.check_again()]
    for bundle in replaced:
        bundle.report()
        if bundle.is_gone:
            bundles.in_use.pop(bundle.path, None)
    return replaced
