"""What is tried: the snippets, each a script named after its distribution, and the differences that are accepted.

A snippet's docstring says in a few words what it shows: it is a column of the table.  A block of inline metadata
(PEP 723) names what else to install, and in its table ``tool.compatibility``:

- ``subset``: it is in the subset that is quick enough for every change;
- ``unpack``: it is tried with ``BUNDLEIMP_UNPACK`` only, because it needs loaders of the standard library;
- ``distribution``: whose version is shown, if the script has another name::

    # /// script
    # dependencies = ["psycopg[binary]"]
    # [tool.compatibility]
    # subset = true
    # ///

A folder beside the script and with its name has files of our own, which are packed beside the distributions.
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODES = ("bundle", "unpacked")
_FOLDER = Path(__file__).with_name("snippets")
_DIFFERENCES = Path(__file__).with_name("differences.toml")
_METADATA = re.compile(r"^# /// script$(.*?)^# ///$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Snippet:
    """A script that uses a distribution.

    Attributes:
        name: the script's: the distribution's, or another one.
        path: the script's.
        shows: what it shows, in a few words.
        requirements: what to install for it, as for pip.
        subset: whether it is one of the light ones.
        unpack: whether it is tried with ``BUNDLEIMP_UNPACK`` only.
        distribution: the distribution whose version is shown.

    """

    name: str
    path: Path
    shows: str
    requirements: tuple[str, ...]
    subset: bool
    unpack: bool
    distribution: str


@dataclass(frozen=True)
class Difference:
    """A difference that is accepted.

    Attributes:
        directory: what is printed from the directory.
        bundle: what is printed from the bundle instead.
        reason: why.
        mode: "bundle" or "unpacked" if it occurs in that mode only.

    """

    directory: str
    bundle: str
    reason: str
    mode: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in {None, *MODES}:
            message = f"a mode is one of {', '.join(MODES)}, not {self.mode!r}"
            raise ValueError(message)


def _snippet(path: Path) -> Snippet:
    source = path.read_text("utf-8")
    block = _METADATA.search(source)
    metadata: dict[str, Any] = {}
    if block is not None:
        metadata = tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))
    options = metadata.get("tool", {}).get("compatibility", {})
    return Snippet(
        path.stem,
        path,
        shows=(ast.get_docstring(ast.parse(source)) or "").rstrip("."),
        requirements=tuple(metadata.get("dependencies", (path.stem,))),
        subset=options.get("subset", False),
        unpack=options.get("unpack", False),
        distribution=options.get("distribution", path.stem),
    )


def snippets() -> list[Snippet]:
    """Return all snippets, in the order of their names."""
    return [_snippet(path) for path in sorted(_FOLDER.glob("*.py"), key=lambda path: path.name.lower())]


def own_files() -> list[Path]:
    """Return what the snippets bring to be packed beside the distributions: files and folders of one directory."""
    return sorted(path for folder in _FOLDER.iterdir() if folder.is_dir() for path in folder.iterdir())


def differences() -> dict[str, list[Difference]]:
    """Return the accepted differences by the snippet's name."""
    listed = tomllib.loads(_DIFFERENCES.read_text("utf-8"))
    return {name: [Difference(**entry) for entry in entries] for name, entries in listed.items()}
