"""Make ``importlib.metadata`` and its backport ``importlib_metadata`` find the distributions of bundles."""

import sys

from .. import content, data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Search:
    """Replacement for ``FastPath.search``.  It is called for every path entry, in the order of ``sys.path``."""

    def __init__(self, original: "Any") -> None:
        self.original = original

    def __get__(self, fast_path: "Any", kind: "type | None" = None) -> "Any":
        if fast_path is None:
            return self
        return lambda prepared: self(fast_path, prepared)

    def __call__(self, fast_path: "Any", prepared: "Any") -> "Any":
        found = None
        if content.naming.may_hold(str(fast_path.root)):
            found = data.metadata.search(fast_path, prepared)
        return found if found is not None else self.original(fast_path, prepared)


def tell(metadata: "Any") -> None:
    """Make the module *metadata* search for distributions in bundles, too.

    The classes that this needs are private.  If a version of the library has others, `find` takes their place.
    """
    fast_path: Any = getattr(metadata, "FastPath", None)
    search = getattr(fast_path, "search", None)
    prepared = getattr(metadata, "Prepared", None)
    is_known = search is not None and hasattr(prepared, "normalized") and hasattr(prepared, "legacy_normalized")
    if is_known and not isinstance(search, _Search):
        fast_path.search = _Search(fast_path.search)


def find(context: "Any") -> "Any":
    """Return the distributions in bundles for the library that asks with *context*, if `tell` could not adapt it."""
    library = sys.modules.get(type(context).__module__)
    search = getattr(getattr(library, "FastPath", None), "search", None)
    if library is None or isinstance(search, _Search) or not hasattr(library, "PathDistribution"):
        return ()
    return data.metadata.distributions(library, context)


def forget(metadata: "Any") -> None:
    """Undo `tell`, unless another program has replaced our function."""
    search = vars(getattr(metadata, "FastPath", object)).get("search")
    if isinstance(search, _Search):
        metadata.FastPath.search = search.original
