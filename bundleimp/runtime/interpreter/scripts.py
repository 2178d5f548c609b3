"""The console scripts of the distributions in a bundle, and which of them a program starts.

Scripts are read from ``entry_points.txt`` without ``importlib.metadata``, which takes longer to load than many scripts.
"""

import os
import sys

from .. import archive as archives
from .. import bundles, cache, content, faults
from . import refusing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS = {"console_scripts", "gui_scripts"}
_INFO = ".dist-info"
_FILE = "entry_points.txt"


def named(path: str, name: str) -> str:
    """Return the reference of the script *name* of the program at *path*: ``module:attribute``.

    Raises:
        SystemExit: there is no such script.

    """
    known = scripts_of(path)
    if name not in known:
        refusing.refuse(f"no packed distribution has a console script {name!r}{faults.likeness.near(name, known)}")
    return known[name]


def called(path: str) -> str:
    """Return the reference of the script whose name the program was called by, or else is its first argument.

    That argument is removed from ``sys.argv``, and ``sys.argv[0]`` becomes a link to the program with the name of the
    script.  So a reloader that starts ``sys.argv`` again starts the same script.

    Raises:
        SystemExit: neither is the name of a script.

    """
    known = scripts_of(path)
    folder, own = os.path.split(sys.argv[0])
    for name in (own, os.path.splitext(own)[0]):
        if name in known:
            return known[name]
    name = "".join(sys.argv[1:2])
    if name in known:
        sys.argv[:2] = [_link(path, name) or os.path.join(folder, name)]
        return known[name]
    if name and not name.startswith("-"):
        near = faults.likeness.near(name, known)
        refusing.refuse(f"there is no script {name!r}{near}; without arguments, {own} lists its scripts")
    return refusing.refuse("\n    ".join(["give the name of a script, and its arguments:", *sorted(known)]))


def _link(path: str, name: str) -> str:
    """Return the path of a link in the cache, named *name*, to the program at *path*.  Make it if it does not exist.

    Return "" if it cannot be made, or if bundles must be signed: only paths with the suffix of a bundle are checked.
    """
    root = cache.folder.folder(create=True) if bundles.OpenBundle.signers is None else None
    if root is None or name != os.path.basename(name):
        return ""
    folder = os.path.join(root, "scripts", archives.short_digest(os.fsencode(path)))
    link = os.path.join(folder, name)
    is_there = False
    try:
        is_there = os.path.islink(link) and os.readlink(link) == path
        if not is_there:
            cache.folder.make_folders(folder)
            aside = cache.folder.aside_of(link)
            os.symlink(path, aside)
            os.replace(aside, link)
        os.utime(folder)  # for `cache prune`
    except OSError:  # the cache can only be read, or Windows allows no links
        return link if is_there else ""
    return link


def scripts_of(path: str) -> "dict[str, str]":
    """Return the references of all scripts of the program at *path*, a bundle or a folder, by name."""
    found: dict[str, str] = {}
    for text in _texts(path):
        group = ""
        for line in map(str.strip, text.splitlines()):
            name, equals, value = line.partition("=")
            if line.startswith("["):
                group = line.strip("[] ")
            elif group in _GROUPS and equals and line[0] not in "#;":
                found[name.strip()] = value.partition("[")[0].replace(" ", "")
    return found


def _texts(path: str) -> "Iterator[str]":
    """Yield the contents of all ``entry_points.txt``, in the order of the distributions' names."""
    if os.path.isdir(path):
        for folder in sorted(name for name in os.listdir(path) if name.endswith(_INFO)):
            file = os.path.join(path, folder, _FILE)
            if os.path.isfile(file):
                with open(file, encoding="utf-8") as stream:
                    yield stream.read()
        return
    archive = bundles.open_bundle(path).archive
    top = archive.directory("") if archive is not None else None
    if archive is None or top is None:
        return
    for folder in sorted(name for name in top.names if name.endswith(f"{_INFO}/")):
        member = content.files.find(archive, folder + _FILE)
        if member is not None:
            yield content.files.read(archive, member).decode("utf-8", "replace")
