"""What a folder with real files notes about itself: its bundle, and which files were written completely.

The folder ``.bundleimp-units`` in it has a note, which names the bundle, and the marks.  A mark is written after the
last of its files.  It contains the total size of the files, and the time of each of their folders; NULs separate these.
While the times of the folders are the same, nothing was added, removed or replaced.  Beside each mark is a list of the
files, written before the first of them: a folder with other files is not removed (`inspection.cache`).
"""

import os

from .. import bundlefile, cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .units import Unit

NOTES = ".bundleimp-units"
LIST = ".files"
"""The suffix of the list of a mark's files: their names, separated by NULs."""
_NOTE = "bundle"
# The mode of notes and marks: what one user has filled is used by others.
_READABLE = 0o644


def write_bundle(folder: str, bundle: str) -> None:
    """Note which *bundle* the *folder* belongs to.  Raise OSError if that cannot be written."""
    cache.folder.put(os.path.join(folder, NOTES, _NOTE), os.fsencode(bundle), _READABLE)


def bundle_of(folder: str) -> "str | None":
    """Return the path of the bundle that the *folder* belongs to, or None if it has no note."""
    try:
        with bundlefile.retried(open, os.path.join(folder, NOTES, _NOTE), "rb") as stream:
            return os.fsdecode(stream.read())
    except (OSError, ValueError):
        return None


def name_of(unit: "Unit", *, data: bool) -> str:
    """Return the name of the unit's mark."""
    return unit.digest[:32] + (".data" if data else ".whole")


def is_unchanged(folder: str, mark: str, names: "Callable[[], list[str]]") -> bool:
    """Return whether the *mark* is there, and the files are as they were when they were placed.

    Arguments:
        folder: the folder that contains the files.
        mark: the name of the mark.
        names: returns the names of the files.  It is called only if something was added, removed or replaced.

    """
    path = os.path.join(folder, NOTES, mark)
    try:
        with bundlefile.retried(open, path, "rb") as stream:
            size, *lines = stream.read().decode("utf-8", "surrogateescape").split("\0")
        times = dict(line.split(" ", 1)[::-1] for line in lines)
        if all(str(os.stat(os.path.join(folder, name)).st_mtime_ns) == time for name, time in times.items()):
            return True
        # Another unit may have files in these folders, or a cleaner may have deleted some of ours.
        known = names()
        sizes = [os.stat(below(folder, name)).st_size for name in known]
    except (OSError, ValueError):
        return False
    if sum(sizes) != int(size):
        return False
    note(folder, mark, known, int(size))  # if that cannot be written, the next process checks again
    return True


def note(folder: str, mark: str, names: "list[str]", size: int) -> bool:
    """Write the *mark*: the total *size* in bytes of the files *names*, and the time of each of their folders.

    Return whether that worked.
    """
    parents = sorted({name.rpartition("/")[0] for name in names})
    times = [f"{os.stat(below(folder, name)).st_mtime_ns} {name}" for name in parents]
    data = "\0".join([str(size), *times]).encode("utf-8", "surrogateescape")
    return cache.folder.publish(os.path.join(folder, NOTES, mark), data, _READABLE)


def note_files(folder: str, mark: str, names: "list[str]") -> bool:
    """Write the list of the files *names* beside the *mark*.  Return whether that worked."""
    data = "\0".join(names).encode("utf-8", "surrogateescape")
    return cache.folder.publish(os.path.join(folder, NOTES, mark + LIST), data, _READABLE)


def below(folder: str, name: str) -> str:
    """Return the path of the member *name* in a *folder*."""
    return os.path.join(folder, *name.split("/"))
