"""What the user includes and excludes by globs, and what is left out.

One `Choice` goes through all sources of a `pack`.  It remembers which globs matched nothing.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..patterns import matches
from .errors import PackError, PackWarning
from .reading import has_bundle_name, is_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .leftout import LeftOut


class Choice:
    """The globs of ``--exclude`` and ``--include``, and what is left out.  What both match is excluded.

    A glob matches a member by its path or its name, or a folder above the member by the same (`patterns.matches`).
    """

    def __init__(self, exclude: Sequence[str] = (), include: Sequence[str] = (), output: Path | None = None) -> None:
        """Make a choice; *output* is the bundle that will be written, and never one of its own members."""
        self._left_out: dict[str, LeftOut] = {}
        self._exclude = _Globs(exclude)
        self._include = _Globs(include)
        self._output = None
        if output is not None and output.exists():
            self._output = output.stat()

    @property
    def left_out(self) -> list[LeftOut]:
        """What is left out though nothing excludes it, by name."""
        return [self._left_out[name] for name in sorted(self._left_out)]

    def leave_out(self, item: LeftOut) -> None:
        """Note what is left out."""
        self._left_out[item.name] = item

    def excludes(self, member: str) -> bool:
        """Return whether the user excludes a file or a folder."""
        return self._exclude.match(member)

    def includes(self, member: str) -> bool:
        """Return whether the user includes a file or a folder, or a folder above it."""
        return self._include.match(member)

    def includes_secret(self, member: str) -> bool:
        """Return whether the user includes a file itself.  A glob for the folder that it is in does not."""
        return self._include.match_itself(member)

    def includes_below(self, folder: str) -> bool:
        """Return whether the user includes something in a folder."""
        return self._include.leads_below(folder)

    def is_output(self, path: str, status: os.stat_result) -> bool:
        """Return whether a file is the bundle that will be replaced.

        Raises:
            PackError: it is, and it is a file of the source rather than a bundle of an earlier `pack`.

        """
        if self._output is None or not os.path.samestat(status, self._output):
            return False
        if status.st_size and not has_bundle_name(path) and not is_bundle(path):
            message = "is a file of the source and would be replaced by the bundle; write the bundle somewhere else"
            raise PackError(message, file=path)
        return True

    def warnings(self) -> list[PackWarning]:
        """Return a warning for each glob that matched nothing."""
        return [
            *(
                PackWarning(f"--exclude {pattern!r}", "matches nothing that would be packed")
                for pattern in self._exclude.unused
            ),
            *(
                PackWarning(f"--include {pattern!r}", "matches nothing that is left out, so it has no effect")
                for pattern in self._include.unused
            ),
        ]


class _Globs:
    """Globs, and which of them have matched nothing so far."""

    def __init__(self, patterns: Sequence[str]) -> None:
        # As people type the names of folders.
        self._originals = {pattern.removeprefix("./").rstrip("/"): pattern for pattern in patterns}
        self._patterns = tuple(self._originals)
        self._unused = list(self._patterns)

    @property
    def unused(self) -> list[str]:
        return [self._originals[pattern] for pattern in self._unused]

    def match(self, member: str) -> bool:
        if not self._patterns or not matches(member, self._patterns):
            return False
        # Nothing below *member* is looked at, so a glob for something there is not one that matches nothing.
        self._unused = [
            pattern for pattern in self._unused if not matches(member, [pattern]) and not _leads_below(pattern, member)
        ]
        return True

    def match_itself(self, member: str) -> bool:
        name = member.rpartition("/")[2]
        used = [pattern for pattern in self._patterns if fnmatchcase(member, pattern) or fnmatchcase(name, pattern)]
        self._unused = [pattern for pattern in self._unused if pattern not in used]
        return bool(used)

    def leads_below(self, folder: str) -> bool:
        return any(_leads_below(pattern, folder) for pattern in self._patterns)


def _leads_below(pattern: str, folder: str) -> bool:
    """Return whether a glob has more parts than *folder*, and the first of them match it."""
    parts, above = pattern.split("/"), folder.split("/")
    return len(parts) > len(above) and all(map(fnmatchcase, above, parts))
