"""What the index of a bundle says: for each target, the members that it has, with their bytecode and flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..runtime import format as bundle_format
from ..runtime.archive import Archive, code_tag
from ..runtime.content import limits
from ..runtime.content import targets as bundle_targets
from ..runtime.content.targets import FOLDER, Target, split_name, stored_name
from ..runtime.faults.kinds import BundleError, BundleFormatError
from ..runtime.format import Directory, Extent, decode_extent, fits
from .reader import BundleReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..runtime.format import Head, Locator


@dataclass(frozen=True, slots=True)
class Note:
    """What the index knows of a member: the offset of its data, its bytecode for each code tag, and its flags."""

    offset: int
    codes: Sequence[Extent | None]
    flags: int


@dataclass
class View:
    """What the index says of one target.

    Attributes:
        target: the target; its name is "" if the bundle has the same files for all.
        notes: the members, by their own names.
        needs: what a bundle without targets needs (`limits`); "" if it runs on every Python.
        folder_flags: the flags of directories, by name with a slash at the end.

    """

    target: Target
    needs: str = ""
    notes: dict[str, Note] = field(default_factory=dict)
    folder_flags: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Block:
    """A directory of the index: its files, its subdirectories, and their flags, by full names."""

    notes: dict[str, Note]
    children: dict[str, Extent]
    flags: dict[str, int]


class IndexViews:
    """Reads the blocks of an index.  Those that several targets share are read once."""

    def __init__(self, data: bytes, head_size: int, offset: int) -> None:
        """Take the index *data*, which ends with a head of this size, and begins at *offset* in the file."""
        encoded = data[-head_size:]
        head = bundle_format.decode_head(encoded)
        self._data = data
        self._columns = len(head.tags)
        self._offset = offset
        self._known: dict[tuple[str, int, int, int], _Block] = {}
        self.needs = limits.needs(encoded) if head.root_offset and not head.root_size else ""
        if head.root_offset:
            head.root_size = head.root_size or len(data) - head_size + offset - head.root_offset
            self.targets = [_only_target(head, data, offset)]
        else:
            self.targets = bundle_targets.decode(encoded)

    def views(self) -> list[View]:
        """Return the view of each target.

        Raises:
            BundleFormatError: the index is damaged.

        """
        return [self._view(target) for target in self.targets]

    def _view(self, target: Target) -> View:
        view = View(target, self.needs)
        todo = [("", target.root)]
        seen = set()
        while todo:
            path, extent = todo.pop()
            if extent.offset in seen:
                message = f"the index is damaged: the block of {path!r} is used twice"
                raise BundleFormatError(message, member=bundle_format.INDEX, offset=extent.offset)
            seen.add(extent.offset)
            block = self._block(path, extent)
            view.notes |= block.notes
            view.folder_flags |= block.flags
            todo += block.children.items()
        return view

    def _block(self, path: str, extent: Extent) -> _Block:
        key = (path, extent.offset, extent.size, extent.checksum)
        if key not in self._known:
            start = extent.offset - self._offset
            directory = Directory(self._data[max(start, 0) : start + extent.size], path, extent.checksum)
            self._known[key] = _Block(
                {
                    directory.prefix + name: self._note(directory, name)
                    for name in directory.names
                    if not name.endswith("/")
                },
                {
                    directory.prefix + name[:-1]: directory.subdirectory(name[:-1])
                    for name in directory.names
                    if name.endswith("/")
                },
                {directory.prefix + name: directory.flags(name) for name in directory.names if name.endswith("/")},
            )
        return self._known[key]

    def _note(self, directory: Directory, name: str) -> Note:
        codes = [decode_extent(directory.code_entry(name, column)) for column in range(self._columns)]
        return Note(directory.member(name).offset, codes, directory.flags(name))


def _only_target(head: Head, data: bytes, offset: int) -> Target:
    """Return what stands for a target, without a name, in an index of a bundle with the same files for all."""
    root = data[head.root_offset - offset :][: head.root_size]
    checksum = bundle_format.number(root, len(root) - 4, len(root))
    return Target("", "", Extent(offset=head.root_offset, size=head.root_size, checksum=checksum), head.units)


def stored_of(number: int, view: View, offsets: Mapping[str, int]) -> dict[str, str]:
    """Return the name in the zip of each member of a *view*, by its own name; without those that are not there.

    Arguments:
        number: the number of the view's target, counted from 1.
        view: the view.
        offsets: the offset of the data of each member of the zip.

    """
    found = {}
    for name, note in view.notes.items():
        for home in range(1, number + 1):
            stored = stored_name(name, home)
            if offsets.get(stored) == note.offset:
                found[name] = stored
    return found


class _TargetArchive(Archive):
    """A bundle as the Pythons of one of its targets read it."""

    __slots__ = ("_target",)

    def __init__(self, path: str, target: Target) -> None:
        self._target = target
        super().__init__(path)

    def _use_index(self, locator: Locator) -> bytes:
        end = locator.index_offset + locator.index_size
        start = end - locator.head_size
        encoded = self.near(start, locator.head_size)
        return bundle_targets.use_target(self, encoded, start, code_tag(), self._target)


def archives_of(path: str) -> Iterator[Archive]:
    """Yield the bundle at *path*, as the Pythons of each of its targets read it.

    Raises:
        BundleError: it is damaged.

    """
    targets = TargetFiles(BundleReader(path)).targets
    yield from (_TargetArchive(path, target) for target in targets)
    if not targets:
        yield Archive(path)


class TargetFiles:
    """The members of each target of a bundle.

    Attributes:
        names: the names of the targets; empty if the bundle has the same files for all.
        stored: for each target the names in the zip of its members, by their own names.
        targets: the targets.

    """

    def __init__(self, bundle: BundleReader) -> None:
        """Read the index of *bundle*; only its head if the bundle has the same files for all.

        Raises:
            BundleFormatError: the bundle has several targets, and its index is damaged.

        """
        self._path = bundle.path
        self.stored: list[dict[str, str]] = []
        self.targets: list[Target] = []
        locator = bundle_format.decode_locator(bundle.outer.end.comment)
        if locator is None or not fits(locator, bundle.outer.end, bundle.outer.directory):
            return
        end = locator.index_offset + locator.index_size
        try:
            head = bundle_format.decode_head(bundle.file.read(end - locator.head_size, locator.head_size))
        except BundleFormatError:
            if any(member.name.startswith(FOLDER) for member in bundle.members):
                raise
            return  # the members are those of the central directory
        if head.root_offset:
            return
        data = bundle.file.read(locator.index_offset, locator.index_size)
        views = IndexViews(data, locator.head_size, locator.index_offset)
        self.targets = views.targets
        offsets = bundle.data_offsets()
        self.stored = [stored_of(number, view, offsets) for number, view in enumerate(views.views(), 1)]

    @property
    def names(self) -> list[str]:  # noqa: D102 (described above)
        return [target.name for target in self.targets]

    def having(self, stored: str) -> list[str]:
        """Return the names of the targets that have the member *stored*."""
        name = split_name(stored)[1]
        pairs = zip(self.targets, self.stored, strict=True)
        return [target.name for target, known in pairs if known.get(name) == stored]

    def files(self, name: str | None = None) -> dict[str, str] | None:
        """Return the members of a target, as their names in the zip to their own names; None means: all as they are.

        Arguments:
            name: the name of the target; default: the one for the running interpreter.

        Raises:
            BundleError: there is no such target.

        """
        if name is None and not self.targets:
            return None
        target = bundle_targets.fitting(self.targets) if name is None else None
        if name is not None:
            target = next((each for each in self.targets if each.name == name), None)
        if target is None:
            known = ", ".join(self.names) or "one set of files for all"
            what = f"target {name!r}" if name is not None else "target for this Python"
            message = f"has no {what}; it has {known}" + ("; choose one with --target" * (name is None))
            raise BundleError(message, file=self._path)
        return {stored: own for own, stored in self.stored[self.targets.index(target)].items()}
