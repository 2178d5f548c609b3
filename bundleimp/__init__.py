"""Ship and import Python packages as one file.

This module is loaded at every start of an interpreter that has bundleimp installed, so it holds no more than
stand-ins for the hooks; everything else is loaded at its first use (PEP 562).
"""

import os
import sys
from _frozen_importlib import _ImportLockContext, module_from_spec  # type: ignore[attr-defined]
from _frozen_importlib_external import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Generator
    from importlib.metadata import DistributionFinder
    from typing import Any

    from .inspection.bundle import Bundle, open_bundle
    from .packing.pack import PackReport, pack
    from .runtime.errors import BundleError
    from .runtime.faults.kinds import BundleWarning
    from .runtime.finder import BundleFinder
    from .runtime.hook import install, uninstall
    from .runtime.loaders import BundleLoader

__all__ = [
    "Bundle",
    "BundleError",
    "BundleFinder",
    "BundleLoader",
    "BundleWarning",
    "PackReport",
    "install",
    "open_bundle",
    "pack",
    "uninstall",
]
__version__ = "0.1.0"

_HOMES = {
    "Bundle": "inspection.bundle",
    "BundleError": "runtime.errors",
    "BundleFinder": "runtime.finder",
    "BundleLoader": "runtime.loaders",
    "BundleWarning": "runtime.faults.kinds",
    "PackReport": "packing.pack",
    "install": "runtime.hook",
    "open_bundle": "inspection.bundle",
    "pack": "packing.pack",
    "uninstall": "runtime.hook",
}


def __getattr__(name: str) -> object:
    if name == "runtime":
        return _load(name)
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    room, *parts = home.split(".")
    value: Any = _load(room) if room == "runtime" else __import__(f"{__name__}.{room}", fromlist=[""])
    if room != "runtime":
        __import__(f"{__name__}.{home}")
    for part in [*parts, name]:
        value = getattr(value, part)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


# Our modules that are being loaded, by name.
_attempts: "dict[str, Generator[None]]" = {}


def _load(name: str) -> "Any":
    """Return our module or package *name*, loaded as `runtime` loads its parts, for the reasons that are given there.

    Raises:
        ImportError: this thread is loading it: an audit hook (PEP 578) imports something while the file is opened.

    """
    fullname = f"{__name__}.{name}"
    with _ImportLockContext():
        if fullname not in sys.modules:
            if name in _attempts and _attempts[name].gi_running:
                message = f"{fullname} is still being loaded"
                raise ImportError(message, name=fullname)
            _attempts[name] = _attempt(fullname, name)
            next(_attempts[name])
    return sys.modules[fullname]


def _attempt(fullname: str, name: str) -> "Generator[None]":
    path = os.path.join(__path__[0], name)
    spec: Any = spec_from_file_location(fullname, f"{path}.py" if name == "waiting" else f"{path}/__init__.py")
    try:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    except OSError:  # we are in an archive
        __import__(fullname)
    else:
        sys.modules[fullname] = globals()[name] = module
    yield


# What `zipimport` made of the path entries that it was asked for before there was any hook, by absolute path.
_known_zips: "dict[str, Any]" = {}


def _installed() -> "Any":
    """Install the runtime's hooks, and return its module `runtime.hook`; ImportError as of `_load`."""
    hook = _load("runtime").hook
    hook.install()
    return hook


def _path_hook(path: str) -> object:
    """Stand in for `runtime.hook.path_hook` until a module is wanted of a path entry that may be a bundle."""
    if ".pybundle" not in path:
        raise ImportError
    importer = _known_zips.pop(path, None)  # another thread may ask, too
    try:
        if importer is not None:
            return _load("waiting").WaitingFinder(path, importer)
        hook = _installed()
    except ImportError:

        class NothingYet:  # forgotten when the runtime is there
            find_spec = staticmethod(lambda _name, _target=None: None)

        return NothingYet
    return hook.path_hook(path)


_path_hook.claims_bundles = True  # type: ignore[attr-defined]


class _MetaFinder:
    """Stand in, on ``sys.meta_path``, for what the runtime does to ``importlib.metadata`` and ``pkg_resources``.

    They ask for distributions on path entries that nothing was imported from yet: the one asks no path hook, and the
    other asks what it knows of the finder's type.
    """

    claims_bundles = True

    @staticmethod
    def find_spec(name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
        """Return the spec of the runtime, or of a module that is told of bundles right after it is loaded; else None."""
        if name == "bundleimp.runtime":
            return _load("runtime").__spec__  # type: ignore[no-any-return]
        if name != "pkg_resources" or not any(".pybundle" in str(entry) for entry in sys.path):
            return None
        _installed()
        return sys.meta_path[0].find_spec(name, path, target)

    @staticmethod
    def find_distributions(context: "DistributionFinder.Context") -> "tuple[()]":
        """Find nothing, but see to it that the finder that is asked next finds what is in bundles."""
        if isinstance(context.path, list | tuple) and any(".pybundle" in str(entry) for entry in context.path):
            _installed()
        return ()


def _start() -> None:
    """Install the stand-ins; called at start-up by bundleimp.pth and bundleimp.start (PEP 829)."""
    # In some virtual environments site runs the same file twice.
    there = any(getattr(hook, "claims_bundles", False) for hook in sys.path_hooks)
    if not there and os.environ.get("BUNDLEIMP_DISABLE", "") in {"", "0"}:
        sys.path_hooks.insert(0, _path_hook)  # type: ignore[arg-type]
        sys.meta_path.insert(0, _MetaFinder)
        for path in list(sys.path_importer_cache):
            if ".pybundle" in path:
                importer: Any = sys.path_importer_cache.pop(path)
                if path.endswith(".pybundle") and hasattr(importer, "get_data"):
                    _known_zips[os.path.abspath(path)] = importer
