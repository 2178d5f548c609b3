"""A bundle as a source of `pack`: its members and its bytecode become files in a scratch folder.

The runtime reads the bundle, so each byte is checked.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import runson
from ..runtime import format as bundle_format
from ..runtime.archive import Archive
from ..runtime.content import images
from ..runtime.content.files import find
from ..runtime.content.files import read as read_member
from ..runtime.content.head import head_of
from ..runtime.content.member import name_fault
from ..runtime.content.reading import data_offset
from ..runtime.faults.kinds import BundleError, BundleFitError, BundleTargetError
from ..runtime.interpreter import children
from ..runtime.plain import zipdirectory
from ..runtime.plain.stubs import is_stub
from ..runtime.site.listing import members
from ..waiting import TOP_LEVEL
from . import wishes
from .errors import PackError, unreadable
from .keptcode import MEMBERS, code_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..runtime.plain.zipdirectory import RawEntry
    from .wishes import Wishes

_DESCRIPTIONS = {
    *(bundle_format.MANIFEST, bundle_format.RECORD, bundle_format.INDEX, bundle_format.PAYLOAD),
    *(bundle_format.UNITS, TOP_LEVEL),
}
_GENERATED = b"Written by `bundleimp pack"
_EXECUTABLE = 0o100


@dataclass(frozen=True)
class Unpacked:
    """A bundle in a folder.

    Attributes:
        members: the folder with its members.
        tags: the code tags of its bytecode.
        runs_on: where it runs, as alternatives; empty if it does not say so.
        wishes: the names that `--unpack` and `--no-unpack` had when it was packed.

    """

    members: Path
    tags: list[str]
    runs_on: list[runson.RunsOn]
    wishes: Wishes


def unpack(path: Path, folder: Path) -> Unpacked:
    """Write the members of the bundle at *path*, and its bytecode, into *folder*, as `KeptCode` reads them.

    The ``__main__`` of a program is left out: it starts the program of that bundle.

    Raises:
        PackError: the bundle cannot be read, is damaged or of a newer format, or has parts that are unknown here.
        OSError: *folder* cannot be written to.

    """
    try:
        archive = Archive(os.path.abspath(path))
        if isinstance(archive.fault, BundleTargetError):
            raise _several_targets(path)
        if archive.fault is not None and not isinstance(archive.fault, BundleFitError):
            raise archive.fault
        return _unpack(archive, path, folder)
    except BundleError as error:
        raise PackError(error.message, file=str(path), member=error.member, offset=error.offset) from None
    except OSError as error:
        if error.filename == os.path.abspath(path):
            raise unreadable(error, path) from None
        raise


def _unpack(archive: Archive, path: Path, folder: Path) -> Unpacked:
    entries = _entries(archive)
    head = head_of(archive)
    if head is not None and not head.root_offset:
        raise _several_targets(path)
    tags = head.tags if head is not None else {}
    _check_parts(entries, tags, path)
    manifest = _manifest(archive, entries)
    skipped = _generated(archive, entries, manifest)
    for name in members(archive):
        fault = name_fault(name)
        member = find(archive, name)
        if member is None or fault is not None:
            message = f"cannot be unpacked: its name {fault}" if fault else "is not where the index says"
            raise BundleError(message, member=name)
        if name not in skipped:
            is_program = name in entries and entries[name].mode & _EXECUTABLE
            _write(folder / MEMBERS / name, read_member(archive, member), 0o755 if is_program else 0o644)
            for column, (tag, magic) in enumerate(tags.items()):
                image = _image(archive, name, column, magic)
                if image:
                    _write(folder / code_folder(tag, magic) / name, image, 0o644)
    (folder / MEMBERS).mkdir(parents=True, exist_ok=True)
    return Unpacked(folder / MEMBERS, list(tags), runson.decode(manifest), wishes.decode(manifest))


def _entries(archive: Archive) -> dict[str, RawEntry]:
    """Return the entries of the central directories: they have the permissions, which the index has not."""
    found = _directory(archive, 0, archive.file.size)
    outer = {entry.member.name: entry for entry in found if not is_stub(entry.member)}
    payload = outer.get(bundle_format.PAYLOAD)
    if payload is None:
        return outer
    start = data_offset(archive.file, payload.member)
    return {entry.member.name: entry for entry in _directory(archive, start, start + payload.member.size)} | outer


def _directory(archive: Archive, start: int, end: int) -> Iterator[RawEntry]:
    record = archive.find_end(start, end)
    return zipdirectory.raw_entries(archive.file.read(record.directory_offset, record.directory_size), record)


def _several_targets(path: Path) -> PackError:
    message = "has files for several targets, which cannot be merged; pack the inputs of this bundle again"
    return PackError(message, file=str(path))


def _check_parts(entries: Mapping[str, RawEntry], tags: Mapping[str, bytes], path: Path) -> None:
    known = _DESCRIPTIONS | {bundle_format.CODE + tag for tag in tags}
    for name in entries:
        if name.startswith(bundle_format.INFO) and name not in known and not name.endswith("/"):
            if name.startswith((bundle_format.RUNTIME, bundle_format.CODE)):
                continue  # the runtime of a standalone program; bytecode that belongs to no index
            message = "is a part that cannot be merged; pack the inputs of this bundle again"
            raise PackError(message, file=str(path), member=name)


def _manifest(archive: Archive, entries: Mapping[str, RawEntry]) -> dict[str, Any]:
    """Return the manifest; {} if there is none, or none that `pack` has written."""
    if bundle_format.MANIFEST not in entries:
        return {}
    try:
        manifest = json.loads(read_member(archive, entries[bundle_format.MANIFEST].member))
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _generated(archive: Archive, entries: Mapping[str, RawEntry], manifest: Mapping[str, Any]) -> set[str]:
    """Return the members that `pack` made itself, for a program."""
    found = set()
    for name in (bundle_format.MAIN, children.MEMBER):
        if name in entries:
            member = find(archive, name)
            if member is not None and _GENERATED in read_member(archive, member)[:200]:
                found.add(name)
    return found | ({bundle_format.MAIN} if manifest.get("entry_point") is not None else set())


def _image(archive: Archive, name: str, column: int, magic: bytes) -> bytes:
    """Return the pyc image of a member, b"" if there is none.  Raise BundleError if it is damaged."""
    folder, _, base = name.rpartition("/")
    directory = archive.directory(folder)
    extent = bundle_format.decode_extent(directory.code_entry(base, column)) if directory is not None else None
    if extent is None:
        return b""
    image = archive.file.read(extent.offset, extent.size)
    if bundle_format.checksum(image) != extent.checksum:
        raise BundleError(bundle_format.DAMAGED, member=f"bytecode of {name}", offset=extent.offset)
    try:
        image = images.decode(image)
    except ValueError as error:
        raise BundleError(str(error), member=f"bytecode of {name}", offset=extent.offset) from None
    return image if image[:4] == magic else b""


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
