"""Decide which source file becomes which member.  This module lists folders, and reads files only to compare two."""

from __future__ import annotations

import filecmp
import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..runtime.content.member import DEEPEST_NAME, name_fault
from ..runtime.format import INFO
from .errors import PackError, unreadable
from .leftout import summary
from .shipping import Folder, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .choice import Choice
    from .options import OnConflict

# What may be meant as a distribution: a name, with a version.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.\-]*(\[[\w,\-]*\])?([=<>!~][^/\\]*)?$")
# The suffixes of module files, for any Python and any platform.
MODULE_SUFFIXES = (".py", ".pyc", ".so", ".pyd")

# What interpreters make of modules.  `pack` makes its own.
_BYTECODE_CACHE = "__pycache__"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on disk that becomes a member.

    Attributes:
        member: the member's name.
        path: the file.
        executable: whether its owner may execute it.
        size: its size in bytes when `collect` saw it.
        origin: the file's name in messages, if its path is a temporary one that the user does not know.
        targets: the numbers of the targets that have the file, counted from 1; empty if all have it.

    """

    member: str
    path: str
    executable: bool
    size: int
    origin: str = ""
    targets: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.origin or self.path

    @property
    def is_module(self) -> bool:
        """Whether it is Python source."""
        return self.member.endswith(".py")

    @property
    def is_record(self) -> bool:
        """Whether it lists a distribution's files."""
        return self.member.endswith(".dist-info/RECORD")

    @property
    def is_metadata(self) -> bool:
        """Whether it describes a distribution."""
        return self.member.endswith(".dist-info/METADATA")


@dataclass(frozen=True)
class Placed:
    """A file or a directory with a given place in the bundle.

    Attributes:
        member: the member's or the folder's name.
        path: the file or directory.
        origin: the name of its origin in messages; "" for its path.
        executable: whether it is a program, even if the file has no execute permission.
        own: whether it is a folder that people work in.  Such folders hold litter; an installer leaves none.

    """

    member: str
    path: Path
    origin: str = ""
    executable: bool = False
    own: bool = False


