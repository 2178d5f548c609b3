"""The folders that a zip must name so that `zipimport` finds all modules in it.

`zipimport` finds a package by its ``__init__``.  It finds a namespace package only by an entry of its folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PURE_SUFFIXES = (".py", ".pyc")
# Deeper folders get no entry, so that the directory does not grow with the square of the depth.
_DEEPEST = 16


def namespace_folders(members: Iterable[str]) -> list[str]:
    """Return the folders that are namespace packages, each with a slash at its end, sorted.

    Arguments:
        members: the names of all members.

    """
    packages = set()
    folders = set()
    for member in members:
        folder, _, name = member.rpartition("/")
        if folder and name.endswith(_PURE_SUFFIXES) and all(map(str.isidentifier, folder.split("/"))):
            if name.partition(".")[0] == "__init__":
                packages.add(folder)
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
    return sorted(f"{folder}/" for folder in folders - packages if folder.count("/") < _DEEPEST)
