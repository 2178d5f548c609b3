"""Members that the platform needs as real files, one by one: where no mirror holds them."""

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

from .. import cache, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..archive import Archive
    from ..content.member import Member


def real_file(archive: "Archive", member: "Member") -> "str | None":
    """Return the path of a real file with the content of *member*, or None where no cache can be written.

    The file keeps its name, stays valid, and is shared by all processes.

    Raises:
        BundleFormatError: the member is damaged.

    """
    root = cache.folder.folder(create=True)
    entry = os.path.join(root, "files", archive.key) if root is not None else None
    if entry is None or member.name == cache.entries.MARK or not cache.entries.use(entry):
        return None
    path = os.path.join(entry, *member.name.split("/"))
    return path if put_file(path, archive, member) else None


def put_file(path: str, archive: "Archive", member: "Member") -> bool:
    """Have a real file with the content of *member* at *path*; return whether there is one.

    Raises:
        BundleFormatError: the member is damaged.

    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
        if len(data) == member.size and content.decompression.crc32(data) == member.crc:
            return True
    except (OSError, ValueError):  # there is none yet
        pass
    return cache.folder.publish(path, archive.read(member), 0o700)


def load_extension(archive: "Archive", member: "Member", spec: "ModuleSpec") -> "ModuleType":
    """Return the extension module in *member*, created by its own code (PEP 489).

    On Linux it is loaded from memory; it cannot find libraries beside it then.  Elsewhere it needs a file.

    Raises:
        ImportError: there is no way to load it, or the linker refuses it.
        BundleFormatError: the member is damaged.

    """
    memory = _memory_file(archive.read(member), member.name.rpartition("/")[2])
    try:
        path = _memory_path(memory) if memory is not None else real_file(archive, member)
        if path is None:
            message = f"{spec.origin} needs a real file, and no cache folder can be written; set BUNDLEIMP_CACHE_DIR"
            raise ImportError(message, name=spec.name, path=spec.origin)
        loader = ExtensionFileLoader(spec.name, path)
        try:
            module = loader.create_module(ModuleSpec(spec.name, loader, origin=path))
        except ImportError as error:
            if memory is None or error.path != path:  # only what the linker says names the file
                raise
            reason = str(error).replace(path, str(spec.origin))
            message = f"{reason}; nothing could be written for it: set BUNDLEIMP_CACHE_DIR to a folder of your own"
            raise ImportError(message, name=spec.name, path=spec.origin) from None
    finally:
        if memory is not None:
            os.close(memory)
    module.__file__ = spec.origin
    return module


def _memory_file(data: bytes, name: str) -> "int | None":
    """Return a descriptor of a file in memory with *data*, or None where the platform has none."""
    if sys.platform != "linux" or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        descriptor = os.memfd_create(name)
    except OSError:
        return None
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return descriptor


def _memory_path(descriptor: int) -> str:
    """Return a path of the file behind *descriptor* that nobody has used before.

    The linker does not open a path again that it knows, from whichever interpreter of the process, and the next file
    gets the number of one that was closed.
    """
    detours = f"{int.from_bytes(os.urandom(8), 'little'):064b}".replace("0", "/").replace("1", "./")
    return f"/proc/self/fd/{detours}{descriptor}"
