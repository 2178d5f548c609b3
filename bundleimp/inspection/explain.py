"""Which path entry gives a module, and what that shadows."""

from __future__ import annotations

import os
import pkgutil
import sys
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Candidate:
    """A place that has the module.

    Attributes:
        entry: the path entry, or "built-in", "frozen" or "sys.modules".
        origin: the file the module would be loaded from; of a namespace portion, its folder.
        kind: "package", "module" or "namespace portion".
        loader: the class of its loader; "" for a namespace portion.
        real: the real file that the module gets in the cache when it is imported; "" if it gets none.

    """

    entry: str
    origin: str
    kind: str
    loader: str
    real: str = ""


def _known(spec: ModuleSpec, name: str) -> Any:
    """Return an attribute of *spec* as the finder set it.  Reading it from the spec would place real files."""
    return vars(spec)[name] if isinstance(spec, ModuleSpec) else getattr(spec, name)


def _candidate(entry: str, spec: ModuleSpec) -> Candidate:
    origin, places = (_known(spec, name) for name in ("origin", "submodule_search_locations"))
    if spec.loader is None or origin is None:
        return Candidate(entry, next(iter(places or ()), ""), "namespace portion", "")
    kind = "module" if places is None else "package"
    loader = spec.loader if isinstance(spec.loader, type) else type(spec.loader)
    placement = vars(spec).get("_placement") if isinstance(spec, ModuleSpec) else None
    return Candidate(entry, origin, kind, loader.__name__, (placement.real_path() if placement else None) or "")


def _specs(name: str, path: Sequence[str]) -> Iterator[tuple[str, ModuleSpec]]:
    """Yield each path entry that has module *name*, with the spec."""
    for entry in path:
        finder = pkgutil.get_importer(entry or os.getcwd())
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None:
            yield entry, spec


def explain(name: str, path: Sequence[str] | None = None) -> list[Candidate]:
    """Return every place that has module *name*, the one that an import takes first.

    Nothing is imported: parents are found, not executed, so a ``__path__`` that a package changes is not seen.  No
    module is placed.

    Arguments:
        name: the module's full name.
        path: the path entries to look in; default: ``sys.path``.

    """
    entries: Sequence[str] = sys.path if path is None else path
    parts = name.split(".")
    for end in range(1, len(parts)):
        found = [spec for _, spec in _specs(".".join(parts[:end]), entries)]
        regular = [spec for spec in found if spec.loader is not None]
        # The first regular one, or all portions together (PEP 420).
        entries = [place for spec in regular[:1] or found for place in _known(spec, "submodule_search_locations") or ()]
    candidates = [_candidate(entry, spec) for entry, spec in _specs(name, entries)]
    if len(parts) == 1:
        for label, importer in (("frozen", FrozenImporter), ("built-in", BuiltinImporter)):
            spec = importer.find_spec(name)
            if spec is not None:
                candidates.insert(0, _candidate(label, spec))
    if not candidates:  # a module that another one has put there, as `os` does with `os.path`
        known = getattr(sys.modules.get(name), "__spec__", None)
        candidates = [_candidate("sys.modules", known)] if known is not None and path is None else []
    return sorted(candidates, key=lambda candidate: candidate.kind == "namespace portion")
