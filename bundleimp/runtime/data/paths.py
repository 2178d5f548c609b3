"""Paths in bundles: what ``importlib.resources`` and ``importlib.metadata`` give for files and directories.

They have what `zipfile.Path` has, and what `pathlib.Path` has for reading.  This module is loaded when a program
requests a resource or a distribution, but not during an import.  It imports only modules that ``importlib.resources``
and ``importlib.metadata`` import, too, because a bundle may have modules of all other names.
"""

import io
import os
import pathlib

from .. import archive as archives
from .. import bundles, cache, content, faults, site
from . import walking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

    from ..archive import Archive

METADATA = (".dist-info", ".egg-info")
"""The suffixes of the files and folders that describe distributions."""
_FILE = 0o100444
_DIRECTORY = 0o040555


def decoded(data: bytes, encoding: "str | None", errors: "str | None", newline: "str | None" = None) -> str:
    """Return the text of a file with the bytes *data*, as `open` decodes it."""
    if encoding != "utf-8" or newline is not None or b"\r" in data:
        return io.TextIOWrapper(io.BytesIO(data), encoding, errors, newline).read()
    return data.decode(encoding, errors or "strict")


def relative(path: "Any", other: "Any", *parts: str, **options: bool) -> pathlib.PurePath:
    """Return *path* relative to *other* and *parts*.

    Arguments:
        path: a path in a bundle or a zip, or a `pathlib.Path`.
        other: the same, or the union of several directories, or a folder in a site.
        parts: more parts of *other*.
        options: those of `pathlib.PurePath.relative_to`.

    Raises:
        ValueError: the path is not below *other*.

    """
    others = other.portions if isinstance(other, walking.Walkable) and hasattr(other, "portions") else [other]
    bases = [pathlib.PurePath(getattr(each, "filename", each), *parts) for each in others]
    own = [pathlib.PurePath(getattr(path, "filename", path))]
    if any(bundles.may_be_in_site(str(base)) for base in bases):
        own.append(pathlib.PurePath(str(path)))
    for each in own:
        for base in bases:
            if each.is_relative_to(base):
                return each.relative_to(base)
    return own[0].relative_to(bases[0], **options)


class _Content(io.BytesIO):
    """The content of a file.  ``name`` is its path."""

    mode = "rb"
    name: str


