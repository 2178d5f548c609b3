"""The bundles in use, by path.

An `Archive` never changes.  An `OpenBundle` stands for a path, and exchanges its archive as a whole when the file turns
out to be replaced; every finder on that path sees the exchange at once.

Where bundles have to be signed, nothing is handed on to the next path hook either: whatever stands at the name of a
bundle, or may stand there when that one looks, is a bundle that is signed, or finds nothing.
"""

import os
import sys
from _frozen_importlib_external import decode_source

from .archive import Archive, audit_open
from .bundlefile import Identity, is_regular, status_of
from .errors import (
    EISDIR,
    ENOENT,
    TRACING,
    BundleChangedError,
    BundleFormatError,
    BundleSignatureError,
    BundleUnreadableError,
    NotABundleError,
    SignatureNotCheckedError,
    trace,
    warn,
)
from .format import SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from .format import Member
    from .signatures import Signers

_ALLOWED_SIGNERS = "BUNDLEIMP_ALLOWED_SIGNERS"
# How often a file is opened that is being written to; and what it would not help against.
_ATTEMPTS = 3
_CERTAIN = BundleChangedError | BundleSignatureError
_SEPARATORS = "/\\" if os.sep == "\\" else "/"


class OpenBundle:
    """A bundle that the import system was pointed to: a path, and the version of the file now in use.

    Attributes:
        signers: who may sign bundles, for all of them; None where they need not be signed.
        path: the file's absolute path.
        archive: the version in use; None where the file is gone or not sound.
        fault: why it is not sound, or None.
        reported: whether the user was told of the fault.

    """

    __slots__ = ("_identity", "_settled", "archive", "fault", "path", "reported")

    signers: "Signers | None" = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.archive: Archive | None = None
        self.fault: BundleFormatError | None = None
        self.reported = False
        self._identity: Identity | None = None
        self._settled = False

    def refresh(self, status: "os.stat_result | None" = None) -> bool:
        """Look at the file again, and take the new version, sound or not, where it was replaced.

        Return whether that was so; a file that is gone, or is a directory now, counts as replaced.

        Arguments:
            status: what the file turned out to be just now; default: it is asked.

        """
        if self._is_being_opened():
            return False
        status = status or status_of(self.path)
        if status is None or not (is_regular(status) or self.signers is not None):
            known = self.archive or self.fault
            self._identity = self.archive = self.fault = None
            return known is not None
        identity = Identity(status)
        if self._settled and identity.untouched_since(self._identity):
            return False
        for _ in range(_ATTEMPTS):
            opened = self._open(status)
            certain = isinstance(opened, _CERTAIN) or not isinstance(opened, BundleFormatError)
            now = status_of(self.path) if not certain else None
            if now is None or Identity(now).untouched_since(identity):
                break
            status, identity = now, Identity(now)  # it was written to while it was opened
        archive = opened if not isinstance(opened, BundleFormatError) else None
        known = self.archive
        if self._settled and identity == self._identity and archive and known and archive.key == known.key:
            self._identity = identity  # only its name or its permissions were changed
            return False
        self._exchange(identity, archive, opened if isinstance(opened, BundleFormatError) else None)
        if TRACING:
            trace(f"{self.path}: opened")
        return True

    def _open(self, status: "os.stat_result") -> "Archive | BundleFormatError":
        """Return the version that is there now, or why it is not sound."""
        if not is_regular(status):
            return NotABundleError("is not a regular file", file=self.path)
        try:
            return Archive(self.path, self.signers)
        except BundleFormatError as error:
            return error

    def _is_being_opened(self) -> bool:
        """Return whether this thread is about to open it: an audit hook that is told of that may import something.

        Who calls whom says so, and no state that an interrupt could leave behind.
        """
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 (documented in sys)
        while frame is not None:
            if frame.f_code is OpenBundle._open.__code__ and frame.f_locals["self"] is self:
                return True
            frame = frame.f_back
        return False

    def require(self, signers: "Signers") -> None:
        """Go on with the version in use only where it is signed by one of *signers*."""
        try:
            if self.archive is not None:
                self.archive.require(signers)
        except BundleFormatError as error:
            self.reported = False
            self._exchange(self._identity, None, error)
            self._settled = False

    def _exchange(
        self, identity: "Identity | None", archive: "Archive | None", fault: "BundleFormatError | None"
    ) -> None:
        """Take the new version; an interrupt in between leaves it to be taken again, and no thread sees neither."""
        self._settled = False
        if identity != self._identity:
            self.reported = False
        if archive is not None:
            self.archive = archive
            self.fault = None
        else:
            self.fault = fault
            self.archive = None
        if isinstance(fault, SignatureNotCheckedError):
            self.reported = self.reported or fault.told
        self._identity = identity
        # What could not be opened is tried again the next time: the reason need not lie in the file.
        self._settled = not isinstance(fault, BundleUnreadableError | BundleSignatureError)

    @property
    def is_gone(self) -> bool:
        """Whether there is no such file any more."""
        return self.archive is None and self.fault is None and not self._is_being_opened()

    def report(self) -> None:
        """Issue a `BundleWarning` where the file, or a part of it, is not sound, once for each version of it."""
        fault = self.fault if self.archive is None else self.archive.fault
        if fault is not None and not self.reported:
            self.reported = True
            warn(str(fault))

    def check(self) -> None:
        """Raise BundleFormatError where the file is not sound, NotABundleError where it is gone."""
        if self.fault is not None:
            raise self.fault.with_traceback(None)
        if self.archive is None:
            message = "there is no such file"
            raise NotABundleError(message, file=self.path)


