"""The bundles in use, by path.

An `Archive` never changes.  An `OpenBundle` stands for a path, and exchanges its archive as a whole when the file turns
out to be replaced; every finder on that path sees the exchange at once.

Where bundles have to be signed, nothing is handed on to the next path hook either: whatever stands at the name of a
bundle, or may stand there when that one looks, is a bundle that is signed, or finds nothing.
"""

import _thread
from _frozen_importlib_external import _path_isabs, _path_join, path_sep

from . import TRACING, bundlefile, environ, trace
from . import archive as archives
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Generator

    from .archive import Archive
    from .faults.kinds import BundleFormatError
    from .records import Location
    from .sources.signatures import Signers
else:
    from _frozen_importlib_external import _os as os  # `os` itself would live as long as we do: see `runtime`

    Location = archives.Window  # as cheap as that

_ALLOWED_SIGNERS = "BUNDLEIMP_ALLOWED_SIGNERS"
# How often a file is opened that is being written to.
_ATTEMPTS = 3
_SEPARATORS = "/\\" if path_sep == "\\" else "/"


class OpenBundle:
    """A bundle that the import system was pointed to: a path, and the version of the file now in use.

    Attributes:
        signers: who may sign bundles, for all of them; None where they need not be signed.
        path: the file's absolute path.
        archive: the version in use; None where the file is gone or not sound.
        fault: why it is not sound, or None.
        reported: whether the user was told of the fault.

    """

    __slots__ = ("_openings", "_settled", "_status", "archive", "fault", "path", "reported")

    signers: "Signers | None" = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.archive: Archive | None = None
        self.fault: BundleFormatError | None = None
        self.reported = False
        self._status: os.stat_result | None = None
        self._settled = False
        # What opens the file, by thread.
        self._openings: dict[int, Generator[Archive | BundleFormatError]] = {}

    def refresh(self, status: "os.stat_result | None" = None) -> bool:
        """Look at the file again, and take the new version, sound or not, where it was replaced.

        Return whether that was so; a file that is gone, or is a directory now, counts as replaced.

        Arguments:
            status: the file status of a moment ago; default: it is asked for.

        """
        if self._is_being_opened():
            return False
        status = status or bundlefile.status_of(self.path)
        if status is None or not (bundlefile.is_regular(status) or self.signers is not None):
            known = self.archive or self.fault
            self._status = self.archive = self.fault = None
            return known is not None
        if self._settled and self._status is not None and bundlefile.is_untouched(status, self._status):
            return False
        opened = self._opened(status)
        for _ in range(_ATTEMPTS - 1):
            now = bundlefile.status_of(self.path) if _may_be_in_the_making(opened) else None
            if now is None or bundlefile.is_untouched(now, status):
                break
            status = now  # it was written to while it was opened
            opened = self._opened(status)
        fault = opened if isinstance(opened, ImportError) else None
        archive = opened if not isinstance(opened, ImportError) else None
        known = self.archive
        same = self._settled and self._status is not None and bundlefile.same_version(status, self._status)
        if same and archive and known and archive.key == known.key:
            self._status = status  # only its name or its permissions were changed
            return False
        self._exchange(status, archive, fault)
        if TRACING:
            trace(f"{self.path}: opened")
        return True

    def _opened(self, status: "os.stat_result") -> "Archive | BundleFormatError":
        """Return the version that is there now, or why it is not sound."""
        thread = _thread.get_ident()
        opening = self._openings[thread] = self._open(status)
        opened = next(opening)
        self._openings.pop(thread, None)
        return opened

    def _open(self, status: "os.stat_result") -> "Generator[Archive | BundleFormatError]":
        if not bundlefile.is_regular(status):
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            yield faults.opening.not_regular(self.path)
            return
        try:
            opened: Archive | BundleFormatError = archives.Archive(self.path, self.signers)
        except ImportError as error:
            if not hasattr(error, "offset"):  # a part of the runtime cannot be loaded now
                raise
            opened = error  # type: ignore[assignment] # it is a BundleFormatError
        yield opened

    def _is_being_opened(self) -> bool:
        """Return whether this thread is about to open it: an audit hook that is told of that may import something.

        A generator knows whether it runs.  A flag would stay set where an interrupt comes at the wrong moment.
        """
        opening = self._openings.get(_thread.get_ident())
        return opening is not None and opening.gi_running

    def require(self, signers: "Signers") -> None:
        """Go on with the version in use only where it is signed by one of *signers*."""
        try:
            if self.archive is not None:
                self.archive.file.require(signers)
        except ImportError as error:
            self.reported = False
            self._exchange(self._status, None, error)  # type: ignore[arg-type] # it is a BundleFormatError
            self._settled = False

    def _exchange(
        self, status: "os.stat_result | None", archive: "Archive | None", fault: "BundleFormatError | None"
    ) -> None:
        """Take the new version; an interrupt in between leaves it to be taken again, and no thread sees neither."""
        self._settled = False
        if status is None or self._status is None or not bundlefile.same_version(status, self._status):
            self.reported = False
        if archive is not None:
            self.archive = archive
            self.fault = None
        else:
            self.fault = fault
            self.archive = None
        self.reported = self.reported or getattr(fault, "told", False)
        self._status = status
        self._settled = fault is None
        if fault is not None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            # If the reason need not lie in the file, the next look may find it sound.
            self._settled = not faults.opening.may_open_later(fault)

    @property
    def is_gone(self) -> bool:
        """Whether there is no such file any more."""
        return self.archive is None and self.fault is None and not self._is_being_opened()

    def report(self) -> None:
        """Issue a `BundleWarning` where the file, or a part of it, is not sound, once for each version of it."""
        fault = self.fault if self.archive is None else self.archive.fault
        if fault is not None and not self.reported:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            self.reported = True
            faults.warning.warn(str(fault))

    def check(self) -> None:
        """Raise BundleFormatError where the file is not sound, NotABundleError where it is gone."""
        if self.fault is not None:
            raise self.fault.with_traceback(None)
        if self.archive is None:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            raise faults.opening.missing(self.path)


