"""Make IPython and jedi complete the names of modules in bundles.

IPython's ``completerlib`` and jedi, which `ptpython` and editors use, list directories and zip files by themselves.  No
released version asks path entry finders (``iter_modules``, see `pkgutil`), and neither has a public seam for it.  A
function that a version lacks is left out.
"""

from _frozen_importlib_external import PathFinder

from .. import content, data, finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class _Replacement:
    """A function that takes the place of *original*."""

    def __init__(self, original: "Any") -> None:
        self.original = original


class _ModuleList(_Replacement):
    """Replacement for IPython's ``module_list``."""

    def __call__(self, path: str) -> list[str]:
        names = _modules(path)
        return self.original(path) if names is None else list(names)


class _IterModuleNames(_Replacement):
    """Replacement for jedi's ``_iter_module_names``, which takes each directory for a package."""

    def __call__(self, inference_state: object, paths: "list[str]") -> "Iterator[str]":
        for path in paths:
            names = _modules(path)
            if names is None:
                yield from self.original(inference_state, [path])
            else:
                folders = [child.name for child in data.paths.portion_at(path).iterdir() if child.is_dir()]
                yield from sorted(names | {name for name in folders if name.isidentifier() and name != "__pycache__"})


class _FromLoader(_Replacement):
    """Replacement for jedi's ``_from_loader``, which asks for the time of each source file by its path."""

    def __init__(self, original: "Any", zip_file: "Any") -> None:
        super().__init__(original)
        self._zip_file = zip_file

    def __call__(self, loader: object, name: str) -> "Any":
        source, is_package = self.original(loader, name)
        place = content.naming.locate(str(source.path)) if source is not None else None
        if place is not None:
            source = self._zip_file(source.path, source.read(), place.bundle)
        return source, is_package


def _modules(path: str) -> "set[str] | None":
    """Return the names of the modules in the path entry *path*, or None if no bundle is there."""
    found = PathFinder._path_importer_cache(path)  # type: ignore[attr-defined] # noqa: SLF001 (importing `pkgutil` needs finders)
    return {name for name, _ in found.iter_modules()} if isinstance(found, finder.BundleFinder) else None


_REPLACED = ("module_list", "_iter_module_names", "_from_loader")


def tell(module: "Any") -> None:
    """Make the functions of *module* that list modules and read sources know bundles."""
    for name, kind in zip(_REPLACED, (_ModuleList, _IterModuleNames, _FromLoader), strict=True):
        original = getattr(module, name, None)
        if original is None or isinstance(original, _Replacement):
            continue
        if kind is not _FromLoader:
            setattr(module, name, kind(original))
        elif hasattr(module, "ZipFileIO"):
            setattr(module, name, _FromLoader(original, module.ZipFileIO))


def forget(module: "Any") -> None:
    """Undo `tell`, unless another program has replaced our functions."""
    for name in _REPLACED:
        replacement = getattr(module, name, None)
        if isinstance(replacement, _Replacement):
            setattr(module, name, replacement.original)
