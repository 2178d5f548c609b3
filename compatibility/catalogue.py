"""What is tried: the snippets, each a script named after its distribution, and the differences that are accepted.

A snippet's docstring says in a few words what it shows: it is a column of the table.  A block of inline metadata
(PEP 723) names what else to install, or puts it into the subset that is quick enough for every change::

    # /// script
    # dependencies = ["psycopg[binary]"]
    # [tool.compatibility]
    # subset = true
    # ///
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("snippets")
_DIFFERENCES = Path(__file__).with_name("differences.toml")
_METADATA = re.compile(r"^# /// script$(.*?)^# ///$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A script that uses a distribution.

    Attributes:
        name: the distribution's.
        path: the script's.
        shows: what it shows, in a few words.
        requirements: what to install for it, as for pip.
        subset: whether it is one of the light ones.

    """

    name: str
    path: Path
    shows: str
    requirements: tuple[str, ...]
    subset: bool


@dataclass(frozen=True)
class Difference:
    """A difference that is accepted: what is printed from the directory, what from the bundle instead, and why."""

    directory: str
    bundle: str
    reason: str


def _snippet(path: Path) -> Snippet:
    source = path.read_text("utf-8")
    block = _METADATA.search(source)
    metadata: dict[str, Any] = {}
    if block is not None:
        metadata = tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))
    shows = (ast.get_docstring(ast.parse(source)) or "").rstrip(".")
    requirements = tuple(metadata.get("dependencies", (path.stem,)))
    subset = metadata.get("tool", {}).get("compatibility", {}).get("subset", False)
    return Snippet(path.stem, path, shows, requirements, subset)


def snippets() -> list[Snippet]:
    """Return all snippets, in the order of their names."""
    return [_snippet(path) for path in sorted(_FOLDER.glob("*.py"), key=lambda path: path.name.lower())]


def differences() -> dict[str, list[Difference]]:
    """Return the accepted differences by distribution."""
    listed = tomllib.loads(_DIFFERENCES.read_text("utf-8"))
    return {name: [Difference(**entry) for entry in entries] for name, entries in listed.items()}
