"""Whether a Python version is among those that a ``requires-python`` allows (PEP 440, 621, 723).  No I/O."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CLAUSE = re.compile(r"(?P<operator>===|~=|==|!=|<=|>=|<|>)\s*v?(?P<version>\d+(?:\.\d+)*)(?P<any>\.\*)?\S*")
_COMPARED: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
}


def allows(specifier: str, version: tuple[int, ...]) -> bool:
    """Return whether a released Python *version*, (3, 11, 7), is allowed by a *specifier* such as ``>=3.11,<4``.

    Raises:
        ValueError: it is no version specifier.

    """
    return all(_allows(clause.strip(), version) for clause in specifier.split(",") if clause.strip())


def _allows(clause: str, version: tuple[int, ...]) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise ValueError(clause)
    wanted = tuple(map(int, match["version"].split(".")))
    if match["operator"] == "~=":
        return _padded(version) >= _padded(wanted) and version[: len(wanted) - 1] == wanted[:-1]
    if match["any"]:
        return _COMPARED[match["operator"]](version[: len(wanted)], wanted)
    return _COMPARED[match["operator"]](_padded(version), _padded(wanted))


def _padded(version: tuple[int, ...]) -> tuple[int, ...]:
    return (*version, 0, 0, 0)[: max(3, len(version))]
