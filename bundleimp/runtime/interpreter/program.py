"""Start the program of a bundle: the generated ``__main__`` calls `prepare` of this version or of a later one."""

import atexit
import gc
import os
import sys

from .. import bundles, content, faults, hook, interpreter, site
from .. import format as bundle_format
from . import children, choosing, trimming

# The number of new objects between two runs of the cyclic collector; 700 to 2,000 are usual.  A thousand modules make
# 200,000 objects.  One collector run over these takes a tenth of the time that their import takes.  If this many small
# objects are garbage, they occupy about 50 MB.
_RELAXED = 500_000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def claim(path: str) -> str:
    """Make the bundle at *path* importable, whatever its name is.  Return its path as the path hook knows it.

    Raises:
        BundleFormatError: bundles must be signed, and this one is not.

    """
    path = bundles.absolute(path) if path.endswith(bundle_format.SUFFIXES) else os.path.realpath(path)
    content.naming.admit(path)
    if bundles.OpenBundle.signers is not None:
        content.refreshing.check(bundles.open_bundle(path))
    return path


def join(path: str) -> None:
    """Make the bundle at *path*, an entry of ``sys.path``, importable in this process, which is a child of a program.

    Raises:
        BundleFormatError: bundles must be signed, and this one is not.

    """
    hook.install()
    real = claim(path)
    sys.path[:] = [real if entry == path else entry for entry in sys.path]
    if hook.UNPACKS:
        site.unpacked.replace_entries(sys.path)


def prepare(namespace: "dict[str, Any]", module: str, attribute: str) -> "Callable[[], object] | None":
    """Make the bundle of a ``__main__`` importable.  Return the function to call, whose result is the exit status.

    Return None in a child process of ``multiprocessing``, in which the module is named ``__mp_main__``.  Also return
    None if `prepare` has run the program: a module, or what an interpreter is given.

    Arguments:
        namespace: the globals of ``__main__``.
        module: the entry point's module, or what else `choosing.choose` takes.
        attribute: the function in it to call; "" if the module itself is the program, as with ``python -m``.

    """
    hook.install()
    path = _locate(namespace["__loader__"])
    misfit = target_fault(path)
    if misfit is not None:
        _refuse(str(misfit))
    if hook.UNPACKS:
        site.unpacked.replace_entries(sys.path)
    elif hasattr(sys, "set_lazy_imports"):
        from . import lazily  # noqa: PLC0415 (of no use in older Pythons)

        lazily.use(path)
    # As in a script: code that starts this program again, or a child of it, must run the file and not a module.
    namespace.update(__file__=path, __package__=None, __spec__=None)
    default = f"{module}:{attribute}" if attribute else module
    if default == choosing.INTERPRETER:
        children.move_behind_pythonpath()
    if namespace["__name__"] != "__main__":
        from . import spawning  # noqa: PLC0415 (loaded when first needed)

        spawning.repeat(namespace, path, "" if attribute or module == choosing.BUSYBOX else module)
        return None
    children.lead(path, first=default != choosing.INTERPRETER)
    chosen = choosing.choose(path, default)
    if chosen == choosing.INTERPRETER:
        from . import console  # noqa: PLC0415 (loaded when first needed)

        console.interpret(sys.argv[1:], path, run_module)
        return None
    module, _, attribute = chosen.partition(":")
    if chosen != default or not attribute:
        from . import spawning  # noqa: PLC0415 (loaded when first needed)

        spawning.lead(path, "" if attribute else f"module {module}")
    if not attribute:
        for own in [own for own in namespace if own[:2] != "__"]:
            del namespace[own]
        run_module(module, alter_argv=False)
        return None
    target = trimming.call(_find, module, attribute)
    return lambda: trimming.call(target)


def _find(module: str, attribute: str) -> "Any":
    """Import *module* and return the *attribute* of it, dotted.  If one of them does not exist, end the program."""
    try:
        _relaxed(__import__, module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        _refuse(f"cannot start {module}:{attribute}: {error}")
    target: Any = sys.modules[module]
    for part in attribute.split("."):
        if not hasattr(target, part):
            _refuse(f"cannot start {module}:{attribute}: the module has no {attribute}")
        target = getattr(target, part)
    return target


def target_fault(path: str) -> "faults.kinds.BundleTargetError | None":
    """Return the error of the bundle at *path* if it has no files for this Python, else None."""
    is_bundle = path.endswith(bundle_format.SUFFIXES) or path in bundles.programs
    fault = bundles.open_bundle(path).fault if is_bundle else None
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
    # What `python -m` calls.
    trimming.call(runpy._run_module_as_main, module, alter_argv)  # type: ignore[attr-defined] # noqa: SLF001


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
    if path.endswith(bundle_format.SUFFIXES):
        return path
    try:
        real = claim(path)
    except faults.kinds.BundleFormatError as error:
        _refuse(str(error))
    sys.path[:] = [real if entry == path else entry for entry in sys.path]
    return real


def _refuse(message: str) -> "NoReturn":
    from . import refusing  # noqa: PLC0415 (for an error only)

    refusing.refuse(message, 1)
