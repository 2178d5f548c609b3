"""The bundles in use, by path.

An `Archive` never changes.  An `OpenBundle` represents a path.  When the file turns out to be replaced, the
`OpenBundle` replaces its archive in one assignment.  All finders on that path see the new archive at once.

If bundles must be signed, the path hook does not leave a bundle's path to the next path hook, even if the file is
missing or unsound.  A file may appear at that path before the next path hook reads it.  So each such path has a signed
bundle, or no modules.
"""

import _frozen_importlib_external as external
import _thread

from . import TRACING, Record, bundlefile, trace
from . import archive as archives
from . import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .annotations import *
else:
    os = external._os  # `os` itself would live as long as this module: see `runtime`

    Location = Record


class OpenBundle:
    """A bundle that is used as a path entry: a path, and the version of the file that is now in use.

    Attributes:
        signers: the allowed signers for all bundles; None if bundles need not be signed.
        require: a function that stops the use of a bundle's version if no allowed signer has signed it.
        path: the file's absolute path.
        archive: the version in use; None if the file is gone or not sound.
        fault: why the file is not sound, or None.
        reported: whether the user was warned of the fault.
        interrupted: whether opening or reporting failed because a part of the runtime could not be loaded.
        status: the file status of that version.
        settled: whether the file need not be opened again while its status is the same.

    """

    __slots__ = ("_openings", "archive", "fault", "interrupted", "path", "reported", "settled", "status")

    signers: "Signers | None" = None
    require: "Any" = None  # `sources.requiring.require`, if there are signers

    def __init__(self, path: str) -> None:
        self.path = path
        self.archive: archives.Archive | None = None
        self.fault: BundleFormatError | None = None
        self.reported = False
        self.interrupted = False
        self.status: os.stat_result | None = None
        self.settled = False
        # The generators that are opening the file, by thread.
        self._openings: dict[int, Any] = {}

    def refresh(self, status: "os.stat_result | None" = None) -> bool:
        """Check the file again, and switch to the new version, sound or not, if the file was replaced.

        Return whether the file was replaced.  A file that is gone, or is a directory now, counts as replaced.

        Arguments:
            status: a recent file status; default: the method reads it.

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
                    trace("opened", path=self.path, size=opened.file.size)
                if opened.file.signers is not self.signers:  # they were required while the file was opened
                    OpenBundle.require(self)
                return True
        from . import content  # noqa: PLC0415 (loaded when first needed)

        return content.refreshing.refresh(self, status, opened)

    check_again = refresh  # for `importlib.invalidate_caches`

    def opened(self, status: "os.stat_result") -> "archives.Archive | BundleFormatError":
        """Open the file and return its current version, or the error if it is not sound."""
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
        """Return whether this thread is already opening the file.

        An audit hook that is called for the opening may import modules.  A generator knows whether it is running.  A
        flag would stay set after an interrupt at the wrong moment.
        """
        opening = self._openings.get(_thread.get_ident())
        return opening is not None and opening.gi_running

    @property
    def is_gone(self) -> bool:
        """Whether the file no longer exists."""
        return self.archive is None and self.fault is None and not self._is_being_opened()

    def report(self) -> None:
        """Issue a `BundleWarning` if the file, or a part of it, is not sound, once for each version of the file."""
        fault = self.fault if self.archive is None else self.archive.fault
        if fault is not None and not self.reported:
            from . import faults  # noqa: PLC0415 (loaded when first needed)

            warn = faults.warning.warn
            self.reported = True
            warn(str(fault))


_SITES = f"{external.path_sep}sites{external.path_sep}"
# Every bundle in use, by absolute path.
in_use: "dict[str, OpenBundle]" = {}
# The files that were fetched, by the path entries that are their URLs (`sources.urls`).
aliases: "dict[str, str]" = {}
# The absolute paths of programs without the suffix (`content.naming`).  A path that starts with one may be in a bundle.
programs: "tuple[str, ...]" = ()
# The archive whose real files are in a site (`site.sites`), by the site's folder; None if no signer has signed it.
sites: "dict[str, archives.Archive | None]" = {}


def give_up() -> bool:
    """Close the descriptors of all bundles whose path still shows the same file.  Return whether there were any.

    A file is opened again when it is next read (`content.reopening`).  Reads that other threads have begun keep theirs.
    """
    found = False
    for bundle in list(in_use.values()):
        archive = bundle.archive
        rested = archive.file.rested() if archive is not None else None
        if archive is not None and rested is not None:
            archive.file = archive.window.file = rested
            found = True
    return found


bundlefile.givers.append(give_up)


def absolute(path: str) -> str:
    """Return *path* made absolute as a path entry finder does it: without resolving links or ``..``."""
    if external._path_isabs(path):  # type: ignore[attr-defined]
        return path
    while path[:1] == "." and path[1:2] in external.path_separators and len(path) > 1:
        path = path[2:]
    return external._path_join(os.getcwd(), path)  # type: ignore[attr-defined,no-any-return]


def locate(path: str) -> "Location | None":
    """Split *path* after its first part that is a bundle, or return None if it has none.

    A bundle is a regular file with one of the suffixes, or a bundle in use, or, if bundles must be signed, any path
    with such a suffix outside sites.  `content.naming.locate` also knows `programs`.
    """
    path = aliases.get(path, path)
    end = 0
    while (end := path.find(bundle_format.SUFFIX, end)) >= 0:
        start, end = end, end + len(bundle_format.SUFFIX)
        if path[end : end + 1] == "." and path[start : end + 4] in bundle_format.SUFFIXES:
            end += 4
        if path[end : end + 1] in external.path_separators:  # the empty string at the end of the path is in it, too
            try:
                bundle = absolute(path[:end])
            except OSError:  # the working directory is gone
                return None
            status = bundlefile.status_of(bundle) if bundle not in in_use else None
            if bundle in in_use or bundlefile.is_regular(status) or _is_kept(bundle):
                return Location(bundle=bundle, inner=inner_name(path[end:]), status=status)
    return None


def _is_kept(path: str) -> bool:
    """Return whether *path* must not be left to other path hooks, even if it is not a file."""
    return OpenBundle.signers is not None and locate_site(path) is None


def locate_site(path: str) -> "str | None":
    """Return the folder of the site that contains *path*, or None if no site in use does."""
    for folder in list(sites):  # other threads add to it
        if path.startswith(folder) and path[len(folder) : len(folder) + 1] in external.path_separators:
            return folder
    return None


def may_be_in_site(path: str) -> bool:
    """Return whether *path* looks like a path in a site.  The disk is not read."""
    return _SITES in path and bundle_format.SUFFIX in path


def inner_name(path: str) -> str:
    """Return the member name for *path*, relative to a bundle.  If it leads outside, the result matches no member."""
    if "\\" in external.path_separators:
        path = path.replace("\\", "/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def open_bundle(path: str, status: "os.stat_result | None" = None) -> OpenBundle:
    """Return the open bundle for the absolute *path*.  Open the file if it is not open yet.

    Arguments:
        path: the file's path.
        status: a recent file status; default: the function reads it.

    """
    bundle = in_use.get(path) or in_use.setdefault(path, OpenBundle(path))
    if bundle.archive is None:
        bundle.refresh(status)
    return bundle
