"""The path hook (PEP 302) and the meta path finder, and their installation."""

import _frozen_importlib as bootstrap
import _frozen_importlib_external as external
import _imp
import sys

from . import TRACING, Record, bundles, environ, finder, this, trace
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    os = external._os  # `os` itself would live as long as this module: see `runtime`

SUFFIX = bundle_format.SUFFIX
UNPACKS = environ("BUNDLEIMP_UNPACK") not in {"", "0"}
_RUNTIME = this.__name__

# Modules that are adapted to bundles right after they are loaded (`interpreter.telling`).
TOLD = {
    "importlib.abc",
    "importlib.metadata",
    "importlib_metadata",
    "linecache",
    "pkg_resources",
    "IPython.core.completerlib",
    "jedi.inference.compiled.subprocess.functions",
}
if sys.version_info < (3, 13):
    TOLD.add("threading")
PathFinder: "Any" = external.PathFinder
_find_on_path = PathFinder.__dict__["find_spec"]
_globals = external._get_supported_file_loaders.__globals__  # type: ignore[attr-defined]
if getattr(_find_on_path, "__func__", _find_on_path).__globals__ is not _globals:
    _find_on_path = None  # a program has replaced it
# The finders on ``sys.meta_path`` at the last look; the ones of the program between ours and the path based finder;
# whether our finder may answer for submodules; and those that are found before the path based finder is asked.
_order: "list[Any]" = []
_between: "list[Any]" = []
_is_usual = False
_not_on_path: "frozenset[str]" = frozenset()


def path_hook(path: str) -> "Any":
    """Return a finder for the path entry *path*: a bundle or a directory in one.

    If a file is not a sound bundle, the path hook issues one `BundleWarning`, and the finder finds no modules.  Imports
    from other path entries still work.

    Raises:
        ImportError: *path* is for the next hook.
        TypeError: *path* is not a string.

    """
    if UNPACKS or bundles.may_be_in_site(path):
        files = _finder_of_files(path)
        if files is not None:
            return files
    location = bundles.locate(path) if SUFFIX in path else None
    if location is None:
        return _other_finder(path)
    try:
        bundle = bundles.open_bundle(location.bundle, location.status)
        bundle.report()
        if bundle.is_gone and bundles.OpenBundle.signers is None:
            from . import content  # noqa: PLC0415 (loaded when first needed)

            content.refreshing.check(bundle)
    except ImportError as error:
        if hasattr(error, "offset"):
            raise
        # A part of the runtime cannot be loaded now.  An ImportError would leave the bundle to zipimport.
        bundle = bundles.in_use[location.bundle]
        bundle.interrupted = True
        if sys.stderr is not None:
            sys.stderr.write(f"bundleimp: {location.bundle}: cannot be opened before the next import: {error}\n")
    # Claim a file that is not sound, too: zipimport, the next hook, imports from many truncated files.
    found = finder.BundleFinder(path, (bundle, location))
    if TRACING:
        trace("claimed", path=path)
    return found


def _finder_of_files(path: str) -> "Any":
    """Return a finder for *path* if it is in a site or is to be unpacked, else None."""
    from . import site  # noqa: PLC0415 (loaded when first needed)

    found: Any = site.unpacked.finder(path) if UNPACKS else None
    folder = site.sites.at(path) if found is None and bundles.may_be_in_site(path) else None
    if folder is not None:
        path = bundles.absolute(path)
        found = finder.BundleFinder(path, site.entries.location(path, folder))
        found.path = path
    return found


def _other_finder(path: str) -> "Any":
    """Return a finder for *path* if it is a folder of ours.  Raise ImportError for other paths."""
    if path.startswith(this.__path__[0]):
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.parts.PartFinder(path)
    if SUFFIX in path:
        from . import sources  # noqa: PLC0415 (loaded when first needed)

        if sources.urls.is_url(path):
            return sources.urls.finder_for(path)
        if sources.mounts.may_be_elsewhere(path):
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            faults.warning.warn(f"{path}: is in the memory of the process that has mounted it: mount it here, too")
    message = "no path to a bundle"
    if TRACING and SUFFIX in path:
        trace("declined", path=path, reason=message)
    raise ImportError(message, path=path)


