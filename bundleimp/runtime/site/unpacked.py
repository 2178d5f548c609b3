"""Whole bundles as files: what ``BUNDLEIMP_UNPACK`` and ``bundleimp site`` put into the cache.

A bundle is unpacked for one kind of interpreter: its embedded bytecode becomes ``__pycache__`` files with unchecked
hashes (PEP 552), so the first run compiles nothing.  The folder is published as a whole.  The standard library's
`FileFinder` imports from it, so linters, debuggers and import hooks work as with installed files.
"""

import _frozen_importlib_external as external
import os

from .. import TRACING, bundles, cache, content, faults, trace
from .. import archive as archives
from .. import format as bundle_format
from . import listing, marks, runpaths, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive import Archive

FOLDER = "unpacked"
KEEP = ".bundleimp-keep"
_MARK = "all"

_complained: "set[str]" = set()


def name_of(archive: "Archive") -> str:
    """Return the name of the folder: the bundle's key, and the code tag of the running interpreter."""
    return f"{archive.key}-{archives.code_tag()}{bundle_format.SUFFIX}"


def folder_of(archive: "Archive") -> "str | None":
    """Return the folder with all files of *archive*, reserved for this process.  Make it if it is missing.

    Return None if it cannot be written.

    Raises:
        BundleFormatError: a member is damaged.

    """
    root = cache.folder.folder(create=True)
    if root is None:
        return None
    path = os.path.join(root, FOLDER, name_of(archive))
    if not cache.entries.use(path, lambda folder: write_all(folder, archive)):
        return None
    if not is_whole(archive, path):  # a cleaner may have deleted some files
        try:
            write_all(path, archive)
        except (OSError, ValueError) as error:
            cache.folder.failed(f"mend {path}", error)
            return None
    return path


def is_whole(archive: "Archive", path: str) -> bool:
    """Return whether the folder *path* has all files of *archive*."""
    return marks.is_unchanged(path, _MARK, lambda: [file.name for file in files_of(archive)])


def write_all(folder: str, archive: "Archive") -> None:
    """Write all files of *archive* into *folder*, but those that are there with the right size.

    Raises:
        OSError: a file cannot be written.
        BundleFormatError: a member is damaged, or its name leads out of the folder.

    """
    size = 0
    names = []
    marks.write_bundle(folder, archive.path)
    for file in files_of(archive):
        data = file.read()
        path = marks.below(folder, file.name)
        if not _has_size(path, len(data)):
            cache.folder.put(path, data, file.mode(data))
        size += len(data)
        names.append(file.name)
    marks.note_files(folder, _MARK, names)
    marks.note(folder, _MARK, names, size)


def _has_size(path: str, size: int) -> bool:
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False


def _bytecode_name(source: str) -> str:
    """Return the name of the bytecode of a *source* (PEP 3147), wherever this process keeps bytecode."""
    folder, _, name = source.rpartition("/")
    return f"{folder + '/' if folder else ''}__pycache__/{name.rpartition('.')[0]}.{archives.code_tag()}.pyc"


class File:
    """A file to be written: a member, or the embedded bytecode of a module.  ``name`` is its name in the folder."""

    __slots__ = ("_archive", "_code", "_member", "name")

    def __init__(self, archive: "Archive", member: str, code: "bytes | None" = None) -> None:
        self._archive = archive
        self._member = member
        self._code = code
        self.name = member if code is None else _bytecode_name(member)

    def read(self) -> bytes:
        """Return the content.  Raise BundleFormatError if it is damaged."""
        folder, _, name = self._member.rpartition("/")
        if self._code is not None:
            return self._archive.image_at(self._code, folder + "/" if folder else "", name)
        member = content.files.find(self._archive, self._member)
        fault = content.member.name_fault(self._member)
        if member is None or fault is not None:
            message = f"cannot be unpacked: its name {fault}" if fault else "cannot be unpacked: the index is damaged"
            raise faults.kinds.BundleFormatError(message, file=self._archive.path, member=self._member)
        return content.files.read(self._archive, member)

    @property
    def is_bytecode(self) -> bool:
        """Whether it is embedded bytecode, and not a member."""
        return self._code is not None

    def mode(self, data: bytes) -> int:
        """Return the permissions of the file with this content."""
        is_program = self._code is None and (data[:2] == b"#!" or runpaths.is_native(data))
        return 0o555 if is_program else 0o444


def files_of(archive: "Archive") -> "Iterator[File]":
    """Yield all files to be written.  Raise BundleFormatError if the index is damaged."""
    for name in listing.members(archive):
        if name.startswith(units.RESERVED):
            continue  # ours
        yield File(archive, name)
        folder, _, base = name.rpartition("/")
        directory = archive.directory(folder)
        if directory is not None and archive.column >= 0:
            entry = directory.code_entry(base, archive.column)
            if entry[8:12].strip(b"\0"):
                yield File(archive, name, entry)


def finder(path: str) -> "external.FileFinder | None":
    """Return a finder for the path entry *path* in the unpacked bundle, or None if the bundle cannot be unpacked."""
    real = real_path(path)
    if real is None:
        return None
    return external.FileFinder(real, *external._get_supported_file_loaders())  # type: ignore[attr-defined]


def real_path(path: str) -> "str | None":
    """Return the path in the unpacked bundle for *path*, which is in a bundle.

    Return None if it is in no bundle.  Return None and issue a `BundleWarning` if the bundle is damaged, or if nothing
    can be written (one for each bundle).
    """
    location = content.naming.locate(path)
    archive = bundles.open_bundle(location.bundle).archive if location is not None else None
    if location is None or archive is None:
        return None
    if bundles.OpenBundle.signers is not None:  # nobody has signed the files in the cache
        _warn_once(f"{archive.path}: BUNDLEIMP_UNPACK is not followed, because only signed bundles may be imported")
        return None
    try:
        folder = folder_of(archive)
    except faults.kinds.BundleFormatError as error:
        faults.warning.warn(str(error))
        return None
    if folder is None:
        _warn_once(f"{archive.path}: cannot be unpacked, as BUNDLEIMP_UNPACK asks for: {cache.folder.lack()}")
        return None
    if TRACING:
        trace("unpacked", name=archive.path, path=folder)
    return marks.below(folder, location.inner) if location.inner else folder


def _warn_once(message: str) -> None:
    if message not in _complained:
        _complained.add(message)
        faults.warning.warn(message)


def replace_entries(path: "list[str]") -> None:
    """Replace the entries of *path* (``sys.path``) that are in bundles by those of the unpacked bundles."""
    for place, entry in enumerate(path):
        real = real_path(entry) if isinstance(entry, str) else None
        if real is not None:
            path[place] = real
