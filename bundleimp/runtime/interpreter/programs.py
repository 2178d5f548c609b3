"""The path hook (PEP 302) of programs whose names do not end in the suffix (`content.naming`)."""

import sys

from .. import bundles, content, finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..finder import BundleFinder


def path_hook(path: str) -> "BundleFinder":
    """Return a finder for the path entry *path*, which is in a program.

    Raises:
        ImportError: *path* is for the next hook.

    """
    location = content.naming.locate_in_program(path)
    if location is None:
        message = "no path to a program"
        raise ImportError(message, path=path)
    bundle = bundles.open_bundle(location.bundle, location.status)
    bundle.report()
    return finder.BundleFinder(path, (bundle, location))


def install() -> None:
    """Put the path hook before that of ``zipimport``, and behind our other one, which unpacks programs."""
    hooks = sys.path_hooks
    if path_hook not in hooks:
        hooks.insert(sum(getattr(each, "claims_bundles", False) for each in hooks[:1]), path_hook)
    forget_path_entries()


def forget_path_entries() -> None:
    """Remove the cached finders of path entries in programs, so that the path hooks are asked again."""
    for path in list(sys.path_importer_cache):
        if isinstance(path, str) and path.startswith(bundles.programs):
            sys.path_importer_cache.pop(path, None)
