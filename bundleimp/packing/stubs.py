"""The names of the stubs of a bundle (`runtime.plain.stubs`): one for each module that `zipimport` cannot import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .collect import MODULE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Collection

_EXTENSIONS = (".so", ".pyd")
# Python reads the directory of each zip on its path when it starts.  So if more stubs are needed, only top-level
# modules get them.
MOST_IN_NAMESPACES = 100


def of_payload(members: Collection[str]) -> list[str]:
    """Return the names of the stubs in the outer zip of a nested bundle, for the *members* of the inner zip.

    There is one for each module that is not in a package, but may be in a namespace package.
    """
    packages = {name.rpartition("/")[0] for name in members if _stem(name).endswith("/__init__")}
    found = {_stub(name, packages) for name in members if name.endswith(MODULE_SUFFIXES)} - {""}
    if len(found) > MOST_IN_NAMESPACES:
        found = {name for name in found if "/" not in name.removesuffix("/__init__.py")}
    return sorted(found)


def of_extensions(members: Collection[str]) -> list[str]:
    """Return the names of the stubs of a flat bundle: one for each extension module without a source of its name."""
    stems = {_stem(name) for name in members if name.endswith((".py", ".pyc"))}
    found = {_stem(name) for name in members if name.endswith(_EXTENSIONS) and not _is_library(name)}
    return sorted(
        f"{stem}.py" for stem in found if _is_module(stem) and stem not in stems and f"{stem}/__init__" not in stems
    )


def _stub(member: str, packages: Collection[str]) -> str:
    """Return the stub without which *member* is not found, or "" if it cannot be imported."""
    stem = _stem(member)
    if not _is_module(stem):
        return ""
    parts = stem.split("/")
    folders = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
    package = next((folder for folder in folders if folder in packages), None)
    return f"{package}/__init__.py" if package is not None else f"{stem}.py"


def _stem(member: str) -> str:
    folder, slash, name = member.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _is_library(member: str) -> bool:
    """Return whether the name of a native file is that of a shared library, and not of a module."""
    name = member.rpartition("/")[2]
    return name.startswith("lib") and name.count(".") == 1


def _is_module(stem: str) -> bool:
    return all(map(str.isidentifier, stem.split("/")))
