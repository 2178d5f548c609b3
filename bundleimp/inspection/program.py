"""The faults of a bundle's program: its first line, its ``__main__`` and the embedded runtime."""

from __future__ import annotations

import _imp
from typing import TYPE_CHECKING

from ..runson import TOO_OLD
from ..runtime.format import MAIN, RUNTIME
from ..runtime.interpreter import embedded
from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reader import BundleReader

_SOURCE = RUNTIME + "source"
_UNCHECKED_HASH = 1


def program_findings(bundle: BundleReader) -> Iterator[Finding]:
    """Yield the faults of the program of *bundle*, compared with its manifest.

    Raises:
        BundleFormatError: a member that has to be read is damaged.

    """
    manifest = bundle.manifest
    if manifest is None:
        return
    yield from _first_line(bundle, manifest.get("shebang"))
    names = {entry.member.name for entry in bundle.outer.entries}
    for key, what in (("entry_point", "names an entry point"), ("interpreter", "tells of an interpreter")):
        if manifest.get(key) and MAIN not in names:
            yield Finding(f"the manifest {what}, and this member is missing", MAIN)
    runtimes = {name for name in names if name.startswith(RUNTIME)}
    if manifest.get("standalone") or runtimes:
        yield from _runtimes(bundle, runtimes)


def _first_line(bundle: BundleReader, shebang: object) -> Iterator[Finding]:
    start = min((entry.member.offset for entry in bundle.outer.entries), default=0)
    line = f"#!{shebang}\n".encode("utf-8", "surrogateescape") if shebang is not None else b""
    lengths = {len(line), len(line + TOO_OLD)} if line else {0}
    if start not in lengths or bundle.file.read(0, start) != (line + TOO_OLD)[:start]:
        yield Finding("what stands before the archive is not the first line that the manifest tells of", None, 0)


def _runtimes(bundle: BundleReader, names: set[str]) -> Iterator[Finding]:
    """Check that each embedded runtime was made from the embedded sources."""
    decoded: dict[str, dict[str, bytes]] = {}
    for name in sorted(names | {_SOURCE}):
        try:
            decoded[name] = embedded.decode(bundle.read_note(name))
        except KeyError:
            yield Finding("the program is standalone, and this member is missing", name)
        except ValueError as error:
            yield Finding(str(error), name)
    sources = decoded.pop(_SOURCE, None)
    if sources is None:
        return
    for name, images in decoded.items():
        if images.keys() != sources.keys():
            yield Finding(f"does not hold the modules of {_SOURCE}", name)
            continue
        for module, image in images.items():
            expected = _imp.source_hash(int.from_bytes(image[:4], "little"), sources[module])
            if int.from_bytes(image[4:8], "little") != _UNCHECKED_HASH or image[8:16] != expected:
                yield Finding(f"the bytecode of {module} was made from another source", name)
