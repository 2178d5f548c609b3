"""What `pack` did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .laziness import LAZY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..runson import RunsOn
    from .errors import PackWarning
    from .leftout import LeftOut


def imports_text(imports: Mapping[str, int]) -> str:
    """Return in words how many imports are lazy, and why the others are not.

    Arguments:
        imports: as in `PackReport`.

    """
    reasons = [f"{number} {reason}" for reason, number in sorted(imports.items()) if reason != LAZY]
    return f"lazy imports on Python 3.15 and newer: {imports.get(LAZY, 0)}; eager: {', '.join(reasons) or 'none'}"


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
        kept: how many of them have it from bundles among the sources, so that none was compiled.
        ordered: how many of them lie in the order in which a profile imports them.
        imports: the number of imports by the reason why they are eager; by "lazy", of the lazy ones.  Empty if lazy
            imports are not wanted, or none of the Pythons has them.
        left_out: the files and folders of sources that are not meant to be shipped, by name.
        runs_on: where the bundle runs, as alternatives.
        targets: the names of the targets, if they have different files.
        warnings: what the bundle does without.

    """

    output: str
    size: int = 0
    members: int = 0
    modules: int = 0
    kept: int = 0
    layout: str = "flat"
    code_tags: list[str] = field(default_factory=list)
    ordered: int = 0
    imports: dict[str, int] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    runs_on: list[RunsOn] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)
