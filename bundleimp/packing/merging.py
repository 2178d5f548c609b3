"""The files of several targets, put together: equal ones once, and others for the targets that have them.

An installer writes different records for each target, such as WHEEL and RECORD: these are files like any other.
"""

from __future__ import annotations

import filecmp
from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import PackWarning, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .collect import SourceFile
    from .targets import Target


def merged(collected: Sequence[Sequence[SourceFile]]) -> list[SourceFile]:
    """Return the files of all targets, by name.  Those that all targets have are without `SourceFile.targets`.

    Arguments:
        collected: the files of each target.

    Raises:
        PackError: a file cannot be read.

    """
    found: dict[str, list[tuple[SourceFile, list[int]]]] = {}
    for number, files in enumerate(collected, 1):
        for file in files:
            variants = found.setdefault(file.member, [])
            for variant, numbers in variants:
                if _same(variant, file):
                    numbers.append(number)
                    break
            else:
                variants.append((file, [number]))
    result = []
    for member in sorted(found):
        for variant, numbers in found[member]:
            targets = tuple(numbers) if len(numbers) < len(collected) else ()
            result.append(replace(variant, targets=targets) if targets else variant)
    return result


def _same(one: SourceFile, other: SourceFile) -> bool:
    if one.path == other.path:
        return True
    if (one.size, one.executable) != (other.size, other.executable):
        return False
    try:
        return filecmp.cmp(one.path, other.path, shallow=False)
    except OSError as error:
        raise unreadable(error) from None


def version_warnings(targets: Sequence[Target], versions: Sequence[Mapping[str, str]]) -> Iterator[PackWarning]:
    """Yield a warning for each distribution that the installer gave different versions of.

    Arguments:
        targets: the targets.
        versions: for each of them the version of each distribution, by name.

    """
    for name in sorted({name for known in versions for name in known}):
        by_version: dict[str, list[str]] = {}
        for target, known in zip(targets, versions, strict=True):
            if name in known:
                by_version.setdefault(known[name], []).append(target.name)
        if len(by_version) > 1:
            parts = [f"{version} for {' and '.join(names)}" for version, names in by_version.items()]
            yield PackWarning(name, f"has different versions: {', '.join(parts)}")
