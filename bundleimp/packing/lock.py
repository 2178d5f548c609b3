"""The lock file of a project: ``uv.lock``, which uv exports in the form of PEP 751, or ``pylock.toml``."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..distinfo import normalized
from ..runtime.faults.likeness import near
from . import complaints
from .errors import PackError, unreadable
from .installer import find_uv
from .project import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

UV_LOCK = "uv.lock"
PYLOCK = "pylock.toml"


@dataclass(frozen=True)
class Lock:
    """A lock file, and what of it is wanted.

    Attributes:
        path: the file.
        folder: the folder of the project, or of the script, that it is for.
        owner: the normalized name of the project, which is packed by other means; "" if it is a script's.
        script: the script that it is for, or "".
        extras: the extras that are wanted.
        groups: the dependency groups that are wanted.

    """

    path: Path
    folder: Path
    owner: str
    script: str = ""
    extras: Sequence[str] = ()
    groups: Sequence[str] = ()

    @property
    def is_pylock(self) -> bool:
        """Whether an installer reads the file as it is (PEP 751)."""
        return self.path.name == PYLOCK

    @property
    def options(self) -> list[str]:
        """The words that select the extras and the groups, for uv."""
        words = [word for extra in self.extras for word in ("--extra", extra)]
        return words + [word for group in self.groups for word in ("--group", group)]

    def export(self, target: Path, python: str, installer: str | None) -> None:
        """Write a ``uv.lock`` in the form of PEP 751, for what is wanted of it.

        Arguments:
            target: the file to write.
            python: the interpreter to install for.
            installer: the installer that the user chose, or None.

        Raises:
            PackError: uv is missing, or the lock file is out of date, or for other Pythons.

        """
        uv = find_uv(python) if installer != "pip" else None
        if uv is None:
            message = "only uv can read this file: install uv" + f", or write a {PYLOCK} beside it" * (not self.script)
            raise PackError(message, file=str(self.path))
        # `--frozen` would pack what the project no longer asks for.  A user who wants that has a variable for it.
        up_to_date = () if os.environ.get("UV_FROZEN") else ("--locked",)
        words = ["export", *up_to_date, "--format", PYLOCK, "--no-default-groups", "--no-editable", "--no-header"]
        subject = ["--script", self.script] if self.script else ["--no-emit-project", *self.options]
        command = [*uv, *words, *subject, "--quiet", "--python", python, "--output-file", str(target)]
        try:
            complaints.run("uv", command, talk=False, folder=self.folder)
        except PackError as error:
            raise PackError(error.message, file=str(self.path)) from None


def find_lock(folder: Path, *, uv: bool) -> Path | None:
    """Return the lock file for the project in *folder*, or None.

    Arguments:
        folder: the folder with the ``pyproject.toml``; the ``uv.lock`` of a workspace is above it.
        uv: whether uv is there.

    Raises:
        PackError: a file cannot be read.

    """
    of_uv = next((path for path in _uv_locks(folder) if path.is_file()), None)
    pylock = folder / PYLOCK
    if pylock.is_file() and (of_uv is None or not uv):
        return pylock
    return of_uv


def _uv_locks(folder: Path) -> Iterable[Path]:
    yield folder / UV_LOCK
    for above in folder.resolve().parents:
        try:
            table = tomllib.loads((above / "pyproject.toml").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        tool = table.get("tool")
        uv = tool.get("uv") if isinstance(tool, dict) else None
        if isinstance(uv, dict) and "workspace" in uv:
            yield above / UV_LOCK


def check_pylock(path: Path, extras: Iterable[str], groups: Iterable[str]) -> None:
    """Raise PackError if a ``pylock.toml`` was made without one of these *extras* or dependency *groups*."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(error, path) from None
    table = parsed(content, str(path))
    for key, kind, wanted in (("extras", "extra", extras), ("dependency-groups", "dependency group", groups)):
        known = table.get(key)
        names = {normalized(name) for name in known if isinstance(name, str)} if isinstance(known, list) else set()
        for name in wanted:
            if normalized(name) not in names:
                message = (
                    f"offers no choice of the {kind} {name!r}{near(normalized(name), names)};"
                    f" lock again with it, or leave out --{'extra' if key == 'extras' else 'group'}"
                )
                raise PackError(message, file=str(path))
