"""Find the user's cache folder, check that it can be trusted, and write files into it.

The folder is the one that `BUNDLEIMP_CACHE_DIR` names, or one in `CACHE_DIRECTORY` (systemd.exec(5)), else one in the
platform's user cache folder, else a private folder under the temporary folder.  A folder that other users can write to
is not used.  Another user's folder is used only if that user is root, or if one of the variables names the folder: an
image or a service fills it, and others read it.  Each file is written under a temporary name and renamed, so a reader
sees the whole file or none.  If the cache cannot be written, that is no error: the importer works without it.
"""

import os
import sys

from .. import TRACING, bundlefile, faults, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_complained: "set[str]" = set()
# What could not be written last, and why; or "".
failure = ""


class Candidate:
    """A possible cache folder.

    Attributes:
        path: its absolute path.
        shared: whether other users can make entries in its parent folder.
        variable: the environment variable that names it, or "".

    """

    __slots__ = ("path", "shared", "variable")

    def __init__(self, path: str, *, shared: bool = False, variable: str = "") -> None:
        self.path = path
        self.shared = shared
        self.variable = variable


def candidates() -> "Iterator[Candidate]":
    """Yield the possible cache folders, in the order of preference."""
    environ = os.environ
    chosen = environ.get("BUNDLEIMP_CACHE_DIR")
    if chosen:
        try:
            yield Candidate(os.path.abspath(chosen), variable="BUNDLEIMP_CACHE_DIR")
        except OSError:  # relative to a working directory that was deleted
            pass
        return
    service = environ.get("CACHE_DIRECTORY", "").split(os.pathsep)[0]
    if os.path.isabs(service):
        yield Candidate(os.path.join(service, "bundleimp"), variable="CACHE_DIRECTORY")
        return
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME", "")
    if not os.path.isdir(home):  # a missing home folder is never made: it may be mounted later
        home = ""
    if os.name == "nt":
        base = environ.get("LOCALAPPDATA") or (os.path.join(home, "AppData", "Local") if home else "")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches") if home else ""
    else:
        base = environ.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home else "")
    if os.path.isabs(base):
        yield Candidate(os.path.join(base, "bundleimp"))
    temporary = environ.get("TMPDIR") or environ.get("TEMP") or environ.get("TMP") or "/tmp"  # noqa: S108
    owner = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    yield Candidate(os.path.join(temporary, "bundleimp" + owner), shared=True)


def fault_of(candidate: "Candidate") -> "str | None":
    """Return why the folder must not be used, or None.  Raise OSError if nothing exists at the path."""
    # In a folder that other users can write to, one of them may have planted a link.
    status = os.lstat(candidate.path) if candidate.shared else os.stat(candidate.path)
    if status.st_mode & 0o170000 != 0o040000:
        return "is not a folder"
    if hasattr(os, "geteuid"):
        if status.st_uid not in {os.geteuid(), 0} and not candidate.variable:
            return "belongs to another user"
        if status.st_mode & 0o022:
            return "can be written to by other users"
    return None


def folder(*, create: bool) -> "str | None":
    """Return the cache folder, or None if none can be used.

    If none can be written, one that can be read is returned.

    Arguments:
        create: make the folder (with mode 0700) if it is missing.

    """
    readable = None
    for candidate in candidates():
        path = candidate.path
        try:
            if create:
                make_folders(path, 0o700)
            fault = fault_of(candidate)
        except (OSError, ValueError):
            continue
        if fault is None and (candidate.variable or os.access(path, os.W_OK)):
            return path
        if fault is None:
            readable = readable or path
        elif path not in _complained:
            _complained.add(path)
            faults.warning.warn(
                f"{path}: this cache folder is not used: it {fault}; set BUNDLEIMP_CACHE_DIR to another"
            )
    return readable


def lack() -> str:
    """Return why the cache cannot be written, and what to do, for messages."""
    for candidate in candidates():
        if candidate.variable:
            reason = "it is read-only for this user, and lacks what is needed: fill it with `bundleimp site`"
            try:
                make_folders(candidate.path, 0o700)
                fault = fault_of(candidate)
                reason = reason if fault is None else f"it {fault}"
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
            return f"{candidate.path}, which {candidate.variable} names, cannot be used: {reason}"
    if failure and folder(create=False) is not None:
        return failure
    return "no cache folder can be written; set BUNDLEIMP_CACHE_DIR"


def failed(what: str, error: Exception) -> None:
    """Remember, for `lack`, that *what* could not be done because of *error*."""
    global failure  # noqa: PLW0603 (the last one counts)
    path, reason = (getattr(error, name, None) for name in ("filename", "strerror"))
    failure = f"{path} cannot be written: {reason}" if path and reason else str(error)
    if TRACING:
        trace("cache-failed", path=path, reason=f"cannot {what}: {error}")


def make_folders(path: str, mode: int = 0o755) -> None:
    """Make the folder *path* and its missing parents.  Other users cannot write to any of them.

    Below a cache folder, they may read: what one user has filled is then used by others.

    `os.makedirs` applies its mode to the last folder only.  With a umask of 002, other members of the group could put
    bytecode into the folders between.

    Arguments:
        path: the path of the folder.
        mode: the permissions of new folders.

    Raises:
        OSError: a folder cannot be made.

    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent != path:
        make_folders(parent, mode)
    try:
        os.mkdir(path, mode)
    except FileExistsError:  # another process was faster, or another file has this name
        if not os.path.isdir(path):
            raise


def aside_of(path: str) -> str:
    """Return a new temporary name in the folder of *path*, for a file being written or deleted (`inspection.cache`)."""
    return os.path.join(os.path.dirname(path), f".{os.getpid()}-{os.urandom(4).hex()}.tmp")


def write(path: str, data: bytes, mode: int = 0o600) -> None:
    """Write *data* to a new file at *path*.

    Arguments:
        path: the path of the file.
        data: its bytes.
        mode: its permissions.

    Raises:
        OSError: the file exists already, or cannot be written.

    """
    mode |= 0o200 if os.name == "nt" else 0  # Windows does not delete read-only files
    descriptor = bundlefile.retried(
        os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode
    )
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def put(path: str, data: bytes, mode: int = 0o600) -> None:
    """Write *data* to *path* as a whole or not at all, and make its parent folders.

    Arguments:
        path: the path of the file.  A file there is replaced.
        data: its bytes.
        mode: its permissions.

    Raises:
        OSError: it cannot be written.

    """
    aside = aside_of(path)
    make_folders(os.path.dirname(path))
    try:
        write(aside, data, mode)
        os.replace(aside, path)
    except OSError:
        try:
            os.unlink(aside)
        except OSError:
            pass
        raise


def publish(path: str, data: bytes, mode: int = 0o600) -> bool:
    """Do as `put`.  Return whether that worked, and raise no error."""
    try:
        put(path, data, mode)
    except (OSError, ValueError) as error:
        failed(f"write {path}", error)
        return False
    if TRACING:
        trace("cache-wrote", path=path, size=len(data))
    return True


def allows_code(path: str) -> bool:
    """Return whether the platform loads extension modules from *path*.  Some file systems forbid it (``noexec``)."""
    try:
        return not os.statvfs(path).f_flag & os.ST_NOEXEC
    except (OSError, AttributeError):  # no such path, or no such function on this platform
        return True
