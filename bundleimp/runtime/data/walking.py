"""What `pathlib.Path` derives from a directory's entries, and from the text of a path: for the paths in bundles."""

import os
import pathlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

# What has the whole path as text: that of the real file, if there is one.
_WHOLE = {"anchor", "as_posix", "as_uri", "drive", "parts", "root"}
# What `pathlib.Path` reads from the file's status.  All files of a bundle are regular.
_NEVER = {
    "is_block_device",
    "is_char_device",
    "is_fifo",
    "is_junction",
    "is_mount",
    "is_socket",
    "is_symlink",
}
_STARS_MATCH_FILES = sys.version_info >= (3, 13)  # a pattern that ends with "**"


class Walkable:
    """What `pathlib.Path` derives from a directory's entries, and from the text of a path.

    Subclasses have the methods that raise NotImplementedError here, and ``_pure``, the path as a `pathlib.PurePath`.
    """

    __slots__ = ()

    _pure: pathlib.PurePath
    parent: "Any"

    def __getattr__(self, name: str) -> "Any":
        """Return what `pathlib.PurePath` has by this *name*: ``suffix``, ``stem``, ``parts``, ``match`` and so on."""
        if name in _NEVER:
            return lambda: False
        if name.startswith("_") or not hasattr(pathlib.PurePath, name):
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(pathlib.PurePath(str(self)) if name in _WHOLE else self._pure, name)

    def __dir__(self) -> "list[str]":
        return sorted({*object.__dir__(self), *filter(lambda name: name[0] != "_", dir(pathlib.PurePath)), *_NEVER})

    def __bytes__(self) -> bytes:
        return os.fsencode(str(self))

    def __rtruediv__(self, folder: "str | os.PathLike[str]") -> pathlib.Path:
        return pathlib.Path(folder, str(self))

    def __eq__(self, other: object) -> bool:
        return self._compare(other, "__eq__")  # type: ignore[no-any-return]

    def __hash__(self) -> int:
        return hash(self._pure)

    def __lt__(self, other: "Any") -> "Any":
        return self._compare(other, "__lt__")

    def __le__(self, other: "Any") -> "Any":
        return self._compare(other, "__le__")

    def __gt__(self, other: "Any") -> "Any":
        return self._compare(other, "__gt__")

    def __ge__(self, other: "Any") -> "Any":
        return self._compare(other, "__ge__")

    def _compare(self, other: "Any", method: str) -> "Any":
        pure = other._pure if isinstance(other, Walkable) else other  # noqa: SLF001 (of our own class)
        return getattr(self._pure, method)(pure)

    @property
    def parents(self) -> "list[Any]":
        """The directories that contain this path, the nearest first."""
        found = [self.parent]
        while found[-1].parent != found[-1]:
            found.append(found[-1].parent)
        return found

    def with_name(self, name: str) -> "Any":
        """Return the path with another last part.  Raise ValueError if *name* cannot be one."""
        return self.parent / self._pure.with_name(name).name

    def with_stem(self, stem: str) -> "Any":
        """Return the path with another last part, but the same suffix.  Raise ValueError if that cannot be one."""
        return self.parent / self._pure.with_stem(stem).name

    def with_suffix(self, suffix: str) -> "Any":
        """Return the path with another *suffix*.  Raise ValueError if that cannot be one."""
        return self.parent / self._pure.with_suffix(suffix).name

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Return the file status.  Its time is that of the archive.  Raise FileNotFoundError if nothing exists here."""
        raise NotImplementedError

    def lstat(self) -> os.stat_result:
        """Return the file status, as `stat` does."""
        return self.stat()

    def readlink(self) -> "Any":
        """Raise OSError: there are no links."""
        raise OSError(22, "Not a link", str(self))  # EINVAL

    def absolute(self) -> "Any":
        """Return the same path."""
        return self

    expanduser = absolute

    def resolve(self, strict: bool = False) -> "Any":
        """Return the same path.  If *strict* and it does not exist, raise FileNotFoundError."""
        if strict:
            self.stat()
        return self

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether this is an existing directory."""
        raise NotImplementedError

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Return whether this is an existing file."""
        raise NotImplementedError

    def exists(self, *, follow_symlinks: bool = True) -> bool:  # noqa: ARG002 (there are no links)
        """Return whether a file or directory exists at this path."""
        return self.is_file() or self.is_dir()

    def iterdir(self) -> "Iterator[Any]":
        """Yield the paths of the directory's entries.

        Raises:
            NotADirectoryError, FileNotFoundError: this is not a directory, or does not exist.

        """
        raise NotImplementedError

    def joinpath(self, *descendants: "str | os.PathLike[str]") -> "Any":
        """Return the path below this one.  Each argument may have several parts, separated by slashes."""
        raise NotImplementedError

    def __truediv__(self, name: "str | os.PathLike[str]") -> "Any":
        return self.joinpath(name)

    def glob(
        self,
        pattern: "str | os.PathLike[str]",
        *,
        case_sensitive: "bool | None" = None,
        recurse_symlinks: bool = False,  # noqa: ARG002
    ) -> "Iterator[Any]":
        """Return the existing paths below this one that match *pattern*, as `pathlib.Path.glob` does.

        Raises:
            ValueError: the pattern is empty.
            NotImplementedError: the pattern is an absolute path.

        """
        parts = _parts(pattern)
        if not parts:
            message = f"Unacceptable pattern: {os.fspath(pattern)!r}"
            raise ValueError(message)
        return iter(dict.fromkeys(_selected(self, parts, fold=case_sensitive is False)))

    def rglob(
        self,
        pattern: "str | os.PathLike[str]",
        *,
        case_sensitive: "bool | None" = None,
        recurse_symlinks: bool = False,  # noqa: ARG002
    ) -> "Iterator[Any]":
        """Return the existing paths in all directories below this one that match *pattern*."""
        return iter(dict.fromkeys(_selected(self, ["**", *_parts(pattern)], fold=case_sensitive is False)))

    def walk(
        self,
        top_down: bool = True,
        on_error: "Callable[[OSError], object] | None" = None,
        follow_symlinks: bool = False,  # noqa: ARG002 (of `pathlib.Path.walk`)
    ) -> "Iterator[tuple[Any, list[str], list[str]]]":
        """Return for each directory its path, the names of its directories, and those of its files.

        Arguments:
            top_down: whether a directory comes before those below it.
            on_error: a function that is called with the OSError for a directory that cannot be read.
            follow_symlinks: of no effect.

        """
        return _walked(self, top_down, on_error)


def _parts(pattern: "str | os.PathLike[str]") -> "list[str]":
    """Return the parts of a *pattern*.  The last is "" if it matches directories only."""
    pure = pathlib.PurePath(pattern)
    if pure.anchor:
        message = "Non-relative patterns are unsupported"
        raise NotImplementedError(message)
    return [*pure.parts, ""] if os.fspath(pattern).endswith("/") else list(pure.parts)


def _walked(
    path: "Any", top_down: bool, on_error: "Callable[[OSError], object] | None" = None
) -> "Iterator[tuple[Any, list[str], list[str]]]":
    try:
        entries = list(path.iterdir())
    except OSError as error:
        if on_error is not None:
            on_error(error)
        return
    kinds = {entry.name: entry.is_dir() and not entry.is_symlink() for entry in entries}
    folders, files = ([name for name in kinds if kinds[name] is kind] for kind in (True, False))
    found = (path, folders, files)
    if top_down:
        yield found
    for name in list(folders):
        yield from _walked(path / name, top_down, on_error)
    if not top_down:
        yield found


def _selected(path: "Any", parts: "Sequence[str]", *, fold: bool) -> "Iterator[Any]":
    """Yield the paths that match the *parts* of a pattern below *path*, which exists."""
    if not parts:
        yield path
    elif parts[0] == "**" and path.is_dir():
        for folder, _, files in _walked(path, top_down=True):
            yield from _selected(folder, parts[1:], fold=fold)
            if len(parts) == 1 and _STARS_MATCH_FILES:
                yield from (folder / name for name in files)
    elif parts[0] != "**":
        for child in _children(path, parts[0], fold=fold):
            yield from _selected(child, parts[1:], fold=fold)


def _children(path: "Any", part: str, *, fold: bool) -> "Iterator[Any]":
    """Yield the children of *path* that match one *part* of a pattern; *path* itself if it is "" (for a directory)."""
    if part and not fold and not any(sign in part for sign in "*?["):
        if (path / part).exists():
            yield path / part
    elif path.is_dir():
        if not part:
            yield path
        for child in path.iterdir() if part else ():
            name, pattern = (child.name.lower(), part.lower()) if fold else (child.name, part)
            if pathlib.PurePosixPath(name).match(pattern):
                yield child
