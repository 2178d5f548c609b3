"""Single members that the platform needs as real files, if no site contains them."""

import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

from .. import bundlefile, cache, content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..archive import Archive
    from ..content.member import Member


def real_file(archive: "Archive", member: "Member") -> "str | None":
    """Return the path of a real file with the content of *member*, or None if no cache can be written.

    The file keeps its name and stays valid.  All processes share it.

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
    """Make sure that the file at *path* has the content of *member*.  Return whether it has.

    Raises:
        BundleFormatError: the member is damaged.

    """
    try:
        with bundlefile.retried(open, path, "rb") as stream:
            data = stream.read()
        if len(data) == member.size and content.decompression.crc32(data) == member.crc:
            return True
    except (OSError, ValueError):  # the file does not exist yet
        pass
    return cache.folder.publish(path, content.files.read(archive, member), 0o700)


def load_extension(archive: "Archive", member: "Member", spec: "ModuleSpec") -> "ModuleType":
    """Return the extension module in *member*, created by its own code (PEP 489).

    On Linux, the module is loaded from memory.  It cannot find libraries in its own folder then.  On other platforms,
    the module needs a file.

    Raises:
        ImportError: the platform has no way to load the module, or the linker refuses it.
        BundleFormatError: the member is damaged.

    """
    memory = _memory_file(content.files.read(archive, member), member.name.rpartition("/")[2])
    try:
        path = _memory_path(memory) if memory is not None else real_file(archive, member)
        if path is None:
            message = f"{spec.origin} needs a real file, and {cache.folder.lack()}"
            raise ImportError(message, name=spec.name, path=spec.origin)
        loader = ExtensionFileLoader(spec.name, path)
        try:
            module = loader.create_module(ModuleSpec(spec.name, loader, origin=path))
        except ImportError as error:
            if memory is None or error.path != path:  # only the linker's own errors name the file
                raise
            reason = str(error).replace(path, str(spec.origin))
            message = f"{reason}; nothing could be written for it: {cache.folder.lack()}"
            raise ImportError(message, name=spec.name, path=spec.origin) from None
    finally:
        if memory is not None:
            os.close(memory)
    module.__file__ = spec.origin
    return module


def _memory_file(data: bytes, name: str) -> "int | None":
    """Return a descriptor of a file in memory with *data*, or None if the platform has no such files."""
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
    """Return a path of the file behind *descriptor* that nothing in this process has used before.

    The linker does not open a path again that it already knows from any interpreter of the process.  A new file may get
    the number of a closed descriptor.
    """
    detours = f"{int.from_bytes(os.urandom(8), 'little'):064b}".replace("0", "/").replace("1", "./")
    return f"/proc/self/fd/{detours}{descriptor}"
