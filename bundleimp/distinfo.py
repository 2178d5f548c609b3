"""What a ``dist-info`` folder holds, for whoever packs or inspects one: text in, values out; no I/O.

The runtime has its own: it must not load ``csv`` or ``configparser``.
"""

from __future__ import annotations

import configparser
import csv
import io
import re
from dataclasses import dataclass

INFO_SUFFIX = ".dist-info"
SCRIPT_GROUPS = ("console_scripts", "gui_scripts")


@dataclass(frozen=True)
class Row:
    """A row of RECORD: a file of the distribution, named relative to the folder that its ``dist-info`` is in."""

    name: str
    digest: str
    size: str

    @property
    def is_cached_bytecode(self) -> bool:
        """Whether it is what an interpreter made of a module."""
        return "__pycache__/" in self.name


@dataclass(frozen=True)
class EntryPoint:
    """An entry point as the distribution announces it."""

    group: str
    name: str
    value: str


def normalized(name: str) -> str:
    """Return the one spelling of a distribution's name that all others mean (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def record_rows(text: str) -> list[Row]:
    """Return the rows of a RECORD (PEP 376, 627); what a row lacks is "".

    Raises:
        ValueError: it is none.

    """
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [Row(*[*line, "", ""][:3]) for line in lines if line]


def entry_points(text: str) -> list[EntryPoint]:
    """Return the entry points in an ``entry_points.txt`` (the entry points specification of PyPA).

    Raises:
        ValueError: it is none.

    """
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from None
    return [EntryPoint(group, *pair) for group in parser.sections() for pair in parser.items(group)]
