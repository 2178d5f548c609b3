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
    from collections.abc import Iterable, Iterator

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


class File:
    """A file on its way into the cache: its name inside a folder, with slashes, and its content."""

    __slots__ = ("data", "executable", "name")

    def __init__(self, name: str, data: bytes, *, executable: bool) -> None:
        self.name = name
        self.data = data
        self.executable = executable


def _aside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".{os.getpid()}-{os.urandom(4).hex()}.tmp")


def _write(path: str, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def remove_folder(path: str) -> None:
    """Remove the folder *path* from sight at once, and then its files; nothing happens where that is impossible."""
    aside = _aside(path)
    try:
        os.rename(path, aside)
        _remove_folder(aside)
    except (OSError, ValueError):
        pass


def _remove_folder(path: str) -> None:
    for folder, folders, files in os.walk(path, topdown=False):
        for name in (*folders, *files):
            whole = os.path.join(folder, name)
            if os.path.isdir(whole) and not os.path.islink(whole):
                os.rmdir(whole)
            else:
                os.unlink(whole)
    os.rmdir(path)


def publish_folder(path: str, files: "Iterable[File]") -> bool:
    """Make the folder *path* with *files*, whole or not at all, and the folders above it.  Return whether it is there.

    A `BundleFormatError` of *files* goes through; there is no folder then, either.
    """
    aside = _aside(path)
    made = set()
    try:
        os.makedirs(aside, 0o700)
        try:
            for file in files:
                target = os.path.join(aside, *file.name.split("/"))
                parent = os.path.dirname(target)
                if parent not in made:
                    os.makedirs(parent, 0o700, exist_ok=True)
                    made.add(parent)
                _write(target, file.data, 0o700 if file.executable else 0o600)
            os.rename(aside, path)
        except BaseException:
            _remove_folder(aside)
            raise
    except (OSError, ValueError) as error:
        if os.path.isdir(path):  # another process was faster
            return True
        if TRACING:
            trace(f"cache: cannot write {path}: {error}")
        return False
    if TRACING:
        trace(f"cache: wrote {path}")
    return True


def publish(path: str, data: bytes, mode: int = 0o600) -> bool:
    """Write *data* to *path* whole or not at all, making the folders above it.  Return whether that worked.

    Arguments:
        path: where the file shall be.
        data: its bytes.
        mode: its permissions.

    """
    aside = _aside(path)
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        _write(aside, data, mode)
        os.replace(aside, path)
    except (OSError, ValueError) as error:
        if TRACING:
            trace(f"cache: cannot write {path}: {error}")
        try:
            os.unlink(aside)
        except (OSError, ValueError):
            pass
        return False
    if TRACING:
        trace(f"cache: wrote {path}")
    return True


def allows_code(path: str) -> bool:
    """Return whether the platform loads extension modules from *path*; some file systems forbid it (``noexec``)."""
    try:
        return not os.statvfs(path).f_flag & os.ST_NOEXEC
    except (OSError, AttributeError):  # not here, or not on this platform
        return True
