"""A virtual environment on disk (PEP 405): what is installed in it, and what its ``.pth`` files add.

Its interpreter is not started, and nothing in it is run: it may be of another platform.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import pathfiles
from .collect import Placed
from .distribution import distributions
from .errors import PackError, PackWarning
from .installed import PROGRAMS, Site, lay_out
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .choice import Choice
    from .distribution import Distribution
    from .pathfiles import PathFile

_SCRIPT_FOLDERS = {"bin", "Scripts"}
_VERSION = re.compile(r"^\s*version(?:_info)?\s*=\s*(\d+\.\d+)", re.MULTILINE)


@dataclass
class Found:
    """What an environment gives."""

    placed: list[Placed] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)


def sites(environment: Path) -> list[Path]:
    """Return the folders of installed packages of an environment: of pure ones, and of others where that is another.

    Raises:
        PackError: it is no virtual environment, or has no such folder.

    """
    configuration = environment / "pyvenv.cfg"
    if not configuration.is_file():
        message = "is not a virtual environment: there is no pyvenv.cfg in it"
        raise PackError(message, file=str(environment))
    version = _VERSION.search(read(configuration).decode("utf-8-sig", "surrogateescape"))
    found: dict[Path, Path] = {}
    for pattern in ("lib/*/site-packages", "lib64/*/site-packages", "Lib/site-packages"):
        for path in sorted(environment.glob(pattern)):
            # An environment that was upgraded has the folders of its former versions, too.
            of_version = version is None or path.parent.name == "Lib" or version[1] in path.parent.name
            if path.is_dir() and of_version:
                found.setdefault(path.resolve(), path)
    if not found:
        message = "has no site-packages folder for its Python; create the environment again"
        raise PackError(message, file=str(environment))
    return list(found.values())


def packed_environment(environment: Path, scratch: Path, choice: Choice) -> Found:
    """Return what an environment gives.

    Arguments:
        environment: its folder.
        scratch: a folder for what has to be written anew.
        choice: what the user excludes.

    Raises:
        PackError: it is no virtual environment, something in it cannot be read, or a path file of a wheel leads out of
            it.

    """
    found = Found()
    # What an earlier path entry has, hides the same of a later one.
    hidden: set[str] = set()
    followed: list[PathFile] = []
    own = sites(environment)
    for number, folder in enumerate(own):
        installed = distributions(folder)
        files = pathfiles.path_files(folder, installed, choice)
        pathfiles.check_inside([file for file in files if file.owner is not None], environment)
        names = [name for name in _names(folder, installed, files) if name not in hidden]
        layout = lay_out(_site(environment, folder), names, installed, scratch / str(number))
        found.placed += layout.placed
        found.distributions += installed
        found.warnings += pathfiles.warnings(files)
        followed += files
        hidden |= {name for name in names if pathfiles.hides(folder, name)}
    known = {distribution.name for distribution in found.distributions}
    found.placed += pathfiles.Followed(own, known, hidden).follow(followed, choice, own=False)
    return found


def _site(environment: Path, folder: Path) -> Site:
    prefix = Path(os.path.abspath(environment))
    base = Path(os.path.abspath(folder))
    real = environment.resolve()

    def locate(name: str) -> Placed | None:
        path = Path(os.path.normpath(base / name))
        if path.is_relative_to(base):
            return Placed(path.relative_to(base).as_posix(), path)
        if not path.is_relative_to(prefix):
            return None
        first, *rest = path.relative_to(prefix).parts
        member = "/".join([PROGRAMS if first in _SCRIPT_FOLDERS else first, *rest])
        return Placed(member, path)

    return Site(base, locate, [root / name for root in (prefix, real) for name in sorted(_SCRIPT_FOLDERS)])


def _names(folder: Path, installed: Sequence[Distribution], files: Sequence[PathFile]) -> Iterator[str]:
    """Yield the names in a site-packages folder that are packed, apart from ``dist-info`` folders."""
    left_out = pathfiles.left_out(files) | {one.folder.name for one in installed}
    for name in sorted(os.listdir(folder)):
        if name not in left_out and not name.endswith((".egg-link", ".virtualenv")):
            yield name
