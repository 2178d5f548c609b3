"""A script with inline metadata (PEP 723): its dependencies, the Pythons that it runs on, and its settings.

Bytes in, values out; no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import decode_source
from typing import TYPE_CHECKING, Any

from .errors import PackError
from .project import parsed, settings_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The expression of the PEP, but with blocks that are empty.
_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)*)^# ///$")
_START = re.compile(r"(?m)^# /// script$")


@dataclass(frozen=True)
class Script:
    """A script's metadata.

    Attributes:
        dependencies: its requirements.
        requires_python: the version specifier of the Pythons that it runs on; "" for any.
        settings: its table ``tool.bundleimp``.

    """

    dependencies: Sequence[str]
    requires_python: str
    settings: Mapping[str, Any]


def read_script(source: bytes, file: str) -> Script | None:
    """Return the metadata in the *source* of a module, or None if it has none.

    Raises:
        PackError: the metadata is not valid.

    """
    try:
        text = decode_source(source)
    except (SyntaxError, UnicodeDecodeError):  # the compiler says more of this
        return None
    blocks = [match for match in _BLOCK.finditer(text) if match["type"] == "script"]
    if len(blocks) > 1 or (blocks and len(_START.findall(text)) > len(blocks)):
        message = "has more than one metadata block (# /// script); a script has one"
        raise PackError(message, file=file)
    if not blocks:
        if _START.search(text):
            message = "its metadata block is not complete: '# /// script', lines that begin with '# ', and '# ///'"
            raise PackError(message, file=file)
        return None
    lines = blocks[0]["content"].splitlines()
    table = parsed("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines).encode(), file)
    dependencies = table.get("dependencies", [])
    requires = table.get("requires-python", "")
    if not isinstance(dependencies, list) or not all(isinstance(item, str) for item in dependencies):
        message = "dependencies in its metadata must be a list of strings"
        raise PackError(message, file=file)
    if not isinstance(requires, str):
        message = "requires-python in its metadata must be a string"
        raise PackError(message, file=file)
    return Script(dependencies, requires, settings_table(table, file))


def module_name(stem: str) -> str:
    """Return the name of the module that a script becomes whose file has this *stem*."""
    name = re.sub(r"\W", "_", stem)
    return name if name.isidentifier() else f"_{name}"
