"""The attributes that the package loads at their first use (PEP 562)."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

_PACKAGE = __name__.rpartition(".")[0]
_HOMES = {
    "Bundle": "inspection.bundle",
    "BundleError": "runtime.faults.kinds",
    "BundleFinder": "runtime.finder",
    "BundleLoader": "runtime.loaders",
    "BundleWarning": "runtime.faults.kinds",
    "PackReport": "packing.report",
    "install": "runtime.hook",
    "open_bundle": "inspection.bundle",
    "pack": "packing.pack",
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


def find_spec(name: str, path: "Any", target: "Any") -> "ModuleSpec | None":
    """Return the spec of the runtime, or of ``pkg_resources`` if a bundle is on the path, as a meta path finder."""
    if name != "pkg_resources":
        return _waiting().load_runtime().__spec__  # type: ignore[no-any-return]
    if not any(".pybundle" in str(entry) for entry in sys.path):
        return None
    _waiting().install_hooks()
    return sys.meta_path[0].find_spec(name, path, target)
