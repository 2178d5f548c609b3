"""Start the program of a bundle: the generated ``__main__`` calls `prepare` of this version or of a later one."""

import atexit
import gc
import os
import sys

from .. import bundles, content, faults, hook, interpreter, site
from .. import format as bundle_format
from . import telling

# The number of new objects between two runs of the cyclic collector; 700 to 2,000 are usual.  A thousand modules make
# 200,000 objects.  One collector run over these takes a tenth of the time that their import takes.  If this many small
# objects are garbage, they occupy about 50 MB.
_RELAXED = 500_000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def check_signed(path: str) -> None:
    """Raise BundleSignatureError if bundles must be signed and the file at the absolute *path* is not."""
    if bundles.OpenBundle.signers is None:
        return
    if not path.endswith(bundle_format.SUFFIX):
        message = f"must have a name that ends in {bundle_format.SUFFIX}: the signatures of other files are not checked"
        raise faults.kinds.BundleSignatureError(message, file=path)
    content.refreshing.check(bundles.open_bundle(path))


def prepare(namespace: "dict[str, Any]", module: str, attribute: str) -> "Callable[[], object] | None":
    """Make the bundle of a ``__main__`` importable.  Return the function to call, whose result is the exit status.

    Return None in a child process of ``multiprocessing``, in which the module is named ``__mp_main__``.  Also return
    None if the program is a module: `prepare` has run that module.

    Arguments:
        namespace: the globals of ``__main__``.
        module: the entry point's module.
        attribute: the function in it to call; "" if the module itself is the program, as with ``python -m``.

    """
    name: str = namespace["__name__"]
    path = _locate(namespace["__loader__"])
    hook.install()
    misfit = target_fault(path)
    if misfit is not None:
        sys.exit(str(misfit))
    if hook.UNPACKS:
        site.unpacked.replace_entries(sys.path)
    # As in a script: code that starts this program again, or a child of it, must run the file and not a module.
    namespace.update(__file__=path, __package__=None, __spec__=None)
    if not attribute:
        _run(module, name, path, namespace)
        return None
    if name != "__main__":
        return None
    _relaxed(__import__, module)
    target: Any = sys.modules[module]
    for part in attribute.split("."):
        target = getattr(target, part)
    return target  # type: ignore[no-any-return]


def target_fault(path: str) -> "faults.kinds.BundleTargetError | None":
    """Return the error of the bundle at *path* if it has no files for this Python, else None."""
    fault = bundles.open_bundle(path).fault if path.endswith(bundle_format.SUFFIX) else None
    return fault if isinstance(fault, faults.kinds.BundleTargetError) else None


def run_module(module: str, *, alter_argv: bool) -> None:
    """Run *module* as ``python -m`` does.  The collector is relaxed while the module's packages are imported.

    While the module itself runs as ``__main__``, the collector has its usual settings.  The module both imports and
    works, and only it knows when it does which.

    Arguments:
        module: the full name of a module or a package.
        alter_argv: whether the program's name in ``sys.argv`` becomes the path of the module.

    """
    import runpy  # noqa: PLC0415 (loaded anyway when a program runs)

    # This function imports the packages and finds the code.  It returns before the code runs, so tracebacks show no
    # frame of ours.
    find: Callable[..., Any] = runpy._get_module_details  # type: ignore[attr-defined] # noqa: SLF001 (as below)

    def find_relaxed(*arguments: object) -> object:
        runpy._get_module_details = find  # type: ignore[attr-defined] # noqa: SLF001 (as below)
        return _relaxed(find, *arguments)

    runpy._get_module_details = find_relaxed  # type: ignore[attr-defined] # noqa: SLF001 (as below)
    runpy._run_module_as_main(module, alter_argv)  # type: ignore[attr-defined] # noqa: SLF001 (what `python -m` calls)


def _relaxed(load: "Callable[..., Any]", *arguments: object) -> "Any":
    """Call *load* with the cyclic collector relaxed: objects made by imports stay, so searching them is useless.

    Afterwards the collector ignores these objects (`gc.freeze`) until the program ends.  It gets back its previous
    settings, unless the program has changed them.
    """
    before = gc.get_threshold()
    relaxed = (max(_RELAXED, before[0]), *before[1:])
    if os.environ.get("BUNDLEIMP_RELAX_GC") == "0" or 0 in before[:1] or not gc.isenabled():
        return load(*arguments)
    atexit.register(_end)  # before those of the program, so it is called after them
    gc.set_threshold(*relaxed)
    try:
        result = load(*arguments)
    finally:
        if gc.get_threshold() == relaxed:
            gc.set_threshold(*before)
    gc.freeze()
    return result


def _end() -> None:
    interpreter.ending.end()


def _locate(loader: "Any") -> str:
    """Return the path of the bundle that *loader* loads from, as the path hook knows it."""
    archive = getattr(loader, "archive", None)
    if archive is None:  # the bundle is unpacked into a directory
        return sys.path[0]
    path: str = getattr(archive, "path", archive)
    if path.endswith(bundle_format.SUFFIX):
        return path
    # A command is often a link with a shorter name.
    real = os.path.realpath(path)
    if not real.endswith(bundle_format.SUFFIX):
        sys.exit(
            f"{path}: cannot be run by this name; it must end in {bundle_format.SUFFIX}, or be a link to one that does"
        )
    sys.path[:] = [real if entry == path else entry for entry in sys.path]
    return real


def _run(module: str, name: str, path: str, namespace: "dict[str, Any]") -> None:
    """Run *module* as ``python -m`` does, or as ``multiprocessing`` does in a child."""
    telling.tell_when_loaded("multiprocessing.spawn", lambda spawn: _lead_children(spawn, path))
    if name == "__main__":
        for own in [own for own in namespace if own[:2] != "__"]:
            del namespace[own]
        run_module(module, alter_argv=False)
    elif not module.endswith(".__main__"):
        import runpy  # noqa: PLC0415 (runpy runs this code, so it is loaded)

        namespace.update(runpy.run_module(module, run_name=name, alter_sys=True))


def _lead_children(spawn: "Any", path: str) -> None:
    """Make the children of ``multiprocessing`` run the bundle, not a module that they cannot import yet."""
    prepare: Callable[[str], dict[str, Any]] = spawn.get_preparation_data

    def get_preparation_data(name: str) -> "dict[str, Any]":
        data = prepare(name)
        if data.pop("init_main_from_name", None) is not None:
            data["init_main_from_path"] = path
        return data

    spawn.get_preparation_data = get_preparation_data
