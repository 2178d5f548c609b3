"""The path hook (PEP 302), and putting it into and out of the import system."""

import os
import sys
from _frozen_importlib_external import FileFinder, _get_supported_file_loaders  # type: ignore[attr-defined]

from . import adapt
from .bundles import OpenBundle, locate, locate_mirrored, mirrored, open_bundle, require_signers
from .errors import TRACING, BundleSignatureError, trace
from .finder import BundleFinder
from .format import SUFFIX
from .loaders import BundleExtensionLoader, BundleLoader, SourcelessBundleLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_OWN_FOLDER = os.path.dirname(__file__)
_folder_hook: "Callable[[str], Any]" = FileFinder.path_hook(*_get_supported_file_loaders())


def path_hook(path: str) -> "Any":
    """Return a finder for the path entry *path*: a bundle or a directory in one.

    A file that is no sound bundle is one `BundleWarning`, and a finder that finds nothing; other imports go on.

    Raises:
        ImportError: *path* is for the next hook.
        TypeError: *path* is no string.

    """
    if path == _OWN_FOLDER:
        # Parts of the runtime are loaded when first needed, and a program may have taken all other hooks out by then.
        return _folder_hook(path)
    location = locate(path) if SUFFIX in path else None
    mirror = locate_mirrored(path) if location is None and mirrored else None
    if mirror is not None:
        from .mirrorfinder import MirrorFinder  # noqa: PLC0415 (loaded when first needed)

        return MirrorFinder(path, mirror)
    if location is None:
        message = "no path to a bundle"
        raise ImportError(message, path=path)
    bundle = open_bundle(location.bundle, location.status)
    bundle.report()
    if bundle.is_gone and OpenBundle.signers is None:
        bundle.check()
    # A file that is not sound is claimed too: zipimport, asked next, imports from many truncated ones.
    finder = BundleFinder.at(bundle, location)
    adapt.adapt(_REGISTRATIONS)
    if TRACING:
        trace(f"claimed path entry {path}")
    return finder


def _register(importlib_abc: "Any") -> None:
    importlib_abc.SourceLoader.register(BundleLoader)
    for name in ("ExecutionLoader", "ResourceLoader"):
        kind = getattr(importlib_abc, name, None)  # ResourceLoader is deprecated
        if kind is not None:
            kind.register(SourcelessBundleLoader)
            kind.register(BundleExtensionLoader)
    importlib_abc.PathEntryFinder.register(BundleFinder)


def _register_pkg_resources(pkg_resources: "Any") -> None:
    """Register for what ``pkg_resources`` looks into path entries and packages for."""

    def find(_importer: BundleFinder, entry: str, only: bool = False) -> "Any":  # noqa: ARG001 (of a protocol)
        from .pkgresources import find_distributions  # noqa: PLC0415 (loaded when first asked for)

        return find_distributions(pkg_resources, entry)

    def provide(module: "Any") -> "Any":
        from .pkgresources import provider  # noqa: PLC0415 (loaded when first asked for)

        return provider(pkg_resources, module)

    pkg_resources.register_finder(BundleFinder, find)
    pkg_resources.register_namespace_handler(BundleFinder, pkg_resources.file_ns_handler)
    for loader in (BundleLoader, SourcelessBundleLoader, BundleExtensionLoader):
        pkg_resources.register_loader_type(loader, provide)
    if pkg_resources.__spec__._initializing:  # noqa: SLF001 (else it does not look at sys.path again, whatever is there)
        from .pkgresources import complete  # noqa: PLC0415 (loaded when first asked for)

        complete(pkg_resources, sys.path)


_REGISTRATIONS = {"importlib.abc": _register, "pkg_resources": _register_pkg_resources}


def forget_path_entries(*, ours: bool) -> None:
    """Make the import system ask its path hooks again for every path entry that may be in a bundle.

    Arguments:
        ours: also for those that the present path hook has answered for.

    """
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(path, str) and SUFFIX in path and (ours or not isinstance(finder, BundleFinder)):
            sys.path_importer_cache.pop(path, None)


path_hook.claims_bundles = True  # type: ignore[attr-defined]


def install(allowed_signers: "str | os.PathLike[str] | None" = None) -> None:
    """Put the path hook before all others (PEP 302); nothing changes where it is there already.

    Bundles are then imported from wherever they stand on ``sys.path`` or a package's ``__path__``.  At start-up this
    was done already where bundleimp is installed.

    Arguments:
        allowed_signers: path of an ``allowed_signers`` file (ssh-keygen(1)).  From now on this process imports only
            from bundles that somebody in it has signed; so do its child processes, because the variable
            BUNDLEIMP_ALLOWED_SIGNERS is set.  Any other bundle is a `BundleWarning` and finds nothing.  None: as it is.

    Raises:
        BundleSignatureError: a bundle that is in use already is not signed so.  The hook is in, and nothing more is
            imported from that bundle; what was imported stays imported.

    """
    adapt.adapt(_REGISTRATIONS)
    if sys.path_hooks[:1] != [path_hook]:
        adapt.put_first(sys.path_hooks, path_hook)
    forget_path_entries(ours=False)
    if allowed_signers is not None:
        try:
            require_signers(os.fspath(allowed_signers))
        finally:
            # What the import system has for a directory or a missing file, it has from other hooks.
            forget_path_entries(ours=True)


def check_signed(path: str) -> None:
    """Raise BundleSignatureError where bundles have to be signed and the file at the absolute *path* is not."""
    if OpenBundle.signers is None:
        return
    if not path.endswith(SUFFIX):
        message = f"must have a name that ends in {SUFFIX}: what Python imports from other files is not checked"
        raise BundleSignatureError(message, file=path)
    open_bundle(path).check()


def uninstall() -> None:
    """Take the path hook out again; what was imported stays imported, and works on."""
    hooks: Any
    for hooks in (sys.path_hooks, sys.meta_path):
        hooks[:] = adapt.others(hooks)
    forget_path_entries(ours=True)
    adapt.restore()
