"""The types in annotations of the modules in this folder, for type checkers.  This module is never loaded.

A process does not execute ``from .annotations import *``, and it compiles to less bytecode than separate imports.  The
records are `runtime.Record` at run time.
"""

from __future__ import annotations

import os
from _frozen_importlib import ModuleSpec
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources.abc import TraversableResources
from types import CodeType, ModuleType
from typing import Any

from .archive import Archive
from .bundlefile import BundleFile
from .content.member import Member
from .faults.kinds import BundleFormatError
from .format import Directory
from .plain.zipdirectory import ListedDirectory
from .site.units import Unit
from .sources.signatures import Signers

__all__ = [
    "Any",
    "BundleFormatError",
    "Callable",
    "CodeType",
    "EndRecord",
    "Extent",
    "Generator",
    "Head",
    "Iterator",
    "ListedDirectory",
    "Location",
    "Locator",
    "Member",
    "ModuleSpec",
    "ModuleType",
    "Sequence",
    "Signers",
    "Tail",
    "TraversableResources",
    "Unit",
    "View",
    "Window",
    "os",
]


@dataclass(kw_only=True)
class EndRecord:
    """The end of an archive: the position of its central directory, and the archive's comment.

    ``start`` is the offset at which the archive begins.  The bytes before it are a shebang or a program.  ``offset`` is
    the offset of the end record itself.
    """

    start: int
    directory_offset: int
    directory_size: int
    count: int
    comment: bytes
    offset: int


@dataclass(kw_only=True)
class Extent:
    """A range of bytes in the file: its offset, its size in bytes, and its checksum."""

    offset: int
    size: int
    checksum: int


@dataclass(kw_only=True)
class Locator:
    """The position of the index, and of the central directory that the index was made for."""

    head_size: int
    index_offset: int
    index_size: int
    index_checksum: int
    directory_offset: int
    directory_size: int
    directory_count: int
    directory_checksum: int


@dataclass(kw_only=True)
class Head:
    """The part of the index that describes the bundle as a whole.

    ``tags`` contains the pyc magic (PEP 3147) of each embedded kind of bytecode, by code tag: ``cpython-311``, or
    ``cpython-311.opt-1``.  Their order is that of the columns of a block.  ``units`` is the extent of the table of
    units.  ``record_digest`` is the SHA-256 of the RECORD member.
    """

    record_digest: bytes
    root_offset: int
    root_size: int
    tags: dict[str, bytes]
    units: Extent | None


@dataclass(kw_only=True)
class Tail:
    """The last bytes of an archive, the offset at which they begin, and the end record in them."""

    start: int
    data: bytes
    record: EndRecord


@dataclass(kw_only=True)
class Window:
    """The bytes that were read last, their file, and their offset."""

    file: BundleFile
    start: int
    data: bytes


@dataclass(kw_only=True)
class Location:
    """A path split into the path of the bundle and the name inside it.

    ``bundle`` is the absolute path of the bundle; ``inner`` is "" or "pkg/sub".  ``status`` is the file status of the
    bundle, or None if it was not read because the bundle is already in use.
    """

    bundle: str
    inner: str
    status: os.stat_result | None = None


@dataclass(kw_only=True)
class View:
    """A finder's directory in one version of the bundle, or None, and the suffixes of module files in it."""

    archive: Archive
    directory: Directory | ListedDirectory | None
    suffixes: list[str]
