"""Make ``linecache`` read the source of every module from a bundle, also by its bare file name."""

import sys

from .. import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class UpdateCache:
    """Replacement for ``linecache.updatecache``, which only opens files.  It also reads source in bundles."""

    def __init__(self, linecache: "Any") -> None:
        self.original = getattr(linecache.updatecache, "original", linecache.updatecache)  # not a stand-in
        self._cache = linecache.cache

    def __call__(self, filename: str, module_globals: "dict[str, Any] | None" = None) -> list[str]:
        """Return the lines of *filename*, as ``linecache.updatecache`` does."""
        source = self._source(filename, module_globals or {}) if content.naming.may_hold(filename) else None
        if source is None:
            return self.original(filename, module_globals)  # type: ignore[no-any-return]
        # Do not use `splitlines` as linecache does: it ends a line at a form feed, but a file does not.
        lines = [line + "\n" for line in source.split("\n")]
        if lines[-1] == "\n" and (len(lines) > 1 or sys.version_info < (3, 13)):
            lines.pop()
        # An entry without a modification time is not compared with a file on disk.
        self._cache[filename] = (len(source), None, lines, filename)
        return lines

    def _source(self, filename: str, module_globals: "dict[str, Any]") -> "str | None":
        """Return the source, from the version of the bundle that the module came from, if that is known."""
        loader = module_globals.get("__loader__")
        lazy = self._cache.get(filename, ())
        try:
            if len(lazy) == 1:
                return lazy[0]()  # type: ignore[no-any-return]
            # linecache may pass the globals of any module with any file name.
            if getattr(loader, "path", None) == filename:
                return loader.get_source(loader.name)  # type: ignore[no-any-return, union-attr]
        except (ImportError, OSError, AttributeError):
            pass
        return content.files.open_source(filename)


def tell(linecache: "Any") -> None:
    """Make the module *linecache* read source in bundles."""
    updatecache = getattr(linecache, "updatecache", None)  # missing in an unrelated module of that name
    if updatecache is not None and not isinstance(updatecache, UpdateCache):
        linecache.updatecache = UpdateCache(linecache)


def forget(linecache: "Any") -> None:
    """Undo `tell`, unless another program has replaced our function."""
    if isinstance(linecache.updatecache, UpdateCache):
        linecache.updatecache = linecache.updatecache.original
