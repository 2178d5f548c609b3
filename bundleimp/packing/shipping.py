"""Whether a file or a folder of a source is packed: what RECORD files, the user and the rules of `leftout` say.

RECORD comes first, then the user, then the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .distribution import distributions
from .leftout import BUNDLE, SECRET, LeftOut, by_content, by_markers, by_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .choice import Choice


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on the way through a source, or a file in it.

    Attributes:
        path: where it is.
        member: its name in the bundle; "" for the bundle's top.
        above: the real paths of the folders above it.
        at_top: whether it is the folder that the user named.
        part_of: the folder that is left out and that it lies in, if something in there is packed nevertheless.

    """

    path: Path
    member: str
    above: frozenset[str] = frozenset()
    at_top: bool = True
    part_of: LeftOut | None = None

    @property
    def prefix(self) -> str:
        """How the names of its members begin."""
        return f"{self.member}/" if self.member else ""


@dataclass
class Tree:
    """A source that is a folder.

    Attributes:
        choice: what the user includes and excludes.
        root: the folder whose RECORD files count, if any.
        own: whether people work in it.  If not, an installer made it, and all of it is packed.

    """

    choice: Choice
    root: Path | None = None
    own: bool = True

    @cached_property
    def _recorded(self) -> frozenset[str]:
        found = distributions(self.root) if self.root is not None else []
        return frozenset(row.name for distribution in found for row in distribution.rows)

    @cached_property
    def _recorded_folders(self) -> frozenset[str]:
        return frozenset(folder for name in self._recorded for folder in _folders(name))

    def _is_kept(self, member: str, reason: str | None) -> bool:
        if member in self._recorded:
            return True
        return self.choice.includes_secret(member) if reason == SECRET else self.choice.includes(member)

    def part_of(self, entry: Folder, *, at_top: bool) -> LeftOut | None:
        """Return what a file or a folder is left out with, or None if it is packed.

        Arguments:
            entry: the file or folder.
            at_top: whether it lies in the folder that the user named, and not deeper.

        """
        reason = by_name(str(entry.path), at_top=at_top) if self.own else None
        if (reason is None and entry.part_of is None) or self._is_kept(entry.member, reason):
            return None
        return entry.part_of or LeftOut(entry.member, reason or "")

    def part_of_marked(self, folder: Folder, names: Sequence[str]) -> LeftOut | None:
        """Return what a folder that holds *names* is left out with, or None if it is packed."""
        if folder.part_of is not None or folder.at_top or not self.own:
            return folder.part_of
        reason = by_markers(names)
        if reason is None or self._is_kept(folder.member, reason):
            return None
        return LeftOut(folder.member, reason)

    def packs_below(self, entry: Folder, part_of: LeftOut) -> bool:
        """Return whether something in a folder that is left out is packed; else note that nothing is."""
        if entry.member in self._recorded_folders or self.choice.includes_below(entry.member):
            return True
        # The bundle of an earlier `pack` need not be mentioned.
        if part_of.reason != BUNDLE or not self._is_output(entry.path):
            self.choice.leave_out(part_of)
        return False

    def _is_output(self, path: Path) -> bool:
        try:
            return self.choice.is_output(str(path), path.stat())
        except OSError:
            return False

    def packs_file(self, file: Folder, status: os.stat_result, part_of: LeftOut | None) -> bool:
        """Return whether a file is packed; else note that it is not.

        Raises:
            PackError: it cannot be read, or is no bundle and would be replaced by the one to write.

        """
        path = str(file.path)
        if self.choice.is_output(path, status):
            return False
        if part_of is None and self.own:
            reason = by_content(path, status.st_size)
            if reason is not None and not self._is_kept(file.member, reason):
                part_of = LeftOut(file.member, reason)
        if part_of is not None:
            self.choice.leave_out(part_of)
        return part_of is None


def _folders(name: str) -> Iterator[str]:
    """Yield the names of the folders above a file."""
    return (name[:at] for at, letter in enumerate(name) if letter == "/")
