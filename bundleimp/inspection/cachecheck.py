"""Check all real files in the cache against the bundles that they came from, and fetched bundles by their digests."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..runtime.content import files
from ..runtime.faults.kinds import BundleError
from ..runtime.site import listing, marks, sites, unpacked
from .cache import entries, foreign_files
from .views import archives_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..runtime.archive import Archive
    from .cache import Entry

_FILES = ("sites", "unpacked")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file in the cache.

    Attributes:
        path: the file.
        text: what is wrong, and what to do.
        is_known: whether something is wrong; False if the files could not be checked.

    """

    path: str
    text: str
    is_known: bool = True


def check(folder: str) -> Iterator[Fault]:
    """Yield the faults of real files and fetched bundles in the cache *folder*: what differs, is missing, or was added.

    What is missing is written again when it is needed.  A file that differs from the bundle is not.
    """
    for entry in entries(folder):
        if entry.kind in _FILES:
            yield from _faults(entry)
        elif entry.kind == "fetched":
            yield from _changed(entry)


def _changed(entry: Entry) -> Iterator[Fault]:
    """Yield a fault if the fetched bundle of *entry* has not the digest that the name of the entry is."""
    for name in sorted(os.listdir(entry.path)):
        if name.endswith(".pybundle"):
            path = os.path.join(entry.path, name)
            try:
                with open(path, "rb") as stream:
                    found = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                yield Fault(path, f"cannot be read: {error.strerror}")
                continue
            if found != entry.name:
                yield Fault(path, "differs from what was fetched; `bundleimp fetch` with its pin fetches it again")


def _faults(entry: Entry) -> Iterator[Fault]:
    bundle = marks.bundle_of(entry.path)
    try:
        archive = next((each for each in archives_of(bundle) if _fits(entry, each)), None) if bundle else None
    except BundleError:
        archive = None
    if archive is None:
        about = bundle or "its bundle"
        text = f"not checked: {about} was removed or replaced"
        yield Fault(entry.path, text, is_known=False)
        return
    try:
        yield from _differences(entry, archive)
    except BundleError as error:
        yield Fault(entry.path, f"not checked: {error}")
    if entry.kind == "sites":
        for path in foreign_files(entry.path):
            yield Fault(
                path, "is not a file of the bundle, so a new version will not have it; let the program write elsewhere"
            )


def _differences(entry: Entry, archive: Archive) -> Iterator[Fault]:
    for name, data in _contents(entry, archive):
        path = os.path.join(entry.path, *name.split("/"))
        try:
            with open(path, "rb") as stream:
                same = stream.read() == data
        except FileNotFoundError:
            yield Fault(path, "is missing; it is written again when it is needed")
            continue
        except OSError as error:
            yield Fault(path, f"cannot be read: {error.strerror}")
            continue
        if not same:
            yield Fault(path, "differs from the bundle; delete it, and it is written again")


def _fits(entry: Entry, archive: Archive) -> bool:
    name = sites.name_of(archive) if entry.kind == "sites" else archive.key
    return entry.name.startswith(name)


def _contents(entry: Entry, archive: Archive) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file that was placed in the folder of *entry*."""
    if entry.kind == "unpacked":
        for file in unpacked.files_of(archive):
            if entry.name == unpacked.name_of(archive) or not file.is_bytecode:
                yield file.name, file.read()
        return
    for unit in listing.units_of(archive):
        for name in sites.placed_files(entry.path, unit):
            member = files.find(archive, name)
            if member is not None:
                yield name, files.read(archive, member)
