"""A distribution as an installer left it on disk: its ``dist-info`` folder, read (PEP 376, 610, 627)."""

from __future__ import annotations

import configparser
import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import PackError

if TYPE_CHECKING:
    from pathlib import Path

INFO_SUFFIX = ".dist-info"
# What installers write into a dist-info folder (PEP 376, 627, and uv's own); no wheel has any of it.
_INSTALLERS_NOTES = {"INSTALLER", "REQUESTED", "uv_cache.json", "uv_build.json"}
_VERSION_SUFFIX = re.compile(r"-?\d+(\.\d+)*$")
_PROGRAM_SUFFIX = re.compile(r"(-script\.pyw?|\.exe|\.exe\.manifest)$")


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
class Distribution:
    """An installed distribution.

    Attributes:
        name: its normalised name.
        version: its version.
        folder: its ``dist-info`` folder.
        rows: what its RECORD says; empty where it has none.
        programs: the programs that installers make from its entry points.
        url: what it was installed from, where that was no index (PEP 610).
        is_editable: whether it is installed as a reference to its project (PEP 660).

    """

    name: str
    version: str
    folder: Path
    rows: tuple[Row, ...]
    programs: frozenset[str]
    url: str
    is_editable: bool

    @classmethod
    def read(cls, folder: Path) -> Distribution:
        """Return the distribution of a ``dist-info`` folder."""
        name, _, version = folder.name.removesuffix(INFO_SUFFIX).partition("-")
        try:
            origin = json.loads(_text(folder / "direct_url.json") or "{}")
            url, editable = origin.get("url", ""), origin.get("dir_info", {}).get("editable", False)
        except (ValueError, AttributeError):
            url, editable = "", False
        programs = _programs(_text(folder / "entry_points.txt"))
        return cls(normalised(name), version, folder, _rows(folder / "RECORD"), programs, str(url), bool(editable))

    def generates(self, file: str) -> bool:
        """Return whether an installer makes a program, the file of this name, from an entry point."""
        stem = _PROGRAM_SUFFIX.sub("", file)
        # pip makes pip3.11 for what the wheel calls pip3.
        return bool({stem, _VERSION_SUFFIX.sub("", stem)} & self.programs)

    def is_note(self, file: str) -> bool:
        """Return whether the file of this name in its folder is about the installation, and not from the wheel."""
        local = self.is_editable or self.url.startswith("file:")
        return file in _INSTALLERS_NOTES or (file == "direct_url.json" and local)


def normalised(name: str) -> str:
    """Return the one spelling of a distribution's name that all others mean (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise PackError(message, file=str(path)) from None


def _rows(record: Path) -> tuple[Row, ...]:
    try:
        lines = list(csv.reader(io.StringIO(_text(record), newline="")))
    except csv.Error as error:
        message = f"cannot be read: {error}; install the distribution again"
        raise PackError(message, file=str(record)) from None
    return tuple(Row(*[*line, "", ""][:3]) for line in lines if line)


def _programs(text: str) -> frozenset[str]:
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return frozenset()
    groups = [group for group in ("console_scripts", "gui_scripts") if parser.has_section(group)]
    return frozenset(name for group in groups for name in parser.options(group))


def distributions(site: Path) -> list[Distribution]:
    """Return the distributions in a folder of installed packages, in the order of their folders' names."""
    return [Distribution.read(path) for path in sorted(site.glob(f"*{INFO_SUFFIX}")) if path.is_dir()]
