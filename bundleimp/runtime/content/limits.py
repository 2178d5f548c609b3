"""Bundles that do not run on every Python: what such a bundle needs, and whether the running Python fits.

This module is loaded only for such bundles, and for those with several targets (`targets`).  In the head of such a
bundle, the size of the root block is 0; the block ends where the head begins.  The needs of the bundle follow the
extent of the table of units: a text in UTF-8, and its size as u16.

The first line of the text is for messages.  Each further line is an alternative: facts with the values that they may
have, such as ``version=3.11-3.12|3.14- implementation=cpython system=linux suffix=x86_64-linux-gnu``.  A
version is a range that does not include its end.  `bundleimp.runson` writes the text.  Unknown facts are ignored.
"""

import _frozen_importlib_external as external
import _imp
import sys

from .. import environ
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..archive import Archive
    from ..faults.kinds import BundleFitError

# The folder at the top of a program, with what its child processes import (`interpreter.children`).
CHILDREN = "__children__/"


def use_index(archive: "Archive", encoded: bytes, start: int, tag: str) -> bytes:
    """Make the *archive* use its index, if that is not one for every Python, or has a fault.

    Return bytes that identify the files.

    Arguments:
        archive: the archive.
        encoded: the head of the index.
        start: the offset of the head.
        tag: the code tag of the running interpreter.

    Raises:
        BundleTargetError: the bundle has several targets, and none for the running interpreter.
        BundleFormatError: the index is damaged.

    """
    head = bundle_format.decode_head(encoded)
    size = start - head.root_offset if head.root_offset and not head.root_size else 0
    # One read gets the root block with the head.
    data = archive.near(head.root_offset, size + len(encoded)) if size > 0 else b""
    if not data or data[size:] != encoded:
        from . import targets  # noqa: PLC0415 (loaded for bundles with several targets, and for those with a fault)

        return targets.use_index(archive, encoded, start, tag)
    if head.tags.get(tag) == external.MAGIC_NUMBER:
        archive.column = list(head.tags).index(tag)
    archive.units = head.units
    root = archive.directories[""] = bundle_format.Directory(data[:size], "")
    words, *alternatives = needs(encoded).split("\n")
    if not fits(alternatives):
        archive.fault = _misfit(words, archive.path, is_program=CHILDREN in root.names)
    return encoded


def needs(head: bytes) -> str:
    """Return what a bundle needs, from the *head* of its index."""
    end = len(head) - 6
    return head[max(end - bundle_format.number(head, end, end + 2), 0) : end].decode("utf-8", "replace")


def fits(alternatives: "Iterable[str]") -> bool:
    """Return whether the running Python fulfils one of the *alternatives*."""
    return any(all(map(_holds, alternative.split())) for alternative in alternatives)


def _holds(text: str) -> bool:
    fact, _, values = text.partition("=")
    try:
        return any(_has(fact, value) for value in values.split("|") if value)
    except (ValueError, OSError, AttributeError, IndexError):  # unknown on this system, or not as `pack` writes it
        return True


def _has(fact: str, value: str) -> bool:
    """Return whether the running Python has this *value* of a fact."""
    if fact == "version":
        low, _, high = value.partition("-")
        return _version(low) <= sys.version_info and (not high or sys.version_info < _version(high))
    if fact == "implementation":
        return sys.implementation.name == value
    if fact == "system":
        return sys.platform.startswith(value)
    suffix = (_imp.extension_suffixes() or [""])[0]
    if fact == "suffix":
        return value in suffix
    if fact == "threads":
        # ".cpython-313t-x86_64-linux-gnu.so": the one sign of a free-threaded Python on every platform.
        return (value == "free") == ("t-" in suffix.replace("td-", "t-"))
    return _has_system(fact, value)


def _has_system(fact: str, value: str) -> bool:
    import os  # noqa: PLC0415 (see `runtime`)

    if fact == "machine":
        return os.uname().machine == value
    if fact == "glibc":
        version = os.confstr("CS_GNU_LIBC_VERSION") or ""  # "glibc 2.36"
        return _version(".".join(version.split()[-1].split(".")[:2])) >= _version(value)
    return True


def _version(text: str) -> "tuple[int, ...]":
    return tuple([int(part) for part in text.split(".")])


def _misfit(words: str, path: str, *, is_program: bool) -> "BundleFitError | None":
    """Return the error for the bundle at *path*, which needs what *words* say.

    Return None if the user wants this Python (``BUNDLEIMP_SAME_PYTHON``), or if the bundle is the program that is being
    started: its ``__main__`` looks for another Python.
    """
    import os  # noqa: PLC0415 (see `runtime`)

    if environ("BUNDLEIMP_SAME_PYTHON") not in {"", "0"}:
        return None
    if is_program and os.path.abspath((getattr(sys, "argv", None) or [""])[0]) == path:
        return None
    from .. import faults  # noqa: PLC0415 (loaded when first needed)
    from . import purposes  # noqa: PLC0415 (loaded when first needed)

    message = f"runs on {words}, and this is {purposes.here()}; use such a Python, or pack it for this one"
    return faults.kinds.BundleFitError(message, file=path)