path_hook.claims_bundles = True  # type: ignore[attr-defined]


# Modules that were still being loaded when the loaded modules were adapted.
_late: "set[str]" = set()


def _find_spec(
    fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
) -> "ModuleSpec | None":
    """Return the spec of a submodule in a bundle, or of a module to be adapted to bundles, else None.

    A submodule of a package in a bundle is found as by the path based finder, but without asking the other finders
    first.
    """
    # A program may have removed it.  The import system holds its import lock, so nothing here may import it by name.
    sys.modules.setdefault(_RUNTIME, this)
    if type(path) is list and len(path) == 1 and type(path[0]) is str:
        found = sys.path_importer_cache.get(path[0])
        if type(found) is finder.BundleFinder and _may_answer(fullname):
            spec = found.find_spec(fullname, target)
            if spec is not None and spec.loader is not None:
                for other in _between:
                    theirs: ModuleSpec | None = other.find_spec(fullname, path, target)
                    if theirs is not None:
                        return theirs
                return spec
    if fullname == _RUNTIME:  # a thread may have begun to import it while the stand-in was here
        return this.__spec__
    if _late:
        _find_distributions()
    if fullname in TOLD:
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        return interpreter.telling.find_and_tell(meta_finder, fullname, path, target)
    return None


def _may_answer(fullname: str) -> bool:
    """Return whether only the finders in `_between` stand between ours and the path based finder for *fullname*."""
    global _order, _between, _is_usual, _not_on_path
    if sys.meta_path != _order:
        order: list[Any] = list(sys.meta_path)
        between = []
        is_usual = meta_finder in order and PathFinder in order
        for other in order[order.index(meta_finder) + 1 : order.index(PathFinder)] if is_usual else ():
            if other is not bootstrap.BuiltinImporter and other is not bootstrap.FrozenImporter:
                between.append(other)
                is_usual = is_usual and hasattr(other, "find_spec")
        names = frozenset((*sys.builtin_module_names, *_imp._frozen_module_names()))  # type: ignore[attr-defined]
        _not_on_path, _between, _is_usual, _order = names, between, is_usual, order
    return _is_usual and PathFinder.__dict__["find_spec"] is _find_on_path and fullname not in _not_on_path


def _find_distributions(context: object = None) -> "Any":
    """Adapt the modules that were still being loaded before.  Return distributions for libraries that have no seam."""
    _tell_interpreter()  # another thread may be about to call it
    if _late:
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        _late.intersection_update(interpreter.telling.tell_loaded(_late))
    if context is None:
        return ()
    from . import interpreter  # noqa: PLC0415 (loaded when first needed)

    return interpreter.distributions.find(context)


def _invalidate_caches() -> None:
    """Check the files of all bundles again (`importlib.invalidate_caches`)."""
    from . import interpreter  # noqa: PLC0415 (loaded when first needed)

    interpreter.refreshing.refresh()


# Our finder on ``sys.meta_path``, before the others.
meta_finder = Record(
    __module__=__name__,  # some programs read it, such as the AWS CLI
    claims_bundles=True,  # as the path hook does
    find_spec=_find_spec,
    find_distributions=_find_distributions,
    invalidate_caches=_invalidate_caches,
)