def _source_file(member: str, path: Path, status: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        message = "is neither a file nor a directory; leave it out with --exclude"
        raise PackError(message, file=str(path))
    try:
        member.encode()
    except UnicodeEncodeError:
        message = "its name is not valid UTF-8; rename it or leave it out with --exclude"
        raise PackError(message, file=str(path).encode("utf-8", "backslashreplace").decode()) from None
    fault = name_fault(member)
    if fault is not None:
        message = f"cannot become a member: its name {fault}; rename it or leave it out with --exclude"
        raise PackError(message, file=str(path))
    if member == INFO.rstrip("/") or member.startswith(INFO):
        message = f"cannot become a member: {INFO} belongs to the bundle itself; leave it out with --exclude"
        raise PackError(message, file=str(path))
    return SourceFile(member, str(path), bool(status.st_mode & 0o100), status.st_size)


def _walk(folder: Folder, tree: Tree) -> Iterator[SourceFile]:
    """Yield the files below *folder*.  Links to directories are followed, but not in circles."""
    above = folder.above
    try:
        real = os.path.realpath(folder.path)
        names = sorted(os.listdir(folder.path))
    except OSError as error:
        raise unreadable(error, folder.path) from None
    if real in above:
        return
    if len(above) > DEEPEST_NAME:
        message = f"is nested deeper than {DEEPEST_NAME} folders; leave it out with --exclude"
        raise PackError(message, file=str(folder.path))
    part_of = tree.part_of_marked(folder, names)
    if part_of is not None and not tree.packs_below(folder, part_of):
        return
    for name in names:
        member, path = folder.prefix + name, folder.path / name
        is_made = name == _BYTECODE_CACHE or (name.endswith(".pyc") and (folder.path / name[:-1]).is_file())
        if not tree.choice.excludes(member) and not is_made:
            inside = Folder(path, member, above | {real}, at_top=False, part_of=part_of)
            yield from _entry(inside, tree, at_top=folder.at_top)


def _entry(entry: Folder, tree: Tree, *, at_top: bool) -> Iterator[SourceFile]:
    """Yield a file, or the files of a folder; nothing where it is left out."""
    part_of = tree.part_of(entry, at_top=at_top)
    if part_of is not None and not tree.packs_below(entry, part_of):
        return
    try:
        status = entry.path.stat()
    except OSError as error:
        message = f"cannot be read: {error.strerror}; leave it out with --exclude"
        raise PackError(message, file=str(entry.path)) from None
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(replace(entry, part_of=part_of), tree)
    elif tree.packs_file(entry, status, part_of):
        yield _source_file(entry.member, entry.path, status)


def _placed_files(source: Placed, status: os.stat_result, choice: Choice) -> Iterator[SourceFile]:
    """Yield the files of a source that has a given place."""
    if choice.excludes(source.member) or _BYTECODE_CACHE in source.member.split("/"):
        return
    entry = Folder(source.path, source.member, at_top=False)
    if source.own:
        found = _entry(entry, Tree(choice), at_top=True)
    elif stat.S_ISDIR(status.st_mode):
        found = _walk(entry, Tree(choice, own=False))
    else:
        found = iter([_source_file(source.member, source.path, status)])
    for file in found:
        origin = f"{file.member} of {source.origin}" if source.origin else ""
        yield replace(file, origin=origin, executable=file.executable or source.executable)


def _files(source: Path | Placed, choice: Choice) -> Iterator[SourceFile]:
    """Yield the files of one source."""
    path = source.path if isinstance(source, Placed) else source
    try:
        status = path.stat()
    except OSError as error:
        message = f"this source cannot be read: {error.strerror}"
        if isinstance(error, FileNotFoundError) and _REQUIREMENT.match(str(path)):
            message += f"; a distribution is packed with --with {str(path)!r}"
        raise PackError(message, file=str(path)) from None
    if isinstance(source, Placed):
        yield from _placed_files(source, status, choice)
    elif stat.S_ISDIR(status.st_mode):
        is_package = (path / "__init__.py").is_file() or (path / "__init__.pyc").is_file()
        member = os.path.basename(os.path.abspath(path)) if is_package else ""
        yield from _walk(Folder(path, member), Tree(choice, None if is_package else path))
    elif path.suffix == ".py":
        if not choice.excludes(path.name):
            yield _source_file(path.name, path, status)
    else:
        message = "is not a directory, a project, a wheel, a bundle or a .py module, so it cannot be packed"
        raise PackError(message, file=str(path))


def collect(sources: Sequence[Path | Placed], choice: Choice, *, on_conflict: OnConflict = "error") -> list[SourceFile]:
    """Return the files of *sources*, sorted by the names of their members.

    Arguments:
        sources: directories and ``.py`` modules.  A directory with an ``__init__`` is a package and keeps its name;
            any other gives its contents.  A `Placed` source says itself where it goes.
        choice: what the user includes and excludes; it gets what is left out.
        on_conflict: which file to take if two sources have the same member with different content.

    Raises:
        PackError: a source is missing or unreadable, a name cannot be a member's, or two members clash.

    """
    found: dict[str, SourceFile] = {}
    for source in sources:
        for file in _files(source, choice):
            known = found.get(file.member)
            if known is not None and on_conflict == "first":
                continue
            if known is not None and on_conflict == "error" and not _same(known.path, file.path):
                message = f"{known} and {file} differ; choose with --on-conflict first or last"
                raise PackError(message, member=file.member)
            found[file.member] = file
    if not found:
        message = "there is nothing to pack: the sources give no file"
        if choice.left_out:
            message = f"{message}; left out: {summary(choice.left_out)} (keep with --include GLOB)"
        raise PackError(message, file=_name(sources[0]) if sources else None)
    _check_clashes(found)
    return [found[member] for member in sorted(found)]


def _name(source: Path | Placed) -> str:
    return source.origin or str(source.path) if isinstance(source, Placed) else str(source)


def _same(one: str, other: str) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError as error:
        raise unreadable(error) from None


def _check_clashes(found: dict[str, SourceFile]) -> None:
    """Raise PackError if a name is both a file and a directory, or two names differ only in case."""
    folded: dict[str, str] = {}
    for member, file in found.items():
        bytecode = found.get(f"{member}c")
        if file.is_module and bytecode is not None:
            message = f"{file} and {bytecode} are the same module; leave one out with --exclude"
            raise PackError(message, member=member)
        parts = member.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if folder in found:
                message = f"is a file ({found[folder]}) and also a directory ({file})"
                raise PackError(message, member=folder)
        for end in range(1, len(parts) + 1):
            name = "/".join(parts[:end])
            other = folded.setdefault(name.casefold(), name)
            if other != name:
                message = f"differs from {other} only in case; rename one or leave it out with --exclude"
                raise PackError(message, member=name)
