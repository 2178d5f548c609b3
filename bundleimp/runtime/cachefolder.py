"""Where the user's cache is, whether it can be trusted, and how files get into it.

The folder is `BUNDLEIMP_CACHE_DIR`, else the platform's user cache folder, else a private folder under the temporary
folder.  One that somebody else owns or can write to is not used.  Files are written aside and renamed, so a reader
sees nothing or everything; a cache that cannot be written is no error, only no cache.
"""

import os
import sys

from .errors import TRACING, trace, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_complained: "set[str]" = set()


class _Candidate:
    """A place for the cache; ``shared`` where other users can make entries beside it."""

    __slots__ = ("path", "shared")

    def __init__(self, path: str, *, shared: bool = False) -> None:
        self.path = path
        self.shared = shared


def _candidates() -> "Iterator[_Candidate]":
    environ = os.environ
    chosen = environ.get("BUNDLEIMP_CACHE_DIR")
    if chosen:
        try:
            yield _Candidate(os.path.abspath(chosen))
        except OSError:  # relative to a working directory that is gone
            pass
        return
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME", "")
    if os.name == "nt":
        base = environ.get("LOCALAPPDATA") or (os.path.join(home, "AppData", "Local") if home else "")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches") if home else ""
    else:
        base = environ.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home else "")
    if os.path.isabs(base):
        yield _Candidate(os.path.join(base, "bundleimp"))
    temporary = environ.get("TMPDIR") or environ.get("TEMP") or environ.get("TMP") or "/tmp"  # noqa: S108
    owner = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    yield _Candidate(os.path.join(temporary, "bundleimp" + owner), shared=True)


def _fault(candidate: "_Candidate") -> "str | None":
    """Return why the folder must not be used, or None; raises OSError where there is nothing at the path."""
    # In a folder that others can write to, a link may have been planted by one of them.
    status = os.lstat(candidate.path) if candidate.shared else os.stat(candidate.path)
    if status.st_mode & 0o170000 != 0o040000:
        return "is not a folder"
    if hasattr(os, "geteuid"):
        if status.st_uid != os.geteuid():
            return "belongs to another user"
        if status.st_mode & 0o022:
            return "can be written to by other users"
    return None


def folder(*, create: bool) -> "str | None":
    """Return the cache folder, or None where there is none to use.

    Arguments:
        create: make it (with mode 0700) where it is missing.

    """
    for candidate in _candidates():
        path = candidate.path
        try:
            if create and not os.path.isdir(path):
                os.makedirs(path, 0o700, exist_ok=True)
            fault = _fault(candidate)
        except (OSError, ValueError):
            continue
        if fault is None:
            return path
        if path not in _complained:
            _complained.add(path)
            warn(f"{path}: this cache folder is not used: it {fault}; set BUNDLEIMP_CACHE_DIR to another")
    return None


def publish(path: str, data: bytes, mode: int = 0o600) -> bool:
    """Write *data* to *path* whole or not at all, making the folders above it.  Return whether that worked.

    Arguments:
        path: where the file shall be.
        data: its bytes.
        mode: its permissions.

    """
    aside = os.path.join(os.path.dirname(path), f".{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode)
    except (OSError, ValueError) as error:
        if TRACING:
            trace(f"cache: cannot write {path}: {error}")
        return False
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        os.replace(aside, path)
    except OSError as error:
        if TRACING:
            trace(f"cache: cannot write {path}: {error}")
        try:
            os.unlink(aside)
        except OSError:
            pass
        return False
    if TRACING:
        trace(f"cache: wrote {path}")
    return True