class BundlePath(walking.Walkable):
    """A file or directory of one version of a bundle, which need not exist."""

    __slots__ = ("_archive", "_inner")

    def __init__(self, archive: "Archive", inner: str) -> None:
        self._archive = archive
        self._inner = inner

    def __repr__(self) -> str:
        return f"BundlePath({self._place!r})"

    @property
    def _place(self) -> str:
        """The path under the bundle."""
        return os.path.join(self._archive.path, *self._inner.split("/")) if self._inner else self._archive.path

    @property
    def _pure(self) -> pathlib.PurePath:  # type: ignore[override]
        return pathlib.PurePath(self._place)

    def __str__(self) -> str:
        """Return the path in the site, if the file is ever placed there: then programs can open it."""
        if not self._inner or self._inner.partition("/")[0].endswith(METADATA):  # never placed
            return self._place
        return site.sites.real_path(self._archive, self._inner) or self._place

    __fspath__ = __str__

    def __reduce__(self) -> "Any":
        return path_at, (self._place,)

    # The path's text.

    @property
    def name(self) -> str:
        """The last part of the path, or the bundle's own name at its root."""
        return self._inner.rpartition("/")[2] or os.path.basename(self._archive.path)

    @property
    def filename(self) -> pathlib.Path:
        """The path under the bundle (as in `zipfile.Path`)."""
        return pathlib.Path(self._place)

    @property
    def parent(self) -> "BundlePath | pathlib.Path":
        """The directory that contains this path."""
        if not self._inner:
            return pathlib.Path(self._archive.path).parent
        return type(self)(self._archive, self._inner.rpartition("/")[0])

    def relative_to(self, other: "Any", *parts: str, **options: bool) -> pathlib.PurePath:
        """Return the path relative to *other*, which may be a directory of the bundle or its real folder.

        Raises:
            ValueError: the path is not below *other*.

        """
        return relative(self, other, *parts, **options)

    def is_relative_to(self, other: "Any", *parts: str) -> bool:
        """Return whether the path is *other* or below it."""
        try:
            self.relative_to(other, *parts)
        except ValueError:
            return False
        return True

    def joinpath(self, *descendants: "str | os.PathLike[str]") -> "BundlePath":
        """Return the path below this one.  Each argument may have several parts, separated by slashes."""
        return type(self)(
            self._archive, bundles.inner_name("/".join([self._inner, *(os.fspath(part) for part in descendants)]))
        )

    # What is there.

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002, D102
        return self._archive.directory(self._inner) is not None

    def owner(self, *, follow_symlinks: bool = True) -> str:  # noqa: ARG002
        """Return the name of the user who owns the bundle."""
        return pathlib.Path(self._archive.path).owner()

    def group(self, *, follow_symlinks: bool = True) -> str:  # noqa: ARG002
        """Return the name of the group of the bundle."""
        return pathlib.Path(self._archive.path).group()

    def samefile(self, other: "Any") -> bool:
        """Return whether *other* is the same file or directory.  Raise FileNotFoundError if either is missing."""
        self.stat()
        theirs = other if isinstance(other, walking.Walkable) else path_at(os.path.abspath(other))
        theirs.stat()
        if isinstance(theirs, walking.Walkable):
            return self == theirs
        text = str(self)
        return os.path.exists(text) and os.path.samefile(text, theirs)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002, D102
        return content.files.find(self._archive, self._inner) is not None

    def iterdir(self) -> "Iterator[BundlePath]":  # noqa: D102
        directory = self._archive.directory(self._inner)
        if directory is None:
            if self.is_file():
                raise NotADirectoryError(faults.numbers.ENOTDIR, "Not a directory", self._place)
            raise FileNotFoundError(faults.numbers.ENOENT, "No such directory in the bundle", self._place)
        prefix = directory.prefix
        return (type(self)(self._archive, prefix + name.removesuffix("/")) for name in directory.names)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002, D102
        member = None if self.is_dir() else content.files.member_named(self._archive, self._inner, self._place)
        mode, size = (_DIRECTORY, 0) if member is None else (_FILE, member.size)
        own = self._archive.file.status
        time = int(own.st_mtime)
        return os.stat_result((mode, 0, own.st_dev, 1, own.st_uid, own.st_gid, size, time, time, time))

    def read_bytes(self) -> bytes:
        """Return the file's bytes.

        Raises:
            OSError: there is no such file.
            BundleFormatError: the file is damaged.

        """
        return content.files.read_named(self._archive, self._inner, self._place)

    def read_text(
        self, encoding: "str | None" = None, errors: "str | None" = None, newline: "str | None" = None
    ) -> str:
        """Return the file's text.  The arguments are those of `open`."""
        return decoded(self.read_bytes(), io.text_encoding(encoding), errors, newline)

    def open(self, mode: str = "r", *args: "Any", **kwargs: "Any") -> "IO[Any]":
        """Open the file for reading.  The arguments are those of `open`, or as in `zipfile.Path`: without *buffering*.

        Raises:
            io.UnsupportedOperation: *mode* is one for writing.
            ValueError: the arguments are not valid.
            OSError: there is no such file.

        """
        if args and isinstance(args[0], str):
            args = (-1, *args)
        return self._opened(mode, *args, **kwargs)

    def _opened(
        self,
        mode: str,
        buffering: int = -1,
        encoding: "str | None" = None,
        errors: "str | None" = None,
        newline: "str | None" = None,
    ) -> "IO[Any]":
        letters = set(mode)
        is_text = "b" not in letters
        if (
            len(letters) < len(mode)
            or letters - set("rwaxbt+")
            or len(letters & set("rwax")) != 1
            or {"b", "t"} <= letters
        ):
            message = f"invalid mode: {mode!r}"
            raise ValueError(message)
        if letters & set("wax+"):
            message = f"a bundle is read only: mode {mode!r}"
            raise io.UnsupportedOperation(message)
        if buffering == 0 if is_text else (encoding, errors, newline) != (None, None, None):
            message = "text cannot be unbuffered, and bytes have no encoding, errors or newline"
            raise ValueError(message)
        content = _Content(self.read_bytes())
        content.name = self._place
        stream = io.BufferedReader(content)
        if not is_text:
            return stream
        text: Any = io.TextIOWrapper(stream, io.text_encoding(encoding, 3), errors, newline)
        text.mode = mode
        return text  # type: ignore[no-any-return]

    def real_path(self) -> "pathlib.Path | None":
        """Return a real file or folder with this content in the cache, or None if the cache cannot be written."""
        if self._archive.file.mapping is not None:  # its content may change
            return None
        if self.is_file():
            member = content.files.find(self._archive, self._inner)
            path = site.native.real_file(self._archive, member) if member is not None else None
        else:
            path = self._real_folder()
        return pathlib.Path(path) if path is not None else None

    def _real_folder(self) -> "str | None":
        root = cache.folder.folder(create=True)
        entry = os.path.join(root, "folders", self._archive.key) if root is not None else None
        if entry is None or not cache.entries.use(entry):
            return None
        # Files are published one by one, but a folder must appear as a whole, so it gets its own place.
        place = archives.short_digest(self._inner.encode("utf-8", "surrogateescape"))
        path = os.path.join(entry, place, self.name)
        if not os.path.isdir(path):
            made = cache.entries.publish_folder(path, lambda folder: _put_into(folder, self._archive, self._inner))
            return path if made else None
        try:
            _put_into(path, self._archive, self._inner)
        except OSError:
            return None
        return path


