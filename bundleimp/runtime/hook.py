"""The path hook (PEP 302) and the meta path finder, and putting them into and out of the import system."""

import _imp
import sys
from _frozen_importlib import BuiltinImporter, FrozenImporter
from _frozen_importlib_external import NamespaceLoader as _NamespaceLoader
from _frozen_importlib_external import PathFinder

from . import TRACING, PartLoader, bundles, finder, is_own_folder, trace
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    from _frozen_importlib_external import _os as os  # `os` itself would live as long as we do: see `runtime`

SUFFIX = bundle_format.SUFFIX

# Modules that are told of bundles right after they are loaded (`interpreter.telling`).
TOLD = {"importlib.abc", "importlib.metadata", "importlib_metadata", "linecache", "pkg_resources"}
if sys.version_info < (3, 13):
    TOLD.add("threading")
_BUILT_IN = frozenset(sys.builtin_module_names)
_find_on_path = PathFinder.__dict__["find_spec"]
# The finders on ``sys.meta_path`` when they were last looked through, and whether only usual ones stood behind ours.
_order: "list[Any]" = []
_is_usual = False


def path_hook(path: str) -> "Any":
    """Return a finder for the path entry *path*: a bundle or a directory in one.

    A file that is no sound bundle is one `BundleWarning`, and a finder that finds nothing; other imports go on.

    Raises:
        ImportError: *path* is for the next hook.
        TypeError: *path* is no string.

    """
    location = bundles.locate(path) if SUFFIX in path else None
    if location is None:
        return _other_finder(path)
    bundle = bundles.open_bundle(location.bundle, location.status)
    bundle.report()
    if bundle.is_gone and bundles.OpenBundle.signers is None:
        from . import content  # noqa: PLC0415 (loaded when first needed)

        content.refreshing.check(bundle)
    # A file that is not sound is claimed too: zipimport, asked next, imports from many truncated ones.
    found = finder.BundleFinder.at(bundle, location)
    if TRACING:
        trace(f"claimed path entry {path}")
    return found


def _other_finder(path: str) -> "Any":
    """Return a finder for *path*, which is in no bundle: for a mirror or a folder of ours; ImportError for others."""
    mirror = bundles.locate_mirrored(path) if bundles.mirrored else None
    if mirror is not None:
        from . import site  # noqa: PLC0415 (loaded when first needed)

        return site.mirrorfinder.MirrorFinder(path, mirror)
    if is_own_folder(path):
        return PartLoader("", path)
    message = "no path to a bundle"
    raise ImportError(message, path=path)


path_hook.claims_bundles = True  # type: ignore[attr-defined]


# Modules that were being loaded when the others were told of bundles.
_late: "set[str]" = set()


def _find_spec(
    fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
) -> "ModuleSpec | None":
    """Return the spec of a submodule that is in a bundle, or of a module that is to be told of bundles; else None.

    A submodule of a package in a bundle is found as by the path based finder, without asking all finders before that.
    """
    if type(path) is list and len(path) == 1:
        found = sys.path_importer_cache.get(path[0])
        if type(found) is finder.BundleFinder and _is_next_to_standard_finders(fullname):
            spec = found.find_spec(fullname, target)
            if spec is not None and spec.loader is not None:
                return spec
    if _late:
        _find_distributions()
    if fullname in TOLD:
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.telling.find_and_tell(meta_finder, fullname, path, target)
    return None


def _is_next_to_standard_finders(fullname: str) -> bool:
    """Return whether no finder between ours and the path based finder would find the module *fullname*."""
    global _order, _is_usual  # noqa: PLW0603 (looked through once for each order)
    if sys.meta_path != _order:
        order: list[Any] = list(sys.meta_path)
        _is_usual = meta_finder in order and PathFinder in order
        for other in order[order.index(meta_finder) + 1 : order.index(PathFinder)] if _is_usual else ():
            _is_usual = _is_usual and (other is BuiltinImporter or other is FrozenImporter)
        _order = order
    return (
        _is_usual
        and PathFinder.__dict__["find_spec"] is _find_on_path
        and fullname not in _BUILT_IN
        and not _imp.is_frozen(fullname)
    )


def _find_distributions(context: object = None) -> "tuple[()]":  # noqa: ARG001 (of a protocol)
    """Find nothing (``importlib.metadata``), but tell what was still being loaded when all else was told."""
    if _late:
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        _late.intersection_update(interpreter.telling.tell_loaded(_late))
    return ()