def _replace_printer(name: str) -> None:
    """Replace ``sys.__NAME__`` by our printer, and also the hook in use if that is the original printer.

    The interpreter's printers of exceptions are written in C and only open files.  A program's own hook stays: it may
    have been set before the first import from a bundle.
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


# Private to the import system, but resources of a namespace package have no other extension point.
NamespaceLoader: "Any" = external.NamespaceLoader
original_reader = NamespaceLoader.get_resource_reader


def _namespace_reader(self: "Any", module: str) -> "Any":
    """Return a resource reader for a namespace package.  If a portion is in a bundle, the reader reads bundles."""
    if any(SUFFIX in portion or portion.startswith(bundles.programs) for portion in self._path):
        from . import data  # noqa: PLC0415 (loaded when first needed)

        return data.resources.NamespaceReader(self._path)
    return original_reader(self, module)


_namespace_reader.__name__ = "get_resource_reader"


def others(hooks: "list[Any]") -> "list[Any]":
    """Return those of *hooks* that are neither ours nor our stand-ins."""
    return [hook for hook in hooks if not getattr(hook, "claims_bundles", False)]


def put_first(hooks: "list[Any]", hook: "Any") -> None:
    """Move our *hook* to the front of *hooks*, and remove a stand-in, in one assignment.

    Other threads may iterate over the list, and one of our hooks must be in it at every moment.
    """
    hooks[:] = [hook, *others(hooks)]


def forget_path_entries(*, ours: bool) -> None:
    """Make the import system ask its path hooks again for every path entry that may be in a bundle.

    Arguments:
        ours: whether to include the path entries for which the present path hook has returned a finder.

    """
    for path, known in list(sys.path_importer_cache.items()):
        if isinstance(path, str) and SUFFIX in path and (ours or not isinstance(known, finder.BundleFinder)):
            sys.path_importer_cache.pop(path, None)


def install(allowed_signers: "str | os.PathLike[str] | None" = None) -> None:
    """Put the path hook before all others (PEP 302).  If it is the first hook already, nothing changes.

    Bundles on ``sys.path`` or on a package's ``__path__`` can then be imported from.  If bundleimp is installed, the
    interpreter's start-up has done this already.

    Arguments:
        allowed_signers: path of an ``allowed_signers`` file (ssh-keygen(1)).  From now on this process imports only
            from bundles that a signer in that file has signed.  Its child processes do the same, because the variable
            BUNDLEIMP_ALLOWED_SIGNERS is set.  Any other bundle causes a `BundleWarning`, and no module is found in it.
            None: the present requirement stays.

    Raises:
        BundleSignatureError: a bundle in use is not signed so.  The hook is installed, and nothing more is imported
            from that bundle.  Modules that were imported from it stay imported.

    """
    _tell_interpreter()
    if sys.path_hooks[:1] != [path_hook]:
        put_first(sys.path_hooks, path_hook)
    if bundles.programs:  # `uninstall` has removed theirs
        this.interpreter.programs.install()
    forget_path_entries(ours=False)
    if allowed_signers is not None:
        try:
            from . import sources  # noqa: PLC0415 (loaded only if bundles must be signed)

            sources.requiring.require_signers(os.fspath(allowed_signers))
        finally:
            # The import system has finders of other hooks for directories and missing files.
            forget_path_entries(ours=True)


def _tell_interpreter() -> None:
    """Adapt the interpreter and its standard library to bundles.  If that was done before, nothing happens.

    This function may be interrupted, and another thread may call it meanwhile, so every step can be repeated.
    """
    if NamespaceLoader.get_resource_reader is _namespace_reader:
        return
    if sys.version_info < (3, 15):
        _replace_printer("unraisablehook")
    if sys.version_info < (3, 13):
        _replace_printer("excepthook")
    put_first(sys.meta_path, meta_finder)
    # Our finder is active already, so another thread may be about to load one of these modules.
    if not (TOLD.isdisjoint(sys.modules) and TOLD.isdisjoint(bootstrap._module_locks)):  # type: ignore[attr-defined]
        from . import interpreter  # noqa: PLC0415 (loaded when first needed)

        _late.update(interpreter.telling.tell_loaded(TOLD))
    NamespaceLoader.get_resource_reader = _namespace_reader
