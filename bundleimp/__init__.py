"""Ship and import Python packages as one file.

Every start of an interpreter that has bundleimp installed loads this module.  So the module contains only stand-ins for
the hooks.  Everything else, including the list of public names, is loaded at its first use (PEP 562).  The module
imports as little as possible at its top, because the interpreter processes everything that the hooks refer to once more
when it ends.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._typing import *

__version__ = "0.2.0"


def __getattr__(name: str) -> object:
    return _load("public").attribute(name)


def __dir__() -> "list[str]":
    return _load("public").names()  # type: ignore[no-any-return]


def _load(part: str) -> "Any":
    """Return our module *part*, loaded under the import lock and without a module lock (`runtime` says why)."""
    from _frozen_importlib import _ImportLockContext  # type: ignore[attr-defined]
    from _frozen_importlib_external import SourceFileLoader

    name = f"bundleimp.{part}"
    with _ImportLockContext():
        module: Any = sys.modules.get(name)
        if module is None:
            path = f"{__path__[0]}/{part}.py"
            own = __spec__.loader
            try:
                module = sys.modules[name] = type(sys)(name)
                module.__file__ = path
                if isinstance(own, SourceFileLoader):
                    code = SourceFileLoader(name, path).get_code(name)
                else:  # we are in an archive
                    code = compile(own.get_data(path), path, "exec")  # type: ignore[union-attr]
                exec(code, module.__dict__)  # type: ignore[arg-type] # noqa: S102 (as loaders do)
            except BaseException:
                del sys.modules[name]
                raise
    return module


def _path_hook(path: str) -> object:
    """Stand in for `runtime.hook.path_hook` until a path entry that may be a bundle is searched."""
    if ".pybundle" not in path:
        raise ImportError
    waiting = _load("waiting")
    # While this thread loads the module, an audit hook (PEP 578) may import something.
    return waiting.path_hook(path) if hasattr(waiting, "READY") else meta_finder


_path_hook.claims_bundles = True  # type: ignore[attr-defined]


def _find_spec(name: str, path: "Any" = None, target: "Any" = None) -> "ModuleSpec | None":
    """Return the spec of the runtime, or of a module that is adapted to bundles after it is loaded, else None."""
    if (
        name == "bundleimp.runtime"  # noqa: PLR1714 (a set costs more at each start)
        or name == "pkg_resources"
        or name == "IPython.core.completerlib"
        or name == "jedi.inference.compiled.subprocess.functions"
    ):
        return _load("public").find_spec(name, path, target)  # type: ignore[no-any-return]
    if name == "linecache" and "bundleimp.waiting" in sys.modules:  # it may be asked for a source that is in a bundle
        return _load("public").find_linecache(path, target)  # type: ignore[no-any-return]
    return None


def _find_distributions(context: "Any") -> "Any":
    """Install the hooks, so that the next finder finds the distributions in bundles.  Return those that ours finds."""
    if ".pybundle" in str(context.path):
        return _load("waiting").install_hooks().meta_finder.find_distributions(context)
    return ()


meta_finder: "Any" = None


def _start() -> None:
    """Install the stand-ins.  bundleimp.pth calls this function at start-up."""
    global meta_finder  # noqa: PLW0603 (in some virtual environments site runs the same file twice)
    import os

    if meta_finder is None and os.environ.get("BUNDLEIMP_DISABLE", "") in {"", "0"}:
        # The stand-in replaces the runtime's changes to ``importlib.metadata`` and ``pkg_resources``, which search for
        # distributions on path entries that nothing was imported from yet.  Making a class would cost as much as
        # everything else here.
        meta_finder = type(sys.implementation)(  # type: ignore[call-arg]
            __module__=__name__, claims_bundles=True, find_spec=_find_spec, find_distributions=_find_distributions
        )
        sys.meta_path.insert(0, meta_finder)
        sys.path_hooks.insert(0, _path_hook)  # type: ignore[arg-type]
        for path in sys.path_importer_cache:
            if ".pybundle" in path:
                _load("waiting").forget_known()
                break
