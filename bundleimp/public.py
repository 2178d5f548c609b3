"""The attributes that the package loads at their first use (PEP 562)."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_PACKAGE = __name__.rpartition(".")[0]
_HOMES = {
    "Bundle": "inspection.bundle",
    "BundleError": "runtime.faults.kinds",
    "BundleFetchError": "fetching.errors",
    "BundleFinder": "runtime.finder",
    "BundleLoader": "runtime.loaders",
    "BundleWarning": "runtime.faults.kinds",
    "Mount": "mounting",
    "PackReport": "packing.report",
    "TraceEvent": "runtime.interpreter.events",
    "fetch": "fetching.fetch",
    "install": "runtime.hook",
    "load_module": "mounting",
    "mount": "mounting",
    "open_bundle": "inspection.bundle",
    "pack": "packing.pack",
    "trace": "runtime.interpreter.tracing",
    "uninstall": "runtime.interpreter.removing",
}


def _waiting() -> "Any":
    return sys.modules[_PACKAGE]._load("waiting")  # noqa: SLF001 (of our own package)


def attribute(name: str) -> object:
    """Return the attribute *name* of the package: a public name, or the runtime.

    Raises:
        AttributeError: the package has no such attribute.

    """
    if name == "runtime":
        return _waiting().load_runtime()
    if name == "__all__":
        return sorted(_HOMES)
    home = _HOMES.get(name)
    if home is None:
        message = f"module {_PACKAGE!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: Any
    if home.startswith("runtime."):
        value = _waiting().load_runtime()
        for part in home.split(".")[1:]:
            value = getattr(value, part)
    else:
        value = __import__(f"{_PACKAGE}.{home}", fromlist=[name])
    value = getattr(value, name)
    setattr(sys.modules[_PACKAGE], name, value)
    return value


def names() -> list[str]:
    """Return the names that ``dir`` shows for the package."""
    return ["__version__", *sorted(_HOMES)]


def find_linecache(path: "Any", target: "Any") -> "ModuleSpec | None":
    """Return the spec of ``linecache`` that the other finders find.  The module is adapted when it is loaded."""
    specs = (
        finder.find_spec("linecache", path, target)
        for finder in sys.meta_path
        if finder is not sys.modules[_PACKAGE].meta_finder
    )
    spec = next(filter(None, specs), None)
    loader: Any = spec.loader if spec is not None else None
    if spec is None or not hasattr(loader, "exec_module"):
        return spec

    def exec_module(module: "ModuleType") -> None:
        spec.loader = module.__loader__ = loader
        loader.exec_module(module)
        adapt_linecache(module)

    stand_in: Any = type(sys)("loader")
    stand_in.__getattr__ = lambda name: getattr(loader, name)
    stand_in.create_module, stand_in.exec_module = loader.create_module, exec_module
    spec.loader = stand_in
    return spec


def adapt_linecache(linecache: "Any") -> None:
    """Make the module *linecache* load the runtime, which adapts it, when it is asked for a source in a bundle."""
    original: Any = getattr(linecache, "updatecache", None)  # missing in an unrelated module of that name

    def updatecache(filename: str, module_globals: "Any" = None) -> "Any":
        if ".pybundle" in filename and linecache.updatecache is updatecache:
            linecache.updatecache = original
            _waiting().install_hooks()
        update = linecache.updatecache if linecache.updatecache is not updatecache else original
        return update(filename, module_globals)

    if original is not None and not hasattr(original, "original"):
        updatecache.original = original  # type: ignore[attr-defined]
        linecache.updatecache = updatecache


def find_spec(name: str, path: "Any", target: "Any") -> "ModuleSpec | None":
    """Return the spec of the runtime, or of a module to be adapted, as a meta path finder.

    ``pkg_resources`` is adapted only if a bundle is on the path.  The others list path entries that are added later.
    """
    if name == "bundleimp.runtime":
        return _waiting().load_runtime().__spec__  # type: ignore[no-any-return]
    if name == "pkg_resources" and not any(".pybundle" in str(entry) for entry in sys.path):
        return None
    _waiting().install_hooks()
    return sys.meta_path[0].find_spec(name, path, target)