def _invalidate_caches() -> None:
    """Look at all bundles again (`importlib.invalidate_caches`)."""
    from . import interpreter  # noqa: PLC0415 (loaded when first needed)

    interpreter.refreshing.refresh()


# Our finder on ``sys.meta_path``, before the others.  A class would take longer to make than all of this.
meta_finder: "Any" = bundle_format.EndRecord(  # type: ignore[call-arg] # as cheap as that
    claims_bundles=True,  # as of the path hook
    find_spec=_find_spec,
    find_distributions=_find_distributions,
    invalidate_caches=_invalidate_caches,
)


def _replace_printer(name: str) -> None:
    """Put a printer of ours in the place of ``sys.__NAME__``, and of the hook in use where that is the original.

    The interpreter's printers of exceptions are written in C and only open files.  A program's own hook stays: it may
    have been there before the first import from a bundle.
    """
    usual = f"__{name}__"
    original = getattr(sys, usual)
    if hasattr(original, "original"):
        return

    def printer(*arguments: "Any") -> None:
        try:
            from . import interpreter  # noqa: PLC0415 (loaded when first needed)

            done = interpreter.tracebacks.has_printed(name, *arguments)
        except Exception:  # noqa: BLE001 (the exception that is to be printed matters more)
            done = False
        if not done:
            original(*arguments)

    printer.original = original  # type: ignore[attr-defined]
    if getattr(sys, name) is original:
        setattr(sys, name, printer)
    setattr(sys, usual, printer)


# Private to the import system, but nothing else stands between a namespace package and its resources.
NamespaceLoader: "Any" = _NamespaceLoader
original_reader = NamespaceLoader.get_resource_reader


def _namespace_reader(self: "Any", module: str) -> "Any":
    """Return a resource reader for a namespace package; one that reads bundles where a portion is in one."""
    if any(SUFFIX in portion for portion in self._path):
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.resources.NamespaceReader(self._path)
    return original_reader(self, module)


_namespace_reader.__name__ = "get_resource_reader"


def others(hooks: "list[Any]") -> "list[Any]":
    """Return those of *hooks* that are not ours, and no stand-ins."""
    return [hook for hook in hooks if not getattr(hook, "claims_bundles", False)]


def put_first(hooks: "list[Any]", hook: "Any") -> None:
    """Move our *hook* to the front of *hooks*, in the place of a stand-in.

    That is one assignment, because other threads iterate over the list: there must be no moment without a hook of ours.
    """
    hooks[:] = [hook, *others(hooks)]


def forget_path_entries(*, ours: bool) -> None:
    """Make the import system ask its path hooks again for every path entry that may be in a bundle.

    Arguments:
        ours: also for those that the present path hook has answered for.

    """
    for path, known in list(sys.path_importer_cache.items()):
        if isinstance(path, str) and SUFFIX in path and (ours or not isinstance(known, finder.BundleFinder)):
            sys.path_importer_cache.pop(path, None)


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
    _tell_interpreter()
    if sys.path_hooks[:1] != [path_hook]:
        put_first(sys.path_hooks, path_hook)
    forget_path_entries(ours=False)
    if allowed_signers is not None:
        try:
            from . import sources  # noqa: PLC0415 (loaded only where bundles have to be signed)

            sources.requiring.require_signers(os.fspath(allowed_signers))
        finally:
            # What the import system has for a directory or a missing file, it has from other hooks.
            forget_path_entries(ours=True)


def _tell_interpreter() -> None:
    """Tell the interpreter and its standard library of bundles; nothing happens where that was done before.

    It may be interrupted, and another thread may come to it meanwhile: everything in it can be done twice.
    """
    if NamespaceLoader.get_resource_reader is _namespace_reader:
        return
    if sys.version_info < (3, 15):
        _replace_printer("unraisablehook")
    if sys.version_info < (3, 13):
        _replace_printer("excepthook")
    put_first(sys.meta_path, meta_finder)
    # This finder is at work already: another thread may be about to load one of these modules.
    if not TOLD.isdisjoint(sys.modules):
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        _late.update(interpreter.telling.tell_loaded(TOLD))
    NamespaceLoader.get_resource_reader = _namespace_reader
