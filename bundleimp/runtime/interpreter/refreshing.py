"""`importlib.invalidate_caches`: all bundles are looked at again."""

import sys

from .. import bundles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bundles import OpenBundle


def refresh() -> None:
    """Look at all bundles again; what other tables have of those that were replaced is forgotten.

    The import system does not ask the finders of relative path entries, it forgets them.
    """
    linecache = sys.modules.get("linecache")
    for bundle in _refresh_all():
        for table in (getattr(linecache, "cache", {}), sys.path_importer_cache if bundle.is_gone else {}):
            for path in [path for path in list(table) if isinstance(path, str) and path.startswith(bundle.path)]:
                table.pop(path, None)


def _refresh_all() -> "list[OpenBundle]":
    """Look at all files again; return the bundles that were replaced.  Those whose file is gone are forgotten."""
    replaced = [bundle for bundle in list(bundles.in_use.values()) if bundle.refresh()]
    for bundle in replaced:
        bundle.report()
        if bundle.is_gone:
            bundles.in_use.pop(bundle.path, None)
    return replaced