def _may_be_in_the_making(opened: "Archive | BundleFormatError") -> bool:
    if not isinstance(opened, ImportError):
        return False
    from . import faults  # noqa: PLC0415 (loaded when first needed)

    return faults.opening.may_be_in_the_making(opened)


# Every bundle in use, by absolute path.
_bundles: "dict[str, OpenBundle]" = {}
# The archive that gives the code of what is imported from a mirror (see `site.mirrors`), by the mirror's folder.
mirrored: "dict[str, Archive]" = {}


def absolute(path: str) -> str:
    """Return *path* made absolute as a path entry finder does it: without resolving links or ``..``."""
    if _path_isabs(path):
        return path
    while path[:1] == "." and path[1:2] in _SEPARATORS and len(path) > 1:
        path = path[2:]
    return _path_join(os.getcwd(), path)


def locate(path: str) -> "Location | None":
    """Split *path* at the first part that is a regular file with the bundle suffix; None where no part is one."""
    end = 0
    while (end := path.find(bundle_format.SUFFIX, end)) >= 0:
        end += len(bundle_format.SUFFIX)
        if path[end : end + 1] in _SEPARATORS:  # the empty string is in it: the end of the path
            try:
                bundle = absolute(path[:end])
            except OSError:  # the working directory is gone
                return None
            status = bundlefile.status_of(bundle) if bundle not in _bundles else None
            if bundle in _bundles or bundlefile.is_regular(status) or _is_kept(bundle):
                return Location(bundle=bundle, inner=inner_name(path[end:]), status=status)
    return None


def _is_kept(path: str) -> bool:
    """Return whether *path*, which may be no file, is a bundle's all the same: no other path hook may answer for it."""
    return OpenBundle.signers is not None and locate_mirrored(path) is None


def locate_mirrored(path: str) -> "str | None":
    """Return the folder of the mirror in which *path* is, or None where it is in none that is in use."""
    for folder in list(mirrored):  # other threads add to it
        if path.startswith(folder) and path[len(folder) : len(folder) + 1] in _SEPARATORS:
            return folder
    return None


def inner_name(path: str) -> str:
    """Return the member name for *path*, which is relative to a bundle; one that leads out of it names nothing."""
    if path_sep == "\\":
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
        status: the file status of a moment ago; default: it is asked for.

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
    from . import sources  # noqa: PLC0415 (loaded only where bundles have to be signed)

    signers = OpenBundle.signers = sources.signatures.Signers(absolute(path))
    import os  # noqa: PLC0415 (not above: see `runtime`)

    os.environ[_ALLOWED_SIGNERS] = signers.path
    opened = [bundle for bundle in list(_bundles.values()) if bundle.archive is not None]
    for bundle in opened:
        bundle.require(signers)
    for bundle in opened:
        if bundle.fault is not None:
            bundle.reported = True
            bundle.check()


if environ(_ALLOWED_SIGNERS):
    require_signers(environ(_ALLOWED_SIGNERS))
