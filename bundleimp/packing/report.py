"""What `pack` did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import PackWarning


@dataclass
class PackReport:
    """What `pack` did.

    Attributes:
        output: the bundle's path.
        size: its size in bytes.
        members: how many payload members it has.
        modules: how many modules have embedded bytecode.
        layout: "flat" or "nested".
        code_tags: the code tags of the embedded bytecode.
        ordered: how many of them lie in the order in which a profile imports them.
        targets: the names of the targets, if they have different files.
        warnings: what the bundle does without.

    """

    output: str
    size: int = 0
    members: int = 0
    modules: int = 0
    layout: str = "flat"
    code_tags: list[str] = field(default_factory=list)
    ordered: int = 0
    targets: list[str] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)
