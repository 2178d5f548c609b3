"""What an installer has laid out, as members: the distributions as their wheels had them, with no trace of the machine.

Left out is what an installer adds of its own: the programs that it generates from entry points, which name an
interpreter, and notes on who installed what from where.  ``RECORD`` is written anew, for the members.  The folders
that are read here are never changed: uv may link the files in them to those of its cache.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..distinfo import INFO_SUFFIX
from .collect import Placed
from .errors import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ..distinfo import Row
    from .distribution import Distribution

PROGRAMS = "bin"
"""The folder of a bundle with the programs of its distributions."""

# The first form is for interpreters whose path is too long for the second, or has a space.
_SHEBANG = re.compile(
    rb"""#!/bin/sh\n'''exec' ["']?(?P<long>[^"'\n]+?)["']? "\$0" "\$@"\n' '''\n"""
    rb"""|#!["']?(?P<short>[^"'\n]*?python[^"'\s]*)[^\n]*\n"""
)
_PORTABLE_SHEBANG = b"#!/usr/bin/env python3\n"


@dataclass
class Layout:
    """What becomes of a folder of installed packages.

    Attributes:
        placed: the members.
        missing: names of files that a RECORD has and the disk has not.

    """

    placed: list[Placed] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """A folder of installed packages, and what belongs to it elsewhere.

    Attributes:
        folder: the folder.
        locate: from a name in a RECORD to the member and the file; None for what stays behind.
        interpreters: the folders whose interpreters an installer may have written into programs.
        origin: what a message calls it; "" for the paths of its files.

    """

    folder: Path
    locate: Callable[[str], Placed | None]
    interpreters: Sequence[Path]
    origin: str = ""


def lay_out(site: Site, names: Iterable[str], distributions: Sequence[Distribution], scratch: Path) -> Layout:
    """Return the members of a folder of installed packages.

    Arguments:
        site: the folder.
        names: what in it is packed, as far as no RECORD or ``dist-info`` folder says.
        distributions: the distributions in it.
        scratch: a folder for what has to be written anew.

    Raises:
        PackError: something cannot be read.

    """
    layout = Layout()
    places = {name: Placed(name, site.folder / name, site.origin) for name in names}
    for distribution in distributions:
        _lay_out_metadata(site, distribution, places)
        if distribution.rows:
            record = _lay_out_recorded(site, distribution, scratch, places, layout.missing)
            member = f"{distribution.folder.name}/RECORD"
            places[member] = Placed(member, _write(scratch / member, record), site.origin)
    layout.placed = [places[member] for member in sorted(places)]
    return layout


def _lay_out_metadata(site: Site, distribution: Distribution, places: dict[str, Placed]) -> None:
    """Add the files in a ``dist-info`` folder."""
    for name in sorted(os.listdir(distribution.folder)):
        if not distribution.is_note(name):
            member = f"{distribution.folder.name}/{name}"
            places[member] = Placed(member, distribution.folder / name, site.origin)


def _lay_out_recorded(
    site: Site, distribution: Distribution, scratch: Path, places: dict[str, Placed], missing: list[str]
) -> bytes:
    """Add the programs of a distribution, and what of it is not below the site; return its RECORD for the bundle."""
    own = f"{distribution.folder.name}/RECORD"
    rows = {own: (own, "", "")}
    for row in distribution.rows:
        placed = site.locate(row.name)
        if placed is None or placed.member == own or _is_left_out(distribution, row, placed.member):
            continue
        if not placed.path.is_file():
            missing.append(placed.member)
            continue
        top = placed.member.partition("/")[0]
        outside = top == PROGRAMS or not placed.path.is_relative_to(site.folder)
        if not (outside or top in places or top.endswith(INFO_SUFFIX)):
            continue
        rows[placed.member] = (placed.member, row.digest, row.size)
        if top == PROGRAMS:
            # pip leaves a program that is no Python without the permission that it should have.
            placed = replace(placed, executable=True)
            data = _portable(placed.path, site.interpreters)
            if data is not None:
                placed = replace(placed, path=_write(scratch / placed.member, data))
                rows[placed.member] = _row_of(placed.member, data)
        if outside and top not in places:
            places[placed.member] = placed
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(row for _, row in sorted(rows.items()))
    return text.getvalue().encode()


def _is_left_out(distribution: Distribution, row: Row, member: str) -> bool:
    folder, _, name = member.rpartition("/")
    return (
        row.is_cached_bytecode
        or (folder == PROGRAMS and distribution.generates(name))
        or (folder == distribution.folder.name and distribution.is_note(name))
    )


def _portable(program: Path, interpreters: Sequence[Path]) -> bytes | None:
    """Return a program for any machine where an installer has made it one for this; None where it is as it was."""
    try:
        with program.open("rb") as stream:
            if stream.read(2) != b"#!":
                return None
            data = b"#!" + stream.read()
    except OSError as error:
        raise unreadable(error, program) from None
    match = _SHEBANG.match(data)
    if match is None:
        return None
    folder = os.path.dirname(os.fsdecode(match["long"] or match["short"]))
    if folder not in map(str, interpreters):
        return None
    return _PORTABLE_SHEBANG + data[match.end() :]


def _row_of(member: str, data: bytes) -> tuple[str, str, str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return member, f"sha256={digest}", str(len(data))


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
