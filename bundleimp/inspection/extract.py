"""Write the members of a bundle as files into a directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..patterns import matches
from ..runtime.content.targets import FOLDER
from ..runtime.faults.kinds import BundleError
from .views import TargetFiles
from .zipcheck import overlaps
from .zippart import stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..runtime.plain.zipdirectory import RawEntry
    from .reader import BundleReader


def extract(
    bundle: BundleReader,
    directory: str | os.PathLike[str],
    patterns: Sequence[str] = (),
    *,
    force: bool = False,
    target: str | None = None,
) -> list[str]:
    """Write members of *bundle* below *directory*; return their names.

    No file is left of a member with damaged content.

    Arguments:
        bundle: the bundle.
        directory: the directory to write to; it is made if it is missing.
        patterns: globs; a member is written if one of them matches it (`patterns.matches`).  Default: all.
        force: whether to replace existing files that have other content.
        target: the name of the target whose members are written, if the bundle has several; default: the one for the
            running interpreter.

    Raises:
        BundleError: there is no such target, a member is damaged or refused, its name leads out of *directory*, or a
            file is in the way.

    """
    root = os.path.realpath(directory)
    own = TargetFiles(bundle).files(target)
    found = [(entry, _own_name(entry.member.name, own)) for entry in bundle.entries()]
    chosen = [
        (entry, name)
        for entry, name in found
        if name is not None and not name.endswith("/") and (not patterns or matches(name, patterns))
    ]
    if patterns and not chosen:
        message = f"no member matches {' '.join(patterns)}"
        raise BundleError(message, file=bundle.path)
    for entry, _ in chosen:
        if entry.fault is not None:
            message = f"is not written: its name {entry.fault}"
            raise BundleError(message, file=bundle.path, member=entry.member.name)
    shared = [overlaps(bundle.file, part) for part in (bundle.outer, bundle.inner) if part is not None]
    names: dict[str, None] = {}
    for entry, name in chosen:
        if any(entry.position in positions for positions in shared):
            message = "is not written: its data overlaps that of another member"
            raise BundleError(message, file=bundle.path, member=entry.member.name)
        if name in names:
            message = "is not written: it appears twice in the archive"
            raise BundleError(message, file=bundle.path, member=entry.member.name)
        names[name] = None
    try:
        for entry, name in chosen:
            _write(bundle, entry, os.path.join(root, *name.split("/")), force=force)
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise BundleError(message, file=str(error.filename)) from None
    return list(names)


def _own_name(stored: str, own: Mapping[str, str] | None) -> str | None:
    """Return the name under which the member *stored* is written, or None if it is not.

    *own* has the names of a target's members.  It is None if the bundle has the same files for all.  If another tool
    has changed the bundle, so that its index says nothing of targets, those of the first one are written.
    """
    if own is None:
        return None if stored.startswith(FOLDER) else stored
    return own.get(stored)


def _write(bundle: BundleReader, entry: RawEntry, path: str, *, force: bool) -> None:
    folder = os.path.dirname(path)
    there = folder
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if os.path.realpath(there) != there:
        message = f"is not written: {there} leads somewhere else through a link"
        raise BundleError(message, file=bundle.path, member=entry.member.name)
    os.makedirs(folder, exist_ok=True)
    aside = os.path.join(folder, f".bundleimp-{os.getpid()}.tmp")
    mode = 0o777 if entry.mode & 0o100 else 0o666
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as target:
            for chunk in stream(bundle.file, entry.member):
                target.write(chunk)
        if not force and os.path.lexists(path) and not _same(aside, path):
            message = "already exists with different content; choose another directory or --force"
            raise BundleError(message, file=path)
        os.replace(aside, path)
    except OSError as error:
        error.filename = path  # not the temporary one beside it
        raise
    finally:
        if os.path.lexists(aside):
            os.unlink(aside)


def _same(one: str, other: str) -> bool:
    import filecmp  # noqa: PLC0415 (only where a file is in the way)

    return os.path.isfile(other) and not os.path.islink(other) and filecmp.cmp(one, other, shallow=False)
