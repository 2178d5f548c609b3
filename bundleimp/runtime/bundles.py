"""The bundles in use, by path.

An `Archive` never changes.  An `OpenBundle` stands for a path, and exchanges its archive as a whole when the file turns
out to be replaced; every finder on that path sees the exchange at once.

Where bundles have to be signed, nothing is handed on to the next path hook either: whatever stands at the name of a
bundle, or may stand there when that one looks, is a bundle that is signed, or finds nothing.
"""

import _thread
from _frozen_importlib_external import _path_isabs, _path_join, path_separators  # type: ignore[attr-defined]

from . import TRACING, bundlefile, trace
from . import archive as archives
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    from _frozen_importlib_external import _os as os  # `os` itself would live as long as we do: see `runtime`

    Location = archives.Window  # as cheap as that


class OpenBundle:
    """A bundle that the import system was pointed to: a path, and the version of the file now in use.

    Attributes:
        signers: who may sign bundles, for all of them; None where they need not be signed.
        path: the file's absolute path.
        archive: the version in use; None where the file is gone or not sound.
        fault: why it is not sound, or None.
        reported: whether the user was told of the fault.
        status: the file status of that version.
        settled: whether the file need not be opened again while its status is the same.

    """

    __slots__ = ("_openings", "archive", "fault", "path", "reported", "settled", "status")

    signers: "Signers | None" = None

    def __init__(self, path: str) -> None:
        self.path = path
        self.archive: archives.Archive | None = None
        self.fault: BundleFormatError | None = None
        self.reported = False
        self.status: os.stat_result | None = None
        self.settled = False
        # What opens the file, by thread.
        self._openings: dict[int, Any] = {}

    def refresh(self, status: "os.stat_result | None" = None) -> bool:
        """Look at the file again, and take the new version, sound or not, where it was replaced.

        Return whether that was so; a file that is gone, or is a directory now, counts as replaced.

        Arguments:
            status: the file status of a moment ago; default: it is asked for.

        """
        if self._is_being_opened():
            return False
        opened = None
        if self.status is None and bundlefile.is_regular(status):
            opened = self.opened(status)  # type: ignore[arg-type] # there is one
            if not isinstance(opened, ImportError):
                self.archive = opened
                self.status = status
                self.settled = True
                if TRACING:
                    trace(f"{self.path}: opened")
                return True
        from . import content  # noqa: PLC0415 (loaded when first needed)

        return content.refreshing.refresh(self, status, opened)

    def opened(self, status: "os.stat_result") -> "archives.Archive | BundleFormatError":
        """Return the version that is there now, or why it is not sound."""
        thread = _thread.get_ident()
        opening = self._openings[thread] = self._open(status)
        opened = next(opening)
        self._openings.pop(thread, None)
        return opened

    def _open(self, status: "os.stat_result") -> "Generator[archives.Archive | BundleFormatError]":
        if not bundlefile.is_regular(status):
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            yield faults.opening.not_regular(self.path)
            return
        try:
            opened: archives.Archive | BundleFormatError = archives.Archive(self.path, self.signers)
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


# Every bundle in use, by absolute path.
in_use: "dict[str, OpenBundle]" = {}
# The archive that gives the code of what is imported from a mirror (see `site.mirrors`), by the mirror's folder.
mirrored: "dict[str, archives.Archive]" = {}


def absolute(path: str) -> str:
    """Return *path* made absolute as a path entry finder does it: without resolving links or ``..``."""
    if _path_isabs(path):
        return path
    while path[:1] == "." and path[1:2] in path_separators and len(path) > 1:
        path = path[2:]
    return _path_join(os.getcwd(), path)  # type: ignore[no-any-return]


def locate(path: str) -> "Location | None":
    """Split *path* at the first part that is a regular file with the bundle suffix; None where no part is one."""
    end = 0
    while (end := path.find(bundle_format.SUFFIX, end)) >= 0:
        end += len(bundle_format.SUFFIX)
        if path[end : end + 1] in path_separators:  # the empty string is in it: the end of the path
            try:
                bundle = absolute(path[:end])
            except OSError:  # the working directory is gone
                return None
            status = bundlefile.status_of(bundle) if bundle not in in_use else None
            if bundle in in_use or bundlefile.is_regular(status) or _is_kept(bundle):
                return Location(bundle=bundle, inner=inner_name(path[end:]), status=status)
    return None


def _is_kept(path: str) -> bool:
    """Return whether *path*, which may be no file, is a bundle's all the same: no other path hook may answer for it."""
    return OpenBundle.signers is not None and locate_mirrored(path) is None


def locate_mirrored(path: str) -> "str | None":
    """Return the folder of the mirror in which *path* is, or None where it is in none that is in use."""
    for folder in list(mirrored):  # other threads add to it
        if path.startswith(folder) and path[len(folder) : len(folder) + 1] in path_separators:
            return folder
    return None


def inner_name(path: str) -> str:
    """Return the member name for *path*, which is relative to a bundle; one that leads out of it names nothing."""
    if "\\" in path_separators:
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
    bundle = in_use.get(path) or in_use.setdefault(path, OpenBundle(path))
    if bundle.archive is None:
        bundle.refresh(status)
    return bundle