# Every bundle in use, by absolute path.
_bundles: "dict[str, OpenBundle]" = {}
# The archive that gives the code of what is imported from a mirror (see `mirrors`), by the mirror's folder.
mirrored: "dict[str, Archive]" = {}


def absolute(path: str) -> str:
    """Return *path* made absolute as a path entry finder does it: without resolving links or ``..``."""
    if os.path.isabs(path):
        return path
    while path[:1] == "." and path[1:2] in _SEPARATORS and len(path) > 1:
        path = path[2:]
    return os.path.join(os.getcwd(), path)


class Location:
    """A path split into the bundle's own and the name inside it ("" or "pkg/sub").

    ``status`` is what the file turned out to be; None where that was not asked: the bundle is in use already.
    """

    __slots__ = ("bundle", "inner", "status")

    def __init__(self, bundle: str, inner: str, status: "os.stat_result | None" = None) -> None:
        self.bundle = bundle
        self.inner = inner
        self.status = status


def locate(path: str) -> "Location | None":
    """Split *path* at the first part that is a regular file with the bundle suffix; None where no part is one."""
    end = 0
    while (end := path.find(SUFFIX, end)) >= 0:
        end += len(SUFFIX)
        if path[end : end + 1] in _SEPARATORS:  # the empty string is in it: the end of the path
            try:
                bundle = absolute(path[:end])
            except OSError:  # the working directory is gone
                return None
            status = status_of(bundle) if bundle not in _bundles else None
            if bundle in _bundles or is_regular(status) or _is_kept(bundle):
                return Location(bundle, inner_name(path[end:]), status)
    return None


def _is_kept(path: str) -> bool:
    """Return whether *path*, which may be no file, is a bundle's all the same: where nobody else may answer for it."""
    return OpenBundle.signers is not None and locate_mirrored(path) is None


def locate_mirrored(path: str) -> "str | None":
    """Return the folder of the mirror in which *path* is, or None where it is in none that is in use."""
    for folder in list(mirrored):  # other threads add to it
        if path.startswith(folder) and path[len(folder) : len(folder) + 1] in _SEPARATORS:
            return folder
    return None


def inner_name(path: str) -> str:
    """Return the member name for *path*, which is relative to a bundle; one that leads out of it names nothing."""
    if os.sep == "\\":
        path = path.replace("\\", "/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def open_bundle(path: str, status: "os.stat_result | None" = None) -> OpenBundle:
    """Return the open bundle for the absolute *path*; the file is opened where that was not done before.

    Arguments:
        path: where it is.
        status: what the file turned out to be just now; default: it is asked.

    """
    bundle = _bundles.get(path) or _bundles.setdefault(path, OpenBundle(path))
    if bundle.archive is None:
        bundle.refresh(status)
    return bundle


def refresh_all() -> list[OpenBundle]:
    """Look at all files again; return the bundles that were replaced.  Those whose file is gone are forgotten."""
    replaced = [bundle for bundle in list(_bundles.values()) if bundle.refresh()]
    for bundle in replaced:
        bundle.report()
        if bundle.is_gone:
            _bundles.pop(bundle.path, None)
    return replaced


def require_signers(path: str) -> None:
    """Use only bundles that are signed by somebody whom the ``allowed_signers`` file at *path* allows.

    The same holds for child processes, wherever they start, and for the runtime in an executable that takes over.

    Raises:
        BundleSignatureError: a bundle that is open already is not; nothing more is imported from any such bundle.

    """
    from .signatures import Signers  # noqa: PLC0415 (loaded only where bundles have to be signed)

    signers = OpenBundle.signers = Signers(absolute(path))
    os.environ[_ALLOWED_SIGNERS] = signers.path
    opened = [bundle for bundle in list(_bundles.values()) if bundle.archive is not None]
    for bundle in opened:
        bundle.require(signers)
    for bundle in opened:
        if bundle.fault is not None:
            bundle.reported = True
            bundle.check()


def member_named(archive: Archive, name: str, path: str) -> "Member":
    """Return the member *name*, as a file system gives a file.

    Arguments:
        archive: where it is in.
        name: its name.
        path: what an error calls it.

    Raises:
        OSError: there is none (FileNotFoundError), or it is a directory (IsADirectoryError).
        BundleFormatError: the index is damaged.

    """
    member = archive.member(name)
    if member is None:
        if archive.directory(name) is not None:
            raise IsADirectoryError(EISDIR, "Is a directory", path)
        raise FileNotFoundError(ENOENT, "No such file in the bundle", path)
    return member


def read_named(archive: Archive, name: str, path: str) -> bytes:
    """Return the content of the file *name*, as a file system gives it: audit hooks are told of *path*.

    Arguments and errors: as of `member_named`.
    """
    member = member_named(archive, name, path)
    audit_open(path)
    return archive.read(member)


def open_source(path: str) -> "str | None":
    """Return the decoded source of the file at *path*, or None where it is in no bundle or cannot be read."""
    location = locate(path) if SUFFIX in path else None
    archive = open_bundle(location.bundle).archive if location is not None else None
    if location is None or archive is None:
        return None
    try:
        audit_open(path)
        member = archive.member(location.inner)
        return decode_source(archive.read(member)) if member is not None else None
    except (ImportError, OSError, UnicodeDecodeError, SyntaxError):
        return None


if os.environ.get(_ALLOWED_SIGNERS):
    require_signers(os.environ[_ALLOWED_SIGNERS])
