"""Fetched files in the cache: one entry for each content, ``fetched/SHA256/NAME.pybundle``.

An entry has further files: the signature beside the bundle, the URLs that it was fetched from, and a note of the size
and the time that the file had when its digest was computed.  As for other entries of the cache, a process that uses one
holds a lock on it, so `bundleimp cache prune` leaves it alone.
"""

from __future__ import annotations

import os

from ..runtime.cache import entries as cacheentries
from ..runtime.cache import folder as cachefolder
from ..runtime.sources import urls
from ..runtime.sources.signatures import SUFFIX
from .errors import StoreError

TYPE_CHECKING = False  # `typing` takes ten times as long to import as this module
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = urls.FOLDER
_BUNDLE = ".pybundle"
_SOURCES = "sources"


def find(sha256: str, *, whole: bool) -> str | None:
    """Return the path of the file whose digest is *sha256*, or None if the cache has none that is sound.

    Arguments:
        sha256: the digest, in lower case.
        whole: compute the digest again.  Otherwise it is computed only if the size or the time of the file has changed.

    """
    root = cachefolder.folder(create=False)
    entry = os.path.join(root, FOLDER, sha256) if root is not None else ""
    for path in _bundles(entry):
        cacheentries.use(entry)
        if _is_sound(path, sha256, whole=whole):
            return path
    return None


def signed_with(signature: bytes) -> Iterator[str]:
    """Yield the paths of the files beside which *signature* lies."""
    for path in _all():
        if read(path + SUFFIX) == signature:
            yield path


def fetched_from(url: str) -> Iterator[str]:
    """Yield the paths of the files that were fetched from *url*, the latest first."""
    found = []
    for path in _all():
        sources = os.path.join(os.path.dirname(path), _SOURCES)
        if url in read(sources).decode("utf-8", "replace").splitlines():
            found.append((os.stat(sources).st_mtime_ns, path))
    yield from (path for _, path in sorted(found, reverse=True))


def digest_in(path: str) -> str:
    """Return the digest that the name of the entry around *path* promises."""
    return os.path.basename(os.path.dirname(path))


def read(path: str) -> bytes:
    """Return the content of a small file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def folder() -> str:
    """Return the folder of the entries, and make it.

    Raises:
        StoreError: there is no cache folder that can be written.

    """
    root = cachefolder.folder(create=True)
    if root is None:
        raise StoreError(cachefolder.lack())
    path = os.path.join(root, FOLDER)
    try:
        cachefolder.make_folders(path)
    except OSError as error:
        raise unwritable(path, error) from None
    return path


def aside() -> str:
    """Return a new temporary path in the folder of the entries.

    Raises:
        StoreError: there is no cache folder that can be written.

    """
    return cachefolder.aside_of(os.path.join(folder(), "new"))


def place(aside_path: str, sha256: str, name: str) -> str:
    """Give the checked file at *aside_path* its final name; return that path.

    Arguments:
        aside_path: the file, on the same file system.
        sha256: its digest, which was computed and is as expected.
        name: its name, if the entry has none yet.

    Raises:
        StoreError: the cache cannot be written.

    """
    entry = os.path.join(os.path.dirname(aside_path), sha256)
    if not cacheentries.use(entry):
        raise StoreError(cachefolder.lack())
    path = next(_bundles(entry), os.path.join(entry, name))
    try:
        if os.name != "nt":  # which does not delete read-only files
            os.chmod(aside_path, 0o444)
        os.replace(aside_path, path)
    except OSError as error:
        raise unwritable(path, error) from None
    _note_checked(path, os.stat(path))
    return path


def note_source(path: str, url: str) -> None:
    """Note that the file at *path* was fetched from *url*, which has no credentials."""
    sources = os.path.join(os.path.dirname(path), _SOURCES)
    known = read(sources).decode("utf-8", "replace").splitlines()
    lines = [*(line for line in known if line != url), url]
    try:  # noqa: SIM105 (`contextlib` takes as long to import as this module)
        cachefolder.put(sources, "".join(f"{line}\n" for line in lines).encode(), 0o644)
    except OSError:
        pass


def put_signature(path: str, signature: bytes) -> None:
    """Lay the checked *signature* beside the file at *path*.

    Raises:
        StoreError: the cache cannot be written.

    """
    if read(path + SUFFIX) != signature:
        try:
            cachefolder.put(path + SUFFIX, signature, 0o644)
        except OSError as error:
            raise unwritable(path + SUFFIX, error) from None


def unwritable(path: str, error: OSError) -> StoreError:
    """Return the error for *path* in the cache, which could not be written because of *error*."""
    return StoreError(f"cannot be written: {error.strerror or type(error).__name__}", file=path)


def _all() -> Iterator[str]:
    root = cachefolder.folder(create=False)
    if root is not None:
        for name in _names(os.path.join(root, FOLDER)):
            yield from _bundles(os.path.join(root, FOLDER, name))


def _bundles(entry: str) -> Iterator[str]:
    yield from (os.path.join(entry, name) for name in _names(entry) if name.endswith(_BUNDLE))


def _names(path: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith("."))
    except OSError:
        return []


def _is_sound(path: str, sha256: str, *, whole: bool) -> bool:
    noted = os.path.join(os.path.dirname(path), urls.CHECKED)
    try:
        status = os.stat(path)
        if not whole and read(noted) == urls.note_of(status):
            return True
        import hashlib  # noqa: PLC0415 (loads OpenSSL; a path entry that is in the cache needs none)

        with open(path, "rb") as stream:
            sound = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False
    if sound and read(noted) != urls.note_of(status):
        _note_checked(path, status)
    return sound


def _note_checked(path: str, status: os.stat_result) -> None:
    try:  # noqa: SIM105 (as above)
        cachefolder.put(os.path.join(os.path.dirname(path), urls.CHECKED), urls.note_of(status), 0o644)
    except OSError:  # in a read-only cache, the digest is computed each time
        pass
