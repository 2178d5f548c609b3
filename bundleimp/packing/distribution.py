"""A distribution as an installer left it on disk: its ``dist-info`` folder, read (PEP 376, 610, 627)."""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..distinfo import INFO_SUFFIX, SCRIPT_GROUPS, entry_points, normalized, record_rows
from .errors import PackError, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from ..distinfo import Row

# What installers write into a dist-info folder (PEP 376, 627, and uv's own); no wheel has any of it.
_INSTALLERS_NOTES = {"INSTALLER", "REQUESTED", "uv_cache.json", "uv_build.json"}
_VERSION_SUFFIX = re.compile(r"-?3(\.\d+)?$")
_PROGRAM_SUFFIX = re.compile(r"(-script\.pyw?|\.exe|\.exe\.manifest)$")


@dataclass(frozen=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: its normalized name.
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
        return cls(normalized(name), version, folder, _rows(folder / "RECORD"), programs, str(url), bool(editable))

    @property
    def project(self) -> str:
        """The folder that it was installed from; "" if that was no folder."""
        from urllib.request import url2pathname  # noqa: PLC0415 (it loads `ssl`, which takes 3 MB)

        parts = urllib.parse.urlsplit(self.url)
        return url2pathname(parts.path) if parts.scheme == "file" else ""

    def generates(self, file: str) -> bool:
        """Return whether an installer makes a program, the file of this name, from an entry point."""
        stem = _PROGRAM_SUFFIX.sub("", file)
        # pip makes pip3.11 for what the wheel calls pip3.
        return bool({stem, _VERSION_SUFFIX.sub("", stem)} & self.programs)

    def is_note(self, file: str) -> bool:
        """Return whether the file of this name in its folder is about the installation, and not from the wheel."""
        local = self.is_editable or self.url.startswith("file:")
        return file in _INSTALLERS_NOTES or (file == "direct_url.json" and local)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise unreadable(error, path) from None


def _rows(record: Path) -> tuple[Row, ...]:
    try:
        return tuple(record_rows(_text(record)))
    except ValueError as error:
        message = f"cannot be read: {error}; install the distribution again"
        raise PackError(message, file=str(record)) from None


def _programs(text: str) -> frozenset[str]:
    try:
        return frozenset(entry_point.name for entry_point in entry_points(text) if entry_point.group in SCRIPT_GROUPS)
    except ValueError:
        return frozenset()


def distributions(site: Path) -> list[Distribution]:
    """Return the distributions in a folder of installed packages, in the order of their folders' names."""
    return [Distribution.read(path) for path in sorted(site.glob(f"*{INFO_SUFFIX}")) if path.is_dir()]
