"""The manifest: what a bundle says of itself to people.  Values in, bytes out; no I/O."""

from __future__ import annotations

import email.parser
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..runson import KEY as RUNS_ON
from ..runson import RunsOn
from ..runtime.format import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .compiler import Compiler
    from .executable import Program
    from .report import PackReport
    from .targets import Target
    from .units import Placed
    from .wishes import Wishes


def _distribution(metadata: bytes) -> dict[str, str]:
    headers = email.parser.BytesParser().parsebytes(metadata, headersonly=True)
    return {"name": str(headers.get("Name", "")), "version": str(headers.get("Version", ""))}


def _distributions(metadata: Iterable[bytes], *, once: bool) -> list[dict[str, str]]:
    """Return name and version of each distribution; *once*, even if targets have the same one with other METADATA."""
    found = list(map(_distribution, metadata))
    if once:
        found = list({(item["name"], item["version"]): item for item in found}.values())
    return sorted(found, key=lambda item: item["name"].lower())


def encode_manifest(
    report: PackReport,
    *,
    inputs: Sequence[str],
    compilers: Sequence[Compiler],
    metadata: Iterable[bytes],
    placed: Sequence[Sequence[Placed]],
    wishes: Wishes,
    compress: str,
    compress_bytecode: str,
    source: bool,
    program: Program | None,
    first_line: bytes,
    targets: Sequence[Target] = (),
) -> bytes:
    """Return the content of manifest.json.

    Arguments:
        report: what was packed.
        inputs: what it was packed from, without paths of a machine.
        compilers: those of the embedded bytecode.
        metadata: the METADATA of each distribution.
        placed: for each target, the units that are placed in the cache.
        wishes: the names given to ``--unpack`` and ``--no-unpack``.
        compress: the compression of sources and data.
        compress_bytecode: the compression of bytecode.
        source: whether source was kept.
        program: what it runs as a program, or None.
        first_line: the line before the archive, or nothing.
        targets: the targets, if they have different files.

    """
    manifest: dict[str, Any] = {
        "format": VERSION,
        "tool": f"bundleimp {__version__}",
        "inputs": list(inputs),
        "layout": report.layout,
        "compress": compress,
        "source": source,
        "python": [
            {"tag": compiler.tag.name, "magic": compiler.tag.magic.hex(), "version": compiler.version}
            for compiler in compilers
        ],
        "distributions": _distributions(metadata, once=bool(targets)),
        "members": report.members,
        "entry_point": (str(program.entry_point) or None) if program is not None else None,
    }
    if compress_bytecode != "none":
        manifest["compress_bytecode"] = compress_bytecode
    if report.runs_on != [RunsOn()]:
        manifest[RUNS_ON] = [asdict(alternative) for alternative in report.runs_on]
    if program is not None and not str(program.entry_point):
        manifest["interpreter"] = True
    if targets:
        manifest["targets"] = [
            {"name": each.name, "key": each.key, "version": each.version, "platform": each.platform} for each in targets
        ]
    if any(placed):
        records = [[asdict(unit) for unit in units] for units in placed]
        manifest["placed"] = dict(zip([each.name for each in targets], records, strict=True)) if targets else records[0]
    manifest |= wishes.record()
    if report.imports:
        manifest["imports"] = dict(sorted(report.imports.items()))
    if report.ordered:
        manifest["ordered"] = report.ordered
    if first_line:
        manifest["shebang"] = first_line.partition(b"\n")[0][2:].decode("utf-8", "surrogateescape")
    if program is not None and program.standalone:
        manifest["standalone"] = True
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
