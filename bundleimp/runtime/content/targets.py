"""The targets of a bundle: the kinds of Python that it has different files for.  Takes bytes, returns values; no I/O.

A *target* is a version of CPython on a platform.  This module is loaded only for bundles with several targets whose
files differ.  Each target has a root block, a table of units, and so its own set of members.  Directories that are the
same for two targets have one block.  The files of the first target are in the zip under their own names.  What other
targets have instead, or in addition, is in the zip under ``BUNDLE-INFO/targets/NUMBER/``, where NUMBER is that of the
first target that has the file, and counts from 1.  In the blocks, these files have their own names, too.

The head of such a bundle has a root block and a table of units of size 0.  The table of targets follows them::

    u16 number of targets
    per target: u16 length, text in UTF-8, extent of the root block, extent of the table of units (of size 0 if there
    are none).  The text is the target's name, a space, and its key.
    u16 size of the table up to here

The *name* is a wheel's python and platform tag, such as ``cp313-macosx_11_0_arm64``.  The *key* is the part of the file
names of extension modules that distinguishes Pythons, such as ``cpython-313-x86_64-linux-gnu``.  On macOS that lacks
the machine, which the key has at its end.
"""

import _frozen_importlib_external as external
import _imp
import os
import sys

from .. import faults
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..archive import Archive
    from ..format import Extent

FOLDER = bundle_format.INFO + "targets/"
UNIVERSAL = "universal2"
MOST = 32
_DARWIN = "-darwin"


class Target:
    """One target: its name and its key, and the extents of its root block and its table of units, or None."""

    __slots__ = ("key", "name", "root", "units")

    def __init__(self, name: str, key: str, root: "Extent", units: "Extent | None") -> None:
        self.name = name
        self.key = key
        self.root = root
        self.units = units


def stored_name(member: str, number: int) -> str:
    """Return the name in the zip of a *member* whose first target is *number*, counted from 1."""
    return member if number == 1 else f"{FOLDER}{number}/{member}"


def split_name(stored: str) -> "tuple[int, str]":
    """Return the number of the first target, and the name of the member, whose name in the zip is *stored*."""
    if stored.startswith(FOLDER):
        number, _, member = stored[len(FOLDER) :].partition("/")
        if number.isdecimal() and len(number) <= len(str(MOST)) and stored_name(member, int(number)) == stored:
            return int(number), member
    return 1, stored


def units_name(number: int) -> str:
    """Return the name in the zip of the table of units of target *number*."""
    return bundle_format.UNITS if number == 1 else f"{bundle_format.UNITS}.{number}"


def decode(head: bytes) -> "list[Target]":
    """Return the targets in the table at the end of the *head*.

    Raises:
        BundleFormatError: the table is damaged.

    """
    found = []
    end = len(head) - 6
    position = end - bundle_format.number(head, end, end + 2)
    count = bundle_format.number(head, position, position + 2) if position > 0 else 0
    position += 2
    for _ in range(count if count <= MOST else 0):
        text_end = position + 2 + bundle_format.number(head, position, position + 2)
        units_start = text_end + bundle_format.CODE_SIZE
        text = head[position + 2 : text_end].decode("utf-8", "replace")
        position = units_start + bundle_format.CODE_SIZE
        root = bundle_format.decode_extent(head[text_end:units_start])
        if root is None or position > end:
            break
        name, _, key = text.partition(" ")
        found.append(Target(name, key, root, bundle_format.decode_extent(head[units_start:position])))
    if position != end or not 2 <= len(found) == count:
        message = "its table of targets"
        raise _damaged(message)
    return found


def _damaged(what: str, offset: "int | None" = None) -> "faults.kinds.BundleFormatError":
    message = f"the index is damaged ({what})"
    return faults.kinds.BundleFormatError(message, member=bundle_format.INDEX, offset=offset)


def _rewritten(offset: int) -> "faults.kinds.BundleFormatError":
    message = "the index was rewritten while it was read; replace bundles by renaming a new file over them"
    return faults.kinds.BundleFormatError(message, member=bundle_format.INDEX, offset=offset)


def own_keys() -> "list[str]":
    """Return the keys of targets that are for the running interpreter."""
    suffix = (_imp.extension_suffixes() or [""])[0]
    key = suffix[1:].rpartition(".")[0] or str(sys.implementation.cache_tag)
    if key.endswith(_DARWIN):
        return [f"{key}-{os.uname().machine}", f"{key}-{UNIVERSAL}"]
    return [key]


def fitting(targets: "list[Target]") -> "Target | None":
    """Return the one of the *targets* that is for the running interpreter, or None."""
    for key in own_keys():
        for target in targets:
            if target.key == key:
                return target
    return None


def use_index(archive: "Archive", encoded: bytes, start: int, tag: str) -> bytes:
    """Make the *archive* use the index of the target for the running interpreter.

    `limits` calls this if the index is not one for all targets, or if it has a fault.

    Return bytes that identify the files: the head, and the target.

    Arguments:
        archive: the archive.
        encoded: the head of the index, whose root block is not before it.
        start: the offset of the head.
        tag: the code tag of the running interpreter.

    Raises:
        BundleTargetError: there is no such target.
        BundleFormatError: the index is damaged.

    """
    head = bundle_format.decode_head(encoded)
    if (head.root_size and head.root_offset + head.root_size != start) or head.root_offset >= start:
        message = "its root is not where it ends"
        raise _damaged(message, start)
    if head.root_offset:
        raise _rewritten(start)
    targets = decode(encoded)
    target = fitting(targets)
    if target is None:
        raise faults.kinds.BundleTargetError(misfit(targets))
    return use_target(archive, encoded, start, tag, target)


def use_target(archive: "Archive", encoded: bytes, start: int, tag: str, target: Target) -> bytes:
    """Make the *archive* use the index of a *target*; otherwise as `use_index`."""
    head = bundle_format.decode_head(encoded)
    root = target.root
    if root.offset + root.size > start:
        message = "a root is not before its end"
        raise _damaged(message, start)
    # All root blocks are before the head, so one read gets both.
    data = archive.near(root.offset, start + len(encoded) - root.offset)
    if data[start - root.offset :] != encoded:
        raise _rewritten(start)
    if head.tags.get(tag) == external.MAGIC_NUMBER:
        archive.column = list(head.tags).index(tag)
    archive.units = target.units
    archive.directories[""] = bundle_format.Directory(data[: root.size], "", root.checksum)
    return encoded + target.key.encode()


def misfit(targets: "list[Target]") -> str:
    """Return the message for a bundle without a target for the running interpreter."""
    names = ", ".join(target.name for target in targets)
    return (
        f"has files for {names}, and none for this Python ({own_keys()[0]}):"
        " run it with one of these, or pack it with --python or --target for this one"
    )


def index_lost() -> "faults.kinds.BundleFormatError":
    """Return the fault of a bundle with several targets whose index cannot be used."""
    message = "another tool has changed it, so only the files of its first target are found; pack it anew"
    return faults.kinds.BundleFormatError(message)
