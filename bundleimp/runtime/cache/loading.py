"""The methods of a `BundleLoader` that an import of embedded code does not need."""

import os
from _frozen_importlib_external import cache_from_source

from .. import archive as archives
from .. import content, plain
from . import code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..format import Directory
    from ..loaders import BundleLoader
    from ..plain.zipdirectory import ListedDirectory


def path_stats(loader: "BundleLoader", path: str) -> "dict[str, int]":
    """Return modification time and size of the source at *path* (see `BundleLoader.path_stats`)."""
    source = content.files.member_named(loader.archive, content.files.name_at(loader.archive, path), path)
    if loader.archive.file.mapping is None:
        return source.stats()
    # The caller reads it next, unless its bytecode is cached.  A store may give something else then.
    loader.__dict__["content"], stats = source.read()  # type: ignore[attr-defined] # of a `StoreMember`
    return stats  # type: ignore[no-any-return]


def bytecode_path(loader: "BundleLoader") -> "str | None":
    """Return the path of the module's bytecode (PEP 3147), or None if this interpreter has none."""
    folder = loader.path.removesuffix(loader.filename)
    try:
        return archives.bytecode_path(folder, loader.filename.rpartition(".")[0]) or cache_from_source(loader.path)
    except NotImplementedError:
        return None


def get_data(loader: "BundleLoader", path: str) -> bytes:
    """Return the bytes of the file or the bytecode at *path* (see `BundleLoader.get_data`)."""
    path = os.fspath(path)
    if path != bytecode_path(loader):
        read: bytes | None = loader.__dict__.pop("content", None) if path == loader.path else None
        if read is None:
            return content.files.read_for(loader, path)
        archives.audit_open(path)
        return read
    image = None if loader.transforms_source() else _image(loader, path)
    if image is None:
        raise content.files.missing(path, "No bytecode in the bundle or the cache")
    return image


def embedded(archive: "Archive", directory: "Directory | ListedDirectory", name: str) -> "bytes | None":
    """Return the embedded pyc image of the source file *name* in *directory*, checked, or None if there is none.

    Raises:
        BundleFormatError: the image is damaged.

    """
    entry = directory.code_entry(name, archive.column) if archive.column >= 0 else b""
    return archive.image_at(entry, directory.prefix, name) if entry[8:12].strip(b"\0") else None


def _image(loader: "BundleLoader", path: str) -> "bytes | None":
    """Return the pyc image that the bundle or the cache has at *path*, or None."""
    archives.audit_open(path)
    image = embedded(loader.archive, loader.directory, loader.filename)
    if image is None:
        source = loader.directory.member(loader.filename)
        image = plain.bytecode.beside(loader.archive, loader.directory, source)
        if image is None:
            image = code.load(loader.archive, source, path)
    return image


def set_data(loader: "BundleLoader", path: str, data: bytes) -> None:
    """Write the bytecode at *path* to the user's cache (see `BundleLoader.set_data`)."""
    if path == bytecode_path(loader) and not loader.transforms_source():
        code.store(loader.archive, loader.directory.member(loader.filename), path, data)
