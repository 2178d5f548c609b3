"""Which path entry gives a module, and what that shadows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Candidate:
    """A place that has the module.

    Attributes:
        entry: the path entry, or "built-in" or "frozen".
        origin: the file the module would be loaded from; "" for a namespace portion.
        kind: "package", "module" or "namespace portion".
        loader: the class of its loader; "" for a namespace portion.

    """

    entry: str
    origin: str
    kind: str
    loader: str


def _candidate(entry: str, spec: ModuleSpec) -> Candidate:
    if spec.loader is None or spec.origin is None:
        portion = next(iter(spec.submodule_search_locations or ()), "")
        return Candidate(entry, portion, "namespace portion", "")
    kind = "module" if spec.submodule_search_locations is None else "package"
    loader = spec.loader if isinstance(spec.loader, type) else type(spec.loader)
    return Candidate(entry, spec.origin, kind, loader.__name__)


def _everywhere(name: str, path: Sequence[str], *, top: bool) -> Iterator[Candidate]:
    if top:
        for label, importer in (("built-in", BuiltinImporter), ("frozen", FrozenImporter)):
            spec = importer.find_spec(name)
            if spec is not None:
                yield _candidate(label, spec)
    for entry in path:
        spec = PathFinder.find_spec(name, [entry])
        if spec is not None:
            yield _candidate(entry, spec)


def explain(name: str, path: Sequence[str] | None = None) -> list[Candidate]:
    """Return every place that has module *name*, the one that an import takes first.

    Nothing is imported: parents are found, not executed, so a ``__path__`` that a package changes is not seen.

    Arguments:
        name: the module's full name.
        path: the path entries to look in; default: ``sys.path``.

    """
    entries: Sequence[str] = sys.path if path is None else path
    parts = name.split(".")
    for end in range(1, len(parts)):
        parent = ".".join(parts[:end])
        spec = PathFinder.find_spec(parent, list(entries))
        if spec is None or spec.submodule_search_locations is None:
            return []
        entries = list(spec.submodule_search_locations)
    found = list(_everywhere(name, entries, top=len(parts) == 1))
    # A regular module anywhere on the path is taken before all namespace portions (PEP 420).
    return sorted(found, key=lambda candidate: candidate.kind == "namespace portion")