class DistributionPath(BundlePath):
    """A path that ``importlib.metadata`` gives.  As text, each file's path is that of a real file."""

    __slots__ = ()

    def __str__(self) -> str:
        text = super().__str__()
        if text == self._place and not self._inner.endswith(METADATA) and self.is_file():
            text = str(self.real_path() or text)
        return text

    __fspath__ = __str__


class ZipPath(BundlePath):
    """A file or directory in a zip that is not a bundle: it is never placed in a site."""

    __slots__ = ()

    def __str__(self) -> str:
        return self._place

    __fspath__ = __str__


def _put_into(folder: str, archive: "Archive", inner: str) -> None:
    """Restore the missing or damaged files of the archive's directory *inner* in a real *folder*.

    The files are replaced one by one, because other processes use them.  Files that a program added are left alone.
    """
    directory = archive.directory(inner)
    for name in directory.names if directory is not None else ():
        path = os.path.join(folder, name.removesuffix("/"))
        below = f"{directory.prefix}{name}" if directory is not None else ""
        member = content.files.find(archive, below)
        if member is None:
            cache.folder.make_folders(path)
            _put_into(path, archive, below.removesuffix("/"))
        elif not site.native.put_file(path, archive, member):
            message = f"{path} cannot be written"
            raise OSError(message)


def path_at(path: str) -> "BundlePath | pathlib.Path":
    """Return the path in a bundle for the text *path*, or a `pathlib.Path` if it is in no sound bundle."""
    location = content.naming.locate(path)
    archive = bundles.open_bundle(location.bundle).archive if location is not None else None
    return pathlib.Path(path) if location is None or archive is None else BundlePath(archive, location.inner)


def portion_at(entry: str) -> "BundlePath | pathlib.Path":
    """Return the path for *entry*, a portion of a namespace package: a directory, or one in a bundle or a zip."""
    root = bundles.locate_site(entry)
    owner = bundles.sites[root] if root is not None else None
    if root is not None and owner is not None:
        return BundlePath(owner, bundles.inner_name(entry[len(root) :]))
    path = path_at(entry)
    file = next((str(parent) for parent in path.parents if parent.is_file()), None)
    if isinstance(path, BundlePath) or file is None:
        return path
    try:
        return ZipPath(archives.Archive(file), bundles.inner_name(entry[len(file) :]))
    except faults.kinds.BundleFormatError:  # no zip
        return path
