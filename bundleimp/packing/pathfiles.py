"""Path files: the ``.pth`` files in a folder of packages, which Python's `site` module reads.

A line that names a folder makes the modules in it importable; they become members at the bundle's top.  A line that
runs code does so at the start of Python and not where a bundle is on the path, so it is a warning.  Nothing is run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..distinfo import INFO_SUFFIX, normalized
from .collect import MODULE_SUFFIXES, Placed
from .errors import PackError, PackWarning, unreadable
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from .choice import Choice
    from .distribution import Distribution

_IMPORTED = re.compile(r"^import[ \t]+(\w+)", re.MULTILINE)
# What virtualenv and uv write into an environment for themselves.
_OF_ENVIRONMENTS = "_virtualenv"
_LONGEST_LINE = 60
# Weights of PyTorch have the same suffix.
_LARGEST = 64 << 10


@dataclass
class PathFile:
    """A ``.pth`` file.

    Attributes:
        path: the file.
        origin: what a message calls the folder that it lies in; "" for its path.
        owner: the distribution whose RECORD lists it, if any.
        folders: the folders that it names.
        unusable: the names in it that are no folders.
        runs: its lines of code.

    """

    path: Path
    origin: str = ""
    owner: Distribution | None = None
    folders: list[Path] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the file."""
        data = read(self.path, _LARGEST + 1)
        if len(data) > _LARGEST or b"\0" in data:
            return
        for line in data.decode("utf-8-sig", "surrogateescape").splitlines():
            if line.startswith(("import ", "import\t")):
                self.runs.append(line)
            elif line.strip() and not line.startswith("#"):
                folder = os.path.abspath(self.path.parent / line.rstrip())
                if os.path.isdir(folder):
                    self.folders.append(Path(folder))
                else:
                    self.unusable.append(folder)

    def __str__(self) -> str:
        return f"{self.path.name} of {self.origin}" if self.origin else str(self.path)

    @property
    def is_editable(self) -> bool:
        """Whether it belongs to an editable install."""
        return self.owner is not None and self.owner.is_editable

    @property
    def is_reference(self) -> bool:
        """Whether it stands for an editable install, rather than being a file of the distribution."""
        own = {row.name for row in self.owner.rows} if self.owner is not None else set()
        return self.is_editable and bool(self.folders or self.unusable or own & self.modules)

    @property
    def modules(self) -> set[str]:
        """The files of the modules that it imports."""
        return {f"{module}.py" for line in self.runs for module in _IMPORTED.findall(line)}


def path_files(folder: Path, installed: Iterable[Distribution], choice: Choice, *, origin: str = "") -> list[PathFile]:
    """Return the path files of a folder of packages that the user does not exclude.

    Arguments:
        folder: the folder.
        installed: the distributions in it.
        choice: what the user excludes.
        origin: what a message calls the folder; "" for its path.

    Raises:
        PackError: one cannot be read.

    """
    names = [name for name in _listed(folder) if name.endswith(".pth") and not name.startswith(".")]
    if not names:
        return []
    owners = {row.name: one for one in installed for row in one.rows}
    paths = [folder / name for name in names if (folder / name).is_file() and not choice.excludes(name)]
    return [PathFile(path, origin, owners.get(path.name)) for path in paths]


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise unreadable(error, folder) from None


def check_inside(files: Iterable[PathFile], folder: Path) -> None:
    """Check that what path files name lies in *folder*, apart from the projects of editable installs.

    What a wheel names outside of the folder that it is installed into is not the user's to ship.

    Raises:
        PackError: a file names another folder.

    """
    base = os.path.abspath(folder)
    for file in files:
        outside = [named for named in file.folders if not named.is_relative_to(base)]
        if outside and not file.is_editable:
            name = file.path.name
            message = (
                f"names {outside[0]}, which is outside of the source; give that as a SOURCE, and add --exclude {name}"
            )
            raise PackError(message, file=str(file))


def left_out(files: Iterable[PathFile]) -> set[str]:
    """Return the names in a folder of installed packages that are there for its path files alone."""
    names = set()
    for file in files:
        if file.is_reference or file.path.stem == _OF_ENVIRONMENTS:
            names |= {file.path.name, *file.modules}
        elif file.owner is None:
            names.add(file.path.name)
    return names


def warnings(files: Sequence[PathFile]) -> Iterator[PackWarning]:
    """Yield a warning for each name that is no folder, and one for each file with code that will not run."""
    followed = {file.owner.name for file in files if file.owner is not None and file.is_editable and file.folders}
    for file in files:
        for line in file.unusable:
            yield PackWarning(str(file), f"names {line}, which is not a directory; the line is left out")
        if not file.runs or file.path.stem == _OF_ENVIRONMENTS:
            continue
        if file.owner is None or not file.is_editable:
            line = file.runs[0].strip()
            line = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}..."
            yield PackWarning(str(file), f"runs code when Python starts, which a bundle does not do: {line}")
        elif file.owner.name not in followed:
            name = file.owner.name
            followed.add(name)
            message = f"finds the editable install {name} by code, which is not run; give its project as a SOURCE"
            yield PackWarning(str(file), message)


@dataclass
class Followed:
    """The folders of packages, and what is importable from them so far.

    Attributes:
        sites: the folders of packages.
        known: the names of the distributions in them.
        hidden: the names that no later folder can give, because an earlier one has them.

    """

    sites: Sequence[Path]
    known: Collection[str]
    hidden: set[str]

    def follow(self, files: Iterable[PathFile], choice: Choice, *, own: bool) -> Iterator[Placed]:
        """Yield what path files add to the folders of packages, as Python finds it: the first of a name.

        Arguments:
            files: the files.
            choice: what the user excludes.
            own: whether people work in the folders of packages; in others that are named they do.

        Raises:
            PackError: a folder cannot be read.

        """
        seen = {os.path.realpath(path) for path in self.sites}
        for file in files:
            for folder in file.folders:
                real = os.path.realpath(folder)
                site = next((site for site in self.sites if folder.is_relative_to(os.path.abspath(site))), None)
                if real in seen or (site is not None and choice.excludes(_relative(folder, site))):
                    continue
                seen.add(real)
                yield from self._placed(folder, file.origin, inside=site is not None, own=own or site is None)

    def _placed(self, folder: Path, origin: str, *, inside: bool, own: bool) -> Iterator[Placed]:
        for name in _contents(folder) if inside else _importable(folder, self.known):
            if name not in self.hidden:
                yield Placed(name, folder / name, origin, own=own)
                if hides(folder, name):
                    self.hidden.add(name)


def _relative(folder: Path, site: Path) -> str:
    return folder.relative_to(os.path.abspath(site)).as_posix()


def _contents(folder: Path) -> list[str]:
    """Return the names in a folder that is made to be on Python's path: modules, and what they may read beside them."""
    return [name for name in _listed(folder) if name != "__pycache__" and not name.endswith(".pth")]


def _importable(folder: Path, known: Collection[str]) -> Iterator[str]:
    """Yield the names in a folder that Python's path gets as a whole, often a project with all that it consists of."""
    for name in _listed(folder):
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


def hides(folder: Path, name: str) -> bool:
    """Return whether a later path entry's module or package of this name cannot be imported."""
    path = folder / name
    return not path.is_dir() or any((path / f"__init__{suffix}").exists() for suffix in (".py", ".pyc"))
