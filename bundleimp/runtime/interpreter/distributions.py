"""Make ``importlib.metadata`` and its backport ``importlib_metadata`` find the distributions of bundles."""

from .. import data
from .. import format as bundle_format

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
        if bundle_format.SUFFIX in str(fast_path.root):
            found = data.metadata.search(fast_path, prepared)
        return found if found is not None else self.original(fast_path, prepared)


def tell(metadata: "Any") -> None:
    """Make the module *metadata* search for distributions in bundles, too."""
    fast_path: Any = getattr(metadata, "FastPath", None)
    search = getattr(fast_path, "search", None)  # missing in some versions of the backport
    if search is not None and not isinstance(search, _Search):
        fast_path.search = _Search(fast_path.search)


def forget(metadata: "Any") -> None:
    """Undo `tell`, unless another program has replaced our function."""
    search = vars(getattr(metadata, "FastPath", object)).get("search")
    if isinstance(search, _Search):
        metadata.FastPath.search = search.original
