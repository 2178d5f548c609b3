"""`importlib.invalidate_caches`: all bundles are looked at again."""

import sys

from .. import bundles


def refresh() -> None:
    """Look at all bundles again; what other tables have of those that were replaced is forgotten.

    The import system does not ask the finders of relative path entries, it forgets them.
    """
    linecache = sys.modules.get("linecache")
    for bundle in bundles.refresh_all():
        for table in (getattr(linecache, "cache", {}), sys.path_importer_cache if bundle.is_gone else {}):
            for path in [path for path in list(table) if isinstance(path, str) and path.startswith(bundle.path)]:
                table.pop(path, None)
