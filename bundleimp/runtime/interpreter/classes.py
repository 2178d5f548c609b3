"""Register our classes with the abstract base classes of ``importlib.abc``, for ``isinstance``."""

from .. import finder, loaders, plain, site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def tell(importlib_abc: "Any") -> None:
    """Register our classes with those of the module *importlib_abc*."""
    importlib_abc.SourceLoader.register(loaders.BundleLoader)
    for name in ("ExecutionLoader", "ResourceLoader"):
        kind = getattr(importlib_abc, name, None)  # ResourceLoader is deprecated
        if kind is not None:
            kind.register(plain.sourceless.SourcelessBundleLoader)
            kind.register(site.extensions.BundleExtensionLoader)
    importlib_abc.PathEntryFinder.register(finder.BundleFinder)


def forget(importlib_abc: "Any") -> None:
    """Do nothing: the registration is correct whether or not the hook is installed."""
