"""A virtual environment on disk (PEP 405): what is installed in it, and what its ``.pth`` files add.

Its interpreter is not started, and nothing in it is run: it may be of another platform.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..distinfo import INFO_SUFFIX, normalized
from .collect import MODULE_SUFFIXES, Placed
from .distribution import distributions
from .errors import PackError, PackWarning, unreadable
from .installed import PROGRAMS, Site, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .distribution import Distribution

_SCRIPT_FOLDERS = {"bin", "Scripts"}
_VERSION = re.compile(r"^\s*version(?:_info)?\s*=\s*(\d+\.\d+)", re.MULTILINE)
_IMPORTED = re.compile(r"^import[ \t]+(\w+)", re.MULTILINE)


@dataclass
class Found:
    """What an environment gives."""

    placed: list[Placed] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)


@dataclass
class _PathFile:
    """A ``.pth`` file, and the editable distribution that it belongs to, if any."""

    path: Path
    owner: Distribution | None
    folders: list[Path] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)

    @property
    def is_reference(self) -> bool:
        """Whether it stands for an editable install, rather than being a file of the distribution."""
        own = {row.name for row in self.owner.rows} if self.owner is not None else set()
        return self.owner is not None and bool(self.folders or self.unusable or own & self.modules)

    @property
    def modules(self) -> set[str]:
        """The files of the modules that it imports."""
        return {f"{module}.py" for line in self.runs for module in _IMPORTED.findall(line)}

    def __post_init__(self) -> None:
        for line in _read(self.path).splitlines():
            if line.startswith(("import ", "import\t")):
                self.runs.append(line)
            elif line.strip() and not line.startswith("#"):
                folder = Path(os.path.abspath(self.path.parent / line.rstrip()))
                if folder.is_dir():
                    self.folders.append(folder)
                else:
                    self.unusable.append(str(folder))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise unreadable(error, path) from None


def sites(environment: Path) -> list[Path]:
    """Return the folders of installed packages of an environment: of pure ones, and of others where that is another.

    Raises:
        PackError: it is no virtual environment, or has no such folder.

    """
    configuration = environment / "pyvenv.cfg"
    if not configuration.is_file():
        message = "is not a virtual environment: there is no pyvenv.cfg in it"
        raise PackError(message, file=str(environment))
    version = _VERSION.search(_read(configuration))
    found: dict[Path, Path] = {}
    for pattern in ("lib/*/site-packages", "lib64/*/site-packages", "Lib/site-packages"):
        for path in sorted(environment.glob(pattern)):
            # An environment that was upgraded has the folders of its former versions, too.
            of_version = version is None or path.parent.name == "Lib" or version[1] in path.parent.name
            if path.is_dir() and of_version:
                found.setdefault(path.resolve(), path)
    if not found:
        message = "has no site-packages folder for its Python; make the environment again"
        raise PackError(message, file=str(environment))
    return list(found.values())


def packed_environment(environment: Path, scratch: Path) -> Found:
    """Return what an environment gives.

    Arguments:
        environment: its folder.
        scratch: a folder for what has to be written anew.

    Raises:
        PackError: it is no virtual environment, or something in it cannot be read.

    """
    found = Found()
    # What an earlier path entry has, hides the same of a later one.
    hidden: set[str] = set()
    folders: list[Path] = []
    own = sites(environment)
    for number, folder in enumerate(own):
        installed = distributions(folder)
        files = _path_files(folder, installed)
        names = [name for name in _names(folder, installed, files) if name not in hidden]
        layout = lay_out(_site(environment, folder), names, installed, scratch / str(number))
        found.placed += layout.placed
        found.distributions += installed
        found.warnings += _warnings(files)
        folders += [below for file in files for below in file.folders]
        hidden |= {name for name in names if _hides(folder, name)}
    known = {distribution.name for distribution in found.distributions}
    seen = {path.resolve() for path in own}
    for folder in dict.fromkeys(path for path in folders if path.resolve() not in seen):
        for name in _importable(folder, known):
            if name not in hidden:
                found.placed.append(Placed(name, folder / name, own=True))
                hidden |= {name} if _hides(folder, name) else set()
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


def _path_files(folder: Path, installed: Sequence[Distribution]) -> list[_PathFile]:
    owners = {row.name: one for one in installed if one.is_editable for row in one.rows}
    # Those that are hidden do not count for Python either.
    paths = [path for path in sorted(folder.glob("*.pth")) if not path.name.startswith(".")]
    return [_PathFile(path, owners.get(path.name)) for path in paths]


def _names(folder: Path, installed: Sequence[Distribution], files: Sequence[_PathFile]) -> Iterator[str]:
    """Yield the names in a site-packages folder that are packed, apart from ``dist-info`` folders."""
    recorded = {row.name for one in installed for row in one.rows}
    left_out = {one.folder.name for one in installed}
    for file in files:
        # A .pth file that no wheel brought belongs to the environment, and so does the module that it imports.
        if file.is_reference:
            left_out |= {file.path.name, *file.modules}
        elif file.path.name not in recorded:
            left_out |= {file.path.name, *(file.modules - recorded)}
    for name in sorted(os.listdir(folder)):
        if name not in left_out and not name.endswith((".egg-link", ".virtualenv")):
            yield name


def _warnings(files: Sequence[_PathFile]) -> Iterator[PackWarning]:
    followed = {file.owner.name for file in files if file.owner is not None and file.folders}
    for file in files:
        for line in file.unusable:
            yield PackWarning(str(file.path), f"names {line}, which is no directory; that is left out")
        if file.runs and file.owner is not None and file.owner.name not in followed:
            name = file.owner.name
            followed.add(name)
            message = (
                f"runs code to find {name}, an editable install, so that is left out; give its project as a SOURCE"
            )
            yield PackWarning(str(file.path), message)


def _importable(folder: Path, known: set[str]) -> Iterator[str]:
    """Yield the names in a folder that Python's path gets as a whole, often a project with all that it consists of."""
    for name in sorted(os.listdir(folder)):
        path = folder / name
        stem = name.partition(".")[0]
        if path.is_dir() and name.endswith(".egg-info"):
            if normalized(name.removesuffix(".egg-info").partition("-")[0]) not in known:
                yield name
        elif (path.is_dir() and name.endswith(INFO_SUFFIX)) or (
            stem.isidentifier()
            and (
                (name == stem and path.is_dir() and not (path / "pyvenv.cfg").exists())
                or name.endswith(MODULE_SUFFIXES)
            )
        ):
            yield name


def _hides(folder: Path, name: str) -> bool:
    """Return whether a later path entry's module or package of this name cannot be imported."""
    path = folder / name
    return not path.is_dir() or any((path / f"__init__{suffix}").exists() for suffix in (".py", ".pyc"))
