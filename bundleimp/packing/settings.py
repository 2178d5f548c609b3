"""The table ``[tool.bundleimp]`` of a project or a script: values in, options of `pack` out; no I/O.

Its keys are the fields of `PackOptions`, with hyphens, so a new option is a new key.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runtime.faults.likeness import near
from .errors import PackError
from .options import PackOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where the table stands says which project it is; a function is no value in TOML.
_NO_KEYS = {"project", "progress"}
# A command, or the name of a file.
_NO_PATHS = {"profile"}


def _kinds() -> dict[str, str]:
    """Return the annotation of each option that can be a key, by its key."""
    return {
        field.name.replace("_", "-"): str(field.type) for field in fields(PackOptions) if field.name not in _NO_KEYS
    }


def read_settings(table: Mapping[str, Any], folder: str, file: str) -> dict[str, Any]:
    """Return the options in *table*, by field of `PackOptions`.

    Arguments:
        table: the table ``tool.bundleimp``.
        folder: the folder of *file*; paths in the table are relative to it.
        file: the file with the table, for messages.

    Raises:
        PackError: a key is unknown, or a value has the wrong type.

    """
    kinds = _kinds()
    options = {}
    for key, value in table.items():
        if key not in kinds:
            message = f"[tool.bundleimp] has an unknown key {key!r}{near(key, kinds)}"
            raise PackError(message, file=file)
        expected = _fault(kinds[key], value)
        if expected:
            message = f"[tool.bundleimp] {key} must be {expected}, not {value!r}"
            raise PackError(message, file=file)
        name = key.replace("-", "_")
        is_path = "PathLike" in kinds[key] and name not in _NO_PATHS
        options[name] = _located(value, folder) if is_path else value
    return options


def _fault(kind: str, value: object) -> str:
    """Return what a value of this *kind*, an annotation, must be; "" if *value* is one."""
    if kind.startswith("Sequence["):
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if fits else "a list of strings"
    if kind == "bool":
        return "" if isinstance(value, bool) else "true or false"
    if kind.removesuffix(" | None") == "int":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    return "" if isinstance(value, str) else "a string"


def _located(value: Any, folder: str) -> Any:
    if isinstance(value, list):
        return [_located(item, folder) for item in value]
    return value if "://" in value else str(Path(folder, value))
