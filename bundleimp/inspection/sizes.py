"""What takes the space in a bundle: the bytes in the file of each distribution, and of the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime import format as bundle_format
from ..runtime.content.targets import split_name
from ..runtime.faults.kinds import BundleFormatError
from ..runtime.site.planning import UNRECORDED
from .views import IndexViews, stored_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .reader import BundleReader


@dataclass
class Sizes:
    """Bytes in the file, as they are there: compressed or not.

    Attributes:
        source: those of Python sources.
        bytecode: those of bytecode, for all Pythons together.
        other: those of all other members: data, extension modules, metadata.
        total: the sum.

    """

    source: int = 0
    bytecode: int = 0
    other: int = 0
    total: int = 0

    def add(self, kind: str, size: int) -> None:
        """Add *size* bytes to the attribute *kind*."""
        setattr(self, kind, getattr(self, kind) + size)
        self.total += size


@dataclass
class Part(Sizes):
    """A distribution, or all that belongs to no distribution.

    Attributes:
        name: its name; that of the unit of unrecorded files for what belongs to no distribution.
        version: its version, or "".
        members: how many members it has.

    """

    name: str = ""
    version: str = ""
    members: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """The bytes that one member takes in the file.

    Attributes:
        name: its name in the zip.
        folder: the metadata folder of its distribution, with a slash at the end; another folder if it belongs to none.
        kind: "source", "bytecode" or "other".
        size: its bytes in the file.
        bytecode: the bytes of the bytecode that is embedded for it.

    """

    name: str
    folder: str
    kind: str
    size: int
    bytecode: int


def shares(bundle: BundleReader, owners: Mapping[str, str]) -> list[Share]:
    """Return the bytes that each member of *bundle* takes.

    Arguments:
        bundle: the bundle.
        owners: the folder of the distribution that lists a member, by the member's name.

    Raises:
        BundleFormatError: the index is damaged.

    """
    bytecode = _embedded(bundle)
    found = []
    for member in bundle.members:
        name = member.name
        folder = owners.get(name) or owners.get(_source_of(name)) or split_name(name)[1].partition("/")[0] + "/"
        found.append(Share(name, folder, _kind(name), member.packed_size, bytecode.get(name, 0)))
    return found


def measure(members: Iterable[Share], parts: Mapping[str, Part]) -> Part:
    """Add the bytes of *members* to their *parts*; return a part for the members of no distribution.

    Arguments:
        members: the bytes of each member.
        parts: the distributions, by their metadata folder with a slash at the end.

    """
    own = Part(name=UNRECORDED)
    for share in members:
        part = parts.get(share.folder, own)
        part.members += 1
        part.add(share.kind, share.size)
        part.add("bytecode", share.bytecode)
    return own


def runtime_sizes(bundle: BundleReader) -> Sizes | None:
    """Return the sizes of the runtime that *bundle* embeds, or None if it embeds none."""
    sizes = Sizes()
    for entry in bundle.outer.entries:
        kind = entry.member.name.removeprefix(bundle_format.RUNTIME)
        if kind != entry.member.name:
            sizes.add("source" if kind == "source" else "bytecode", entry.member.packed_size)
    return sizes if sizes.total else None


def rest(size: int, parts: Sequence[Sizes]) -> int:
    """Return how many of the *size* bytes of a file belong to none of *parts*: index, manifest, headers of the zip."""
    return size - sum(part.total for part in parts)


def _embedded(bundle: BundleReader) -> dict[str, int]:
    """Return how many bytes of embedded bytecode each member has, by its name in the zip."""
    locator = bundle_format.decode_locator(bundle.outer.end.comment)
    if locator is None or not bundle_format.fits(locator, bundle.outer.end, bundle.outer.directory):
        return {}
    data = bundle.file.read(locator.index_offset, locator.index_size)
    try:
        views = IndexViews(data, locator.head_size, locator.index_offset).views()
    except BundleFormatError as error:
        error.file = error.path = bundle.path
        raise
    offsets = bundle.data_offsets()
    return {
        # Columns can share bytecode: that of modules without lazy imports.
        stored: sum({code.offset: code.size for code in view.notes[name].codes if code is not None}.values())
        for number, view in enumerate(views, 1)
        for name, stored in stored_of(number, view, offsets).items()
    }


def _kind(name: str) -> str:
    return {"py": "source", "pyc": "bytecode"}.get(name.rpartition(".")[2], "other")


def _source_of(name: str) -> str:
    """Return the name of the source of a bytecode file (PEP 3147), which RECORD lists in its place."""
    folder, _, file = name.removesuffix("c").rpartition("/")
    if folder.rpartition("/")[2] == "__pycache__":
        return f"{folder.removesuffix('__pycache__')}{file.partition('.')[0]}.py"
    return name.removesuffix("c")
